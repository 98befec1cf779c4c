/*
 * The same inputs give the same bytes in every process, whatever its addresses, its seeds of hash
 * tables, its time zone and its language. This program is started several times as `answers`
 * (with a new state for each) or `copies` (of a prepared one, as in a worker), and prints then what
 * the hooks of the default bundle, of every example and of a few tempting scripts answer, errors
 * and what they took of the limits included.
 */
#include "policy_util.h"

#include <dirent.h>
#include <locale.h>

#include "policy/eval.h"
#include "policy/folder.h"

#define EXAMPLES "examples/policies"

enum { ANSWERS_MAX = 4 << 20 };

static const char *const hooks[] = {"validate", "contract", "shape", "status"};

/* Each is merged into a common request. */
static const char *const requests[] = {
    "{}",
    "{\"run\":{\"spec\":{\"parameters\":{\"job_uid\":\"1\",\"predictions\":\"2\",\"z\":\"3\","
    "\"input_table_name\":\"other\",\"output_table_name\":\"kserve_controller_x\"}}}}",
    "{\"job\":{\"kind\":\"CronJob\",\"spec\":{\"schedule\":\"* * * * *\"},\"status\":{"
    "\"lastScheduleTime\":\"2026-11-24T09:59:00Z\"}}}",
    "{\"job\":{\"status\":{\"failed\":2,\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\","
    "\"reason\":\"BackoffLimitExceeded\"}]}},\"pods\":[{\"metadata\":{\"creationTimestamp\":"
    "\"2026-11-24T09:00:00Z\"},\"status\":{\"phase\":\"Failed\",\"containerStatuses\":[{\"name\":"
    "\"inference\",\"state\":{\"terminated\":{\"exitCode\":4,\"message\":\"{\\\"message\\\":"
    "\\\"no model\\\"}\"}}}]}}]}",
    "{\"job\":{\"status\":{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}},"
    "\"pods\":[{\"status\":{\"phase\":\"Succeeded\",\"containerStatuses\":[{\"name\":"
    "\"inference\",\"state\":{\"terminated\":{\"message\":\"{\\\"rows\\\":{\\\"stored\\\":"
    "12345678901234567890}}\"}}}]}}]}",
    "{\"run\":null,\"config\":null}",
};

static const char common[] =
    "{\"run\":{\"metadata\":{\"name\":\"r\"},\"spec\":{\"parameters\":{\"b\":\"1\",\"a\":\"2\","
    "\"input_table_name\":\"kserve_controller_in\"}}},\"config\":{\"spec\":{\"modelUrl\":\"u\","
    "\"kserve\":{\"modelName\":\"m\"},\"storage\":{\"input\":{\"z\":[1e400,0.10],\"a\":{}}}}},"
    "\"job\":{\"id\":\"i\",\"name\":\"n\"},\"manifest\":{\"kind\":\"Job\"},\"pods\":[],\"now\":"
    "\"2026-11-24T10:00:00Z\"}";

/* Bodies of contract(run, config, job): what differs from process to process if anything does. */
static const struct {
	const char *name, *body;
} tempting[] = {
    {"order of keys",
     "local t = {} for i = 1, 300 do t['k' .. i * 7919 % 1000] = i end local s = {} for k, v in "
     "pairs(t) do s[#s + 1] = k .. v end return {s = table.concat(s), first = (next(t)), t = t}"},
    {"an unknown global", "return {tostring({}), tostring(print == nil)}"},
    {"text of functions", "return {tostring({}), tostring(pcall), ('%s %s'):format({}, job), "
			  "select('#', pcall(error))}"},
    {"a table as error", "error({})"},
    {"an error with text", "error(setmetatable({}, {__tostring = function() return 'x' end}))"},
    {"an index of nil", "local function f() return run.x.y.z end return f()"},
    {"a function in the result", "return {f = pcall, g = {}}"},
    {"a table as key", "return {[{}] = 1}"},
    {"merge", "return merge(config, {spec = {z = 1, y = 2, x = json.null, w = {v = {}}}})"},
    {"time",
     "return {t = {time.parse('2026-03-29T02:30:00+01:00'), time.format(1e9), ('x'):rep(3)}}"},
    {"numbers and locale",
     "return {a = ('%.3f %g %s'):format(1234567.891, 0.1, 1e15), b = ('\\u{e4}Z'):lower(), c = "
     "('a' < 'B'), d = ('\\u{e4}'):find('%a'), e = tonumber('1,5') == nil, f = 2^53, g = -0.0}"},
    {"sort", "local t = {} for i = 1, 400 do t[i] = {i % 3, i} end table.sort(t, function(a, b) "
	     "return a[1] "
	     "< b[1] end) return {t = t}"},
    {"the limit of instructions", "while true do end"},
    {"the limit of memory", "local t = {} while true do t = {t} end"},
    {"violations",
     "return {deep = string.rep('[', 70), s = schema.check({b = '1', a = '2', c = '3'}, {})}"},
};

