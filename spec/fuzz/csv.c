/* Any bytes as CSV; the first one chooses the settings and what a row may hold. */
#include "spec/fuzz/parts/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const settings[] = {"{}", "{'header': false}", "{'rows': 'objects'}",
					       "{'delimiter': ';', 'header': true}"};
	static const struct row_rule rules[] = {
	    {.leaves = LEAF_ANY, .scalars = true, .nested = true},
	    {.leaves = LEAF_NUMBER, .even = true},
	    {.leaves = LEAF_STRING, .even = true},
	    {.leaves = LEAF_BOOL, .even = true},
	};
	auto_json struct json *chosen = NULL;

	if (len == 0)
		return 0;
	chosen = json_build(settings[bytes[0] % ARRAY_LEN(settings)]);
	check_decoder(&csv_format, chosen, rules[bytes[0] / ARRAY_LEN(settings) % ARRAY_LEN(rules)],
		      bytes + 1, len - 1);
	return 0;
}
