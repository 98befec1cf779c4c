#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/proto.h"

#define ENVELOPE(kind_len, kind, raw_len, raw)                                                     \
	"k8s\0\x0a" kind_len "\x0a\x02v1\x12" kind "\x12" raw_len raw

static struct json *parse(const char *bytes, size_t len, struct err *err)
{
	/* A copy of exactly that size, for the sanitizer to watch its end. */
	auto_free char *copy = xmalloc(len + 1);

	memcpy(copy, bytes, len);
	return proto_parse(copy, len, err);
}

static const char config_map[] =
    ENVELOPE("\x0f",
	     "\x09"
	     "ConfigMap",
	     "\x16",
	     "\x0a\x0a\x0a\x01"
	     "a\x12\x00\x1a\x01n\x42\x00" /* metadata: name, namespace */
	     "\x12\x06\x0a\x01k\x12\x01v" /* data */
	     "\x20\x01" /* immutable */);

static void a_config_map(void **state UNUSED)
{
	struct err err = ERR_INIT;
	auto_json struct json *object = parse(config_map, sizeof(config_map) - 1, &err);
	auto_free char *text = NULL;

	if (object == NULL)
		fail_msg("%s", err.msg);
	text = json_print(object);
	assert_string_equal(
	    text, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
		  "\"a\",\"namespace\":\"n\"},\"data\":{\"k\":\"v\"},\"immutable\":true}");
}

/* Whatever is cut off or flipped: an error or a value, never a crash. */
static void broken(void **state UNUSED)
{
	char bytes[sizeof(config_map)];
	struct err err = ERR_INIT;

	for (size_t len = 0; len < sizeof(config_map) - 1; len++)
		json_free(parse(config_map, len, &err));
	for (size_t i = 0; i < sizeof(config_map) - 1; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(bytes, config_map, sizeof(config_map));
			bytes[i] = (char)(bytes[i] ^ (1 << bit));
			json_free(parse(bytes, sizeof(config_map) - 1, &err));
		}
}

static void unknown(void **state UNUSED)
{
	static const char kind[] = ENVELOPE("\x0b",
					    "\x05"
					    "Thing",
					    "\x00", "");
	static const char field[] = ENVELOPE("\x0f",
					     "\x09"
					     "ConfigMap",
					     "\x03", "\x7a\x01x");
	static const char empty[] = ENVELOPE("\x0f",
					     "\x09"
					     "ConfigMap",
					     "\x02", "\x7a\x00");
	struct err err = ERR_INIT;
	struct json *value;

	assert_null(parse(kind, sizeof(kind) - 1, &err));
	assert_string_equal(err.msg, "protobuf: kind \"Thing\" is not known here: send JSON");
	assert_null(parse(field, sizeof(field) - 1, &err));
	assert_string_equal(err.msg, "protobuf: field 15 is not known here: send JSON");
	value = parse(empty, sizeof(empty) - 1, &err);
	assert_non_null(value);
	json_free(value);
	assert_null(parse("{}", 2, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_config_map),
	    cmocka_unit_test(broken),
	    cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