/* ---- the part of the one that answers ---- */

static void answer(const struct bundle *bundle, const struct json *request)
{
	const struct eval eval = {.bundle = bundle};

	for (size_t h = 0; h < ARRAY_LEN(hooks); h++) {
		auto_json struct json *result = eval_hook(&eval, hooks[h], request);
		auto_free char *text = json_print(result);

		puts(text);
	}
}

static void answer_requests(const struct bundle *bundle)
{
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		auto_json struct json *request = json_of(common), *patch = json_of(requests[i]);

		json_merge_patch(request, patch);
		answer(bundle, request);
	}
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void answer_for_examples(void)
{
	struct dirent **entries;
	int count = scandir(EXAMPLES, &entries, is_visible, alphasort);

	for (int i = 0; i < count; i++) {
		auto_free char *path = xasprintf(EXAMPLES "/%s", entries[i]->d_name);
		struct err err = ERR_INIT;
		auto_json struct json *files = folder_read(path, &err);
		struct bundle *bundle = bundle_new(files, &err);

		printf("%s: %s\n", path, bundle != NULL ? "" : err.msg);
		if (bundle == NULL)
			exit(1);
		answer_requests(bundle);
		bundle_free(bundle);
		free(entries[i]);
	}
	free(entries);
}

static void answer_all(void)
{
	struct bundle *bundle = bundle_new_default();
	auto_json struct json *request = json_of(common);

	setlocale(LC_ALL, "");
	answer_requests(bundle);
	bundle_free(bundle);
	answer_for_examples();
	for (size_t i = 0; i < ARRAY_LEN(tempting); i++) {
		auto_free char *text = xasprintf(
		    "return {contract = function(run, config, job) %s end}", tempting[i].body);

		puts(tempting[i].name);
		bundle = bundle_of(text);
		answer(bundle, request);
		bundle_free(bundle);
	}
}

/* ---- the part of the test ---- */

static char *answers_with(const char *environment, const char *mode)
{
	struct buf out = BUF_INIT(ANSWERS_MAX);
	auto_free char *command =
	    xasprintf("env -i %s /proc/%d/exe %s", environment, (int)getpid(), mode);
	FILE *child = popen(command, "r"); // NOLINT(cert-env33-c): it starts this program again
	char bytes[4096];
	size_t n;

	assert_non_null(child);
	while ((n = fread(bytes, 1, sizeof(bytes), child)) > 0)
		buf_add(&out, bytes, n);
	assert_int_equal(pclose(child), 0);
	return buf_steal(&out);
}

static void every_process_answers_the_same(void **state)
{
	static const char *const environments[] = {
	    "", "TZ=Asia/Kathmandu", "LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8",
	    "LC_ALL=C.UTF-8 TZ=America/New_York",
	    "LUA_INIT='error(1)' LUA_PATH=/x MALLOC_ARENA_MAX=1"};
	static const char *const modes[] = {"answers", "copies"};

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		auto_free char *first = answers_with("", modes[m]);

		assert_non_null(strstr(first, "\"usage\""));
		assert_null(strstr(first, "0x"));
		for (size_t i = 0; i < ARRAY_LEN(environments); i++) {
			auto_free char *other = answers_with(environments[i], modes[m]);

			assert_string_equal(other, first);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_process_answers_the_same),
	};

	if (argc > 1 && streq(argv[1], "copies"))
		sandbox_prepare();
	if (argc > 1) {
		answer_all();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
