#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/schema.h"

/* A schema with the properties given, below the root. */
static struct schema *schema_of(const char *properties, struct json *causes, struct err *err)
{
	auto_free char *text =
	    xasprintf("{'name':'v1','schema':{'openAPIV3Schema':{'type':'object',"
		      "'properties':{%s}}}}",
		      properties);
	auto_json struct json *version = json_build(text);

	return schema_new(version, causes, err);
}

/* What becomes of object: its JSON, or the message of the refusal. */
static char *admit(const char *properties, const char *object_text, const char *old_text)
{
	struct err err = ERR_INIT;
	struct schema *schema = schema_of(properties, NULL, &err);
	auto_json struct json *object = json_build(object_text);
	auto_json struct json *old = old_text != NULL ? json_build(old_text) : NULL;
	auto_json struct json *causes = json_array();
	int result;

	if (schema == NULL)
		fail_msg("%s: %s", properties, err.msg);
	result = schema_admit(schema, object, old, SCHEMA_IGNORE, NULL, causes, &err);
	schema_free(schema);
	if (result == 0)
		return json_print(object);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_int_equal(err.status, 422);
	return schema_message(causes);
}

struct example {
	const char *properties, *object, *outcome, *old;
};

static void check(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct example *e = &examples[i];
		auto_free char *found = admit(e->properties, e->object, e->old);

		if (!streq(found, e->outcome))
			fail_msg("%s with %s:\nexpected %s\nfound    %s", e->object, e->properties,
				 e->outcome, found);
	}
}

