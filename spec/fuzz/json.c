/* Any bytes as JSON: what is accepted prints as a text that reads back as the same value. */
#include "base/json.h"
#include "base/utf8.h"
#include "spec/fuzz/parts/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err err = ERR_INIT;
	auto_json struct json *value = json_parse((const char *)bytes, len, &err);
	auto_json struct json *again = NULL, *copy = NULL;
	auto_free char *text = NULL, *second = NULL;

	if (value == NULL) {
		promise(err.kind != ERR_NONE && err.msg[0] != '\0');
		promise(utf8_valid(err.msg, strlen(err.msg)));
		return 0;
	}
	text = json_print(value);
	again = json_parse(text, strlen(text), &err);
	promise(again != NULL && json_equal(value, again));
	second = json_print(again);
	promise(streq(text, second));

	copy = json_copy(value);
	if (json_type(value) == JSON_OBJECT)
		json_merge_patch(copy, value);
	return 0;
}
