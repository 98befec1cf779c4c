/* A script that is judged without being run: a list of findings, each with a line of the script. */
#include "policy/lint.h"
#include "spec/fuzz/parts/fuzz.h"

/* At most: for Lua either byte ends a line, and both together do. */
static int64_t lines_of(const char *text)
{
	int64_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n' || *text == '\r';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	auto_free char *script = xstrndup((const char *)bytes, len);
	auto_json struct json *files = json_build("{'contract.lua': %s}", script);
	auto_json struct json *findings = lint_files(files);
	int64_t lines = lines_of(script);

	promise(json_type(findings) == JSON_ARRAY);
	for (const struct json *f = json_first(findings); f != NULL; f = json_next(f)) {
		promise(json_get_str(f, "message", "")[0] != '\0');
		promise(json_get_int(f, "line", -1) >= 0);
		if (streq(json_get_str(f, "file", ""), "contract.lua"))
			promise(json_get_int(f, "line", -1) <= lines);
	}
	return 0;
}
