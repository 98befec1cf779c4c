/* Workers that hang, crash and answer nonsense, and the walls around a good one. */
#include "host_scene.h"

static void a_worker_that_hangs_is_replaced(void **state)
{
	struct scene *s = *state;

	set_role("hang");
	eval(s, "[\"validate\", \"contract\"]");
	assert_error(s, "validate", "limit",
		     "did not answer within 300 ms and was ended, while it ran "
		     "validate");
	assert_error(s, "contract", "limit", "not run: ");
}

static void a_bad_worker_costs_one_request(void **state)
{
	static const struct {
		const char *role, *message;
	} cases[] = {
	    {"crash", "was ended by signal 9, while it ran contract"},
	    {"exit", "ended with status 7"},
	    {"half", "ended with status 0"},
	    {"garbage", "an answer that is not JSON"},
	    {"empty", "an answer that makes no sense"},
	    {"other-hook", "an answer that makes no sense"},
	    {"no-result", "an answer that makes no sense"},
	    {"huge", "an answer that nobody asked for"},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_role(cases[i].role);
		eval(s, "[\"contract\"]");
		assert_error(s, "contract", "limit", cases[i].message);
		assert_serves(s);
		policy_host_free(s->host); /* the next worker shall play its part from the start */
		s->host = policy_host_new(s->loop, &(struct policy_options){0});
	}
}

static void an_answer_too_many_is_not_taken_for_the_next(void **state)
{
	struct scene *s = *state;

	set_role("two-answers");
	eval(s, "[\"contract\"]");
	assert_int_equal(json_get_int(json_get(result(s, "contract"), "ok"), "forged", 0), 1);
	assert_serves(s);
	assert_null(json_at(s->reply, "results", "contract", "ok", "forged"));
}

static void a_load_that_loses_its_worker_fails(void **state)
{
	struct scene *s = *state;
	auto_free char *before = xstrdup(policy_digest(s->host, ""));

	set_role("crash");
	load(s, "contract.lua", "return {contract = function() return {new = true} end}");
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_string_equal(s->err.msg, "the policy worker was ended by signal 9");
	assert_string_equal(policy_digest(s->host, ""), before);
	assert_serves(s);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
	struct scene *s = *state;

	policy_host_free(s->host);
	s->host = policy_host_new(s->loop, &(struct policy_options){.program = "/nonexistent"});
	eval(s, "[\"contract\"]");
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_non_null(strstr(s->err.msg, "/nonexistent cannot be started"));
}

static void the_worker_inherits_nothing(void **state)
{
	int more[] = {dup(1), dup(1), open("/dev/null", O_RDONLY)};
	struct scene *s = *state;

	set_role("census");
	eval(s, "[\"contract\"]");
	assert_true(json_is_true(json_at(s->reply, "results", "contract", "ok", "clean")));
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		close(more[i]);
}

#if defined(__SANITIZE_ADDRESS__)
#define CONFINED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINED 0
#endif
#endif
#ifndef CONFINED
#define CONFINED 1
#endif

static void a_confined_worker_is_killed_for_what_it_may_not_do(void **state)
{
	static const char *const roles[] = {"opens", "connects", "forks", "executes",
					    "writes-stdout"};
	struct scene *s = *state;

	for (size_t i = 0; CONFINED && i < ARRAY_LEN(roles); i++) {
		set_role(roles[i]);
		eval(s, "[\"contract\"]");
		assert_error(s, "contract", "limit", "was ended by signal 31");
	}
}

/* What the walls must leave room for: each of these once met a system call that was not allowed. */
static void a_confined_worker_can_do_its_work(void **state)
{
	static const char *const bodies[] = {
	    /* large objects: hash tables, sorting, buffers that move */
	    "local t = {} for i = 1, 8000 do t['k' .. i] = ('x'):rep(100) end return t",
	    "local t = {} for i = 1, 60000 do t[i] = i end table.sort(t, function(a, b) return a > "
	    "b "
	    "end) return {n = #table.concat(t)}",
	    "local t = {} for i = 1, 20 do t[i] = ('x'):rep(1 << 20) end return {n = #t}",
	    "return {a = time.format(time.parse('2026-11-24T10:00:00+05:30')), b = 0.1 ^ 3, "
	    "c = ('%5.3f %g %q'):format(1 / 3, 1e300, 'x')}",
	    "log('a line') log({}) return {}",
	    "return {a = json.parse('[1e3]'), b = select(2, json.parse('{')), "
	    "c = quantity.parse('1.5Gi'), d = ('x'):byte(1, -1), e = utf8.char(228)}",
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		auto_free char *text =
		    xasprintf("return {contract = function() %s end}", bodies[i]);

		load(s, "contract.lua", text);
		eval(s, "[\"contract\", \"validate\", \"status\"]");
		if (json_get(result(s, "contract"), "ok") == NULL)
			assert_error(s, "contract", "none", bodies[i]);
	}
}

static void the_worker_has_a_name(void **state)
{
	struct scene *s = *state;
	auto_free char *path = NULL;
	char name[32] = "";
	pid_t pid = 0;
	FILE *file;

	eval(s, "[\"contract\"]");
	path = xasprintf("/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (file == NULL)
		skip(); /* a kernel without CONFIG_PROC_CHILDREN */
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	free(path);
	path = xasprintf("/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%31s", name), 1);
	fclose(file);
	assert_string_equal(name, "kserve-policy");
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    impatient_test(a_worker_that_hangs_is_replaced),
	    host_test(a_bad_worker_costs_one_request),
	    host_test(an_answer_too_many_is_not_taken_for_the_next),
	    host_test(a_load_that_loses_its_worker_fails),
	    host_test(a_program_that_is_not_there_is_an_error),
	    host_test(the_worker_inherits_nothing),
	    host_test(a_confined_worker_is_killed_for_what_it_may_not_do),
	    host_test(a_confined_worker_can_do_its_work),
	    host_test(the_worker_has_a_name),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return host_main(argc, argv, tests);
}
