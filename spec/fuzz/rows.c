/* Any bytes as JSON and as JSON lines; the first one chooses the format and what a row may hold. */
#include "spec/fuzz/parts/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct row_rule rules[] = {
	    {.leaves = LEAF_ANY, .scalars = true, .nested = true},
	    {.leaves = LEAF_NUMBER, .even = true},
	    {.leaves = LEAF_STRING, .scalars = true, .even = true},
	};

	if (len == 0)
		return 0;
	check_decoder(bytes[0] % 2 == 0 ? &json_format : &jsonl_format, NULL,
		      rules[bytes[0] / 2 % ARRAY_LEN(rules)], bytes + 1, len - 1);
	return 0;
}