static void refuses_schemas_that_it_cannot_serve(void **state)
{
	static const struct {
		const char *properties, *cause;
	} examples[] = {
	    {"'a':{'type':'strin'}",
	     "properties[a].type: Unsupported value: expected object, array, "
	     "string, integer, number or boolean"},
	    {"'a':{}",
	     "properties[a].type: Required value: must not be empty for specified object fields"},
	    {"'a':1", "properties[a]: Invalid value: expected a schema, which is an object"},
	    {"'a':{'type':'array'}", "properties[a].items: Required value"},
	    {"'a':{'type':'string','multipleOf':2}",
	     "properties[a].multipleOf: Forbidden: this keyword is not supported"},
	    {"'a':{'type':'string','minLength':'1'}",
	     "properties[a].minLength: Invalid value: number"},
	    {"'a':{'type':'string','pattern':'('}",
	     "properties[a].pattern: Invalid value: Unmatched ( or \\("},
	    {"'a':{'type':'object','properties':{},'additionalProperties':true}",
	     "properties[a].additionalProperties: Forbidden: additionalProperties and properties "
	     "are "
	     "mutual exclusive"},
	    {"'a':{'type':'integer','default':'x'}",
	     "properties[a].default: Invalid value: \"string\": "
	     "schema.openAPIV3Schema.properties[a].default in body must be of type integer: "
	     "\"string\""},
	    {"'a':{'type':'string','x-kubernetes-validations':[{'rule':'self =='}]}",
	     "properties[a].x-kubernetes-validations[0].rule: Invalid value: compilation failed: "
	     "line "
	     "1, column 8: expected a value, found the end"},
	    {"'a':{'type':'string','x-kubernetes-validations':[{'message':'x'}]}",
	     "properties[a].x-kubernetes-validations[0].rule: Required value: rule is not "
	     "specified"},
	    {"'a':{'type':'string','x-kubernetes-validations':[{'rule':'true','optionalOldSelf':"
	     "true}]}",
	     "properties[a].x-kubernetes-validations[0].optionalOldSelf: Forbidden: not supported"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		struct err err = ERR_INIT;
		auto_json struct json *causes = json_array();
		auto_free char *found = NULL;

		assert_null(schema_of(examples[i].properties, causes, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_int_equal(err.status, 422);
		found = schema_message(causes);
		assert_true(has_prefix(found, "schema.openAPIV3Schema."));
		assert_string_equal(found + strlen("schema.openAPIV3Schema."), examples[i].cause);
	}
}

static void a_version_needs_a_schema(void **state)
{
	auto_json struct json *none = json_build("{'name':'v1'}");
	auto_json struct json *list = json_build("{'schema':{'openAPIV3Schema':{'type':'array',"
						 "'items':{'type':'string'}}}}");
	struct err err = ERR_INIT;

	(void)state;
	assert_null(schema_new(none, NULL, &err));
	assert_string_equal(err.msg,
			    "schema.openAPIV3Schema: Required value: schemas are required");
	assert_null(schema_new(list, NULL, &err));
	assert_string_equal(
	    err.msg, "schema.openAPIV3Schema.type: Invalid value: must be object at the root");
}

static void invalid_values_are_refused_in_the_servers_words(void **state)
{
	static const struct example examples[] = {
	    {"'a':{'type':'integer'}", "{'a':'x'}",
	     "[a: Invalid value: \"string\": a in body must be of type integer: \"string\", <nil>: "
	     "Invalid value: \"null\": some validation rules were not checked because the object "
	     "was "
	     "invalid; correct the existing errors to complete validation]",
	     NULL},
	    {"'a':{'type':'integer','minimum':1}", "{'a':0}",
	     "a: Invalid value: 0: a in body should be greater than or equal to 1", NULL},
	    {"'a':{'type':'number','maximum':1.5}", "{'a':1.6}",
	     "a: Invalid value: 1.6: a in body should be less than or equal to 1.5", NULL},
	    {"'a':{'type':'integer','maximum':9007199254740992}", "{'a':9007199254740993}",
	     "a: Invalid value: 9007199254740993: a in body should be less than or equal to "
	     "9007199254740992",
	     NULL},
	    {"'a':{'type':'string','minLength':2}", "{'a':'\\u00e9'}",
	     "a: Invalid value: \"\xc3\xa9\": a in body should be at least 2 chars long", NULL},
	    {"'a':{'type':'string','pattern':'^b'}", "{'a':'x'}",
	     "a: Invalid value: \"x\": a in body should match '^b'", NULL},
	    {"'a':{'type':'array','minItems':2,'items':{'type':'integer'}}", "{'a':[1]}",
	     "a: Invalid value: [1]: a in body should have at least 2 items", NULL},
	    {"'a':{'type':'object','minProperties':1}", "{'a':{}}",
	     "a: Invalid value: {}: a in body should have at least 1 properties", NULL},
	    {"'a':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k']"
	     ","
	     "'items':{'type':'object','properties':{'k':{'type':'string'}}}}",
	     "{'a':[{'k':'x'},{'k':'y'},{'k':'x'}]}",
	     "a[2]: Duplicate value: map[string]interface {}{\"k\":\"x\"}", NULL},
	    {"'a':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}}",
	     "{'a':['x','y','x']}", "a[2]: Duplicate value: \"x\"", NULL},
	    {"'a':{'type':'object','additionalProperties':{'type':'integer','minimum':1}}",
	     "{'a':{'x':0,'y':-1}}",
	     "[a.x: Invalid value: 0: a.x in body should be greater than or equal to 1, a.y: "
	     "Invalid "
	     "value: -1: a.y in body should be greater than or equal to 1]",
	     NULL},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

/* These findings keep the rules from being evaluated, and the message says so. */
static void findings_that_stop_the_rules(void **state)
{
	static const char stopped[] =
	    ", <nil>: Invalid value: \"null\": some validation rules were not checked because the "
	    "object was invalid; correct the existing errors to complete validation]";
	static const struct {
		const char *properties, *object, *cause;
	} examples[] = {
	    {"'o':{'type':'object','required':['a'],'properties':{'a':{'type':'string'}}}",
	     "{'o':{}}", "o.a: Required value"},
	    {"'a':{'type':'string','enum':['x','y']}", "{'a':'z'}",
	     "a: Unsupported value: \"z\": supported values: \"x\", \"y\""},
	    {"'a':{'type':'string','maxLength':2}", "{'a':'xyz'}",
	     "a: Too long: may not be more than 2 bytes"},
	    {"'a':{'type':'array','maxItems':1,'items':{'type':'integer'}}", "{'a':[1,2]}",
	     "a: Too many: 2: must have at most 1 items"},
	    {"'a':{'type':'object','maxProperties':1,'additionalProperties':{'type':'integer'}}",
	     "{'a':{'x':1,'y':2}}", "a: Too many: 2: must have at most 1 items"},
	    {"'a':{'type':'boolean'}", "{'a':{}}",
	     "a: Invalid value: \"object\": a in body must be of type boolean: \"object\""},
	    {"'a':{'type':'string','format':'date-time'}", "{'a':'x'}",
	     "a: Invalid value: \"x\": a in body must be of type date-time: \"x\""},
	    {"'a':{'type':'string','format':'byte'}", "{'a':'@'}",
	     "a: Invalid value: \"@\": a in body must be of type byte: \"@\""},
	    {"'a':{'x-kubernetes-int-or-string':true}", "{'a':1.5}",
	     "a: Invalid value: \"number\": a in body must be of type integer,string: \"number\""},
	    {"'a':{'type':'array','items':{'type':'string'}}", "{'a':[null]}",
	     "a[0]: Invalid value: \"null\": a[0] in body must be of type string: \"null\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		auto_free char *found = admit(examples[i].properties, examples[i].object, NULL);
		auto_free char *expected = xasprintf("[%s%s", examples[i].cause, stopped);

		assert_string_equal(found, expected);
	}
}

static void rules_are_checked_everywhere(void **state)
{
	static const struct example examples[] = {
	    {"'a':{'type':'string','x-kubernetes-validations':[{'rule':'self == \\\"x\\\"'}]}",
	     "{'a':'y'}", "a: Invalid value: \"string\": failed rule: self == \"x\"", NULL},
	    {"'a':{'type':'object','additionalProperties':{'type':'array','items':{'type':'integer'"
	     ","
	     "'x-kubernetes-validations':[{'rule':'self > 0','message':'too small'}]}}}",
	     "{'a':{'k':[1,0]}}", "a.k[1]: Invalid value: \"integer\": too small", NULL},
	    {"'a':{'type':'object','properties':{'b':{'type':'string'}},'x-kubernetes-validations':"
	     "[{'rule':'has(self.b)','messageExpression':'\\\"no "
	     "b\\\"','reason':'FieldValueRequired',"
	     "'fieldPath':'.b'}]}",
	     "{'a':{}}", "a.b: Required value: no b", NULL},
	    {"'a':{'type':'string','x-kubernetes-validations':[{'rule':'false','message':'m',"
	     "'reason':'FieldValueForbidden'}]}",
	     "{'a':'y'}", "a: Forbidden: m", NULL},
	    {"'a':{'type':'object','properties':{'b':{'type':'string'}},'x-kubernetes-validations':"
	     "[{'rule':'self.b == \\\"x\\\"','message':'b is x'}]}",
	     "{'a':{}}", "a: Invalid value: \"object\": no such key: b evaluating rule: b is x",
	     NULL},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

/* A transition rule compares with what was; what an update leaves alone is not judged again. */
static void updates_are_compared_with_the_stored_object(void **state)
{
	static const char fixed[] = "'a':{'type':'integer','minimum':5,'x-kubernetes-validations':"
				    "[{'rule':'self == oldSelf','message':'a is fixed'}]},"
				    "'b':{'type':'integer'}";
	static const char list[] =
	    "'l':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k'],"
	    "'items':{'type':'object','properties':{'k':{'type':'string'},'v':{'type':'integer',"
	    "'x-kubernetes-validations':[{'rule':'self >= oldSelf','message':'v grows'}]}}}}";
	const struct example examples[] = {
	    {fixed, "{'a':7}", "{\"a\":7}", NULL},
	    {fixed, "{'a':7}", "{\"a\":7}", "{'a':7}"},
	    {fixed, "{'a':8}", "a: Invalid value: \"integer\": a is fixed", "{'a':7}"},
	    {fixed, "{'a':8}", "{\"a\":8}", "{'b':1}"},
	    {fixed, "{'a':1,'b':2}", "{\"a\":1,\"b\":2}", "{'a':1,'b':1}"},
	    {fixed, "{'a':1}",
	     "a: Invalid value: 1: a in body should be greater than or equal to 5", "{'b':1}"},
	    {list, "{'l':[{'k':'y','v':2},{'k':'x','v':1}]}",
	     "{\"l\":[{\"k\":\"y\",\"v\":2},{\"k\":\"x\",\"v\":1}]}", "{'l':[{'k':'x','v':1}]}"},
	    {list, "{'l':[{'k':'x','v':0}]}", "l[0].v: Invalid value: \"integer\": v grows",
	     "{'l':[{'k':'y','v':0},{'k':'x','v':1}]}"},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

static void unknown_fields_go_and_defaults_come(void **state)
{
	static const struct example examples[] = {
	    {"'a':{'type':'string'}", "{'x':1,'a':'b','y':{'z':1}}", "{\"a\":\"b\"}", NULL},
	    {"'metadata':{'type':'object'}",
	     "{'kind':'K','apiVersion':'v1','metadata':{'name':'n'}}",
	     "{\"kind\":\"K\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"}}", NULL},
	    {"'a':{'type':'object'}", "{'a':{'x':1}}", "{\"a\":{}}", NULL},
	    {"'a':{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{'b':"
	     "{'type':'object'}}}",
	     "{'a':{'x':{'y':1.50},'b':{'z':1}}}", "{\"a\":{\"x\":{\"y\":1.50},\"b\":{}}}", NULL},
	    {"'a':{'type':'object','additionalProperties':{'type':'object','x-kubernetes-preserve-"
	     "unknown-fields':true}}",
	     "{'a':{'s3':{'n':9007199254740993,'o':null}}}",
	     "{\"a\":{\"s3\":{\"n\":9007199254740993,\"o\":null}}}", NULL},
	    {"'a':{'type':'object','additionalProperties':true}", "{'a':{'x':[1]}}",
	     "{\"a\":{\"x\":[1]}}", NULL},
	    {"'a':{'type':'array','items':{'type':'object','properties':{'b':{'type':'integer'}}}}",
	     "{'a':[{'b':1,'c':2},{'c':3}]}", "{\"a\":[{\"b\":1},{}]}", NULL},
	    {"'a':{'type':'object','x-kubernetes-embedded-resource':true}",
	     "{'a':{'kind':'K','metadata':{'name':'n'},'x':1}}",
	     "{\"a\":{\"kind\":\"K\",\"metadata\":{\"name\":\"n\"}}}", NULL},
	    {"'a':{'type':'integer','default':3},'o':{'type':'object','properties':{'b':"
	     "{'type':'string','default':'x'}}}",
	     "{'o':{}}", "{\"o\":{\"b\":\"x\"},\"a\":3}", NULL},
	    {"'a':{'type':'integer','default':3}", "{'a':null}", "{\"a\":3}", NULL},
	    {"'a':{'type':'integer'}", "{'a':null}", "{}", NULL},
	    {"'a':{'type':'integer','nullable':true,'default':3}", "{'a':null}", "{\"a\":null}",
	     NULL},
	    {"'a':{'type':'integer'},'b':{'type':'number'}", "{'a':1.0,'b':2}",
	     "{\"a\":1.0,\"b\":2}", NULL},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

static void unknown_fields_are_told_or_refused(void **state)
{
	static const char properties[] = "'spec':{'type':'object','properties':{'l':{'type':'array'"
					 ",'items':{'type':'object'}}}}";
	struct err err = ERR_INIT;
	struct schema *schema = schema_of(properties, NULL, &err);
	auto_json struct json *warned = json_build("{'spec':{'x':1,'l':[{},{'y':1}]}}");
	auto_json struct json *refused = json_copy(warned);
	auto_json struct json *warnings = json_array();
	auto_free char *text = NULL;

	(void)state;
	assert_int_equal(schema_admit(schema, warned, NULL, SCHEMA_WARN, warnings, NULL, &err), 0);
	text = json_print(warnings);
	assert_string_equal(text, "[\"unknown field \\\"spec.x\\\"\","
				  "\"unknown field \\\"spec.l[1].y\\\"\"]");
	assert_int_equal(schema_admit(schema, refused, NULL, SCHEMA_STRICT, NULL, NULL, &err), -1);
	assert_int_equal(err.status, 400);
	assert_string_equal(err.msg,
			    "strict decoding error: unknown field \"spec.x\", unknown field "
			    "\"spec.l[1].y\"");
	schema_free(schema);
}

static void the_list_of_causes_is_limited(void **state)
{
	struct err err = ERR_INIT;
	struct schema *schema =
	    schema_of("'l':{'type':'array','items':{'type':'integer','minimum':1}}", NULL, &err);

	(void)state;
	for (size_t n = SCHEMA_CAUSES_MAX; n <= SCHEMA_CAUSES_MAX + 1; n++) {
		auto_json struct json *object = json_build("{'l':[]}");
		auto_json struct json *causes = json_array();

		for (size_t i = 0; i < n; i++)
			json_append(json_mut(object, "l"), json_int(0));
		assert_int_equal(
		    schema_admit(schema, object, NULL, SCHEMA_IGNORE, NULL, causes, &err), -1);
		assert_int_equal(json_len(causes), SCHEMA_CAUSES_MAX);
	}
	schema_free(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_schemas_that_it_cannot_serve),
	    cmocka_unit_test(a_version_needs_a_schema),
	    cmocka_unit_test(invalid_values_are_refused_in_the_servers_words),
	    cmocka_unit_test(findings_that_stop_the_rules),
	    cmocka_unit_test(rules_are_checked_everywhere),
	    cmocka_unit_test(updates_are_compared_with_the_stored_object),
	    cmocka_unit_test(unknown_fields_go_and_defaults_come),
	    cmocka_unit_test(unknown_fields_are_told_or_refused),
	    cmocka_unit_test(the_list_of_causes_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
