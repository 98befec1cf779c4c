/* Any bytes as YAML: what is accepted is JSON, one value a document. */
#include "base/utf8.h"
#include "base/yaml.h"
#include "spec/fuzz/parts/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err err = ERR_INIT;
	auto_json struct json *documents = yaml_parse_all((const char *)bytes, len, &err);

	if (documents == NULL) {
		promise(err.kind != ERR_NONE && err.msg[0] != '\0');
		promise(utf8_valid(err.msg, strlen(err.msg)));
		return 0;
	}
	promise(json_type(documents) == JSON_ARRAY);
	for (const struct json *d = json_first(documents); d != NULL; d = json_next(d)) {
		auto_free char *text = json_print(d);
		auto_json struct json *again = json_parse(text, strlen(text), &err);

		promise(again != NULL && json_equal(d, again));
	}
	return 0;
}
