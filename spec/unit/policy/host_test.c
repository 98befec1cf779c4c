#include "policy_util.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "policy/confine.h"
#include "policy/eval.h"
#include "policy/frame.h"
#include "policy/host.h"
#include "policy/shelf.h"

/*
 * The host with the real worker, and with workers that hang, crash and answer nonsense. This
 * program is the worker as well: it is started again as `policy-worker`. What kind of worker it
 * plays is written in a file that only the test and its workers know (their environment is empty).
 */

enum { CHANNEL = 3, SAFETY_MS = 30000 };

static char role_path[64];

/* ---- the worker's part ---- */

static void say_frame(const char *text)
{
	struct buf out = BUF_INIT(1 << 16);
	unsigned char header[FRAME_HEADER];

	frame_put_size(strlen(text), header);
	buf_add(&out, header, sizeof(header));
	buf_adds(&out, text);
	if (write(CHANNEL, out.data, out.len) < 0)
		_exit(1);
	buf_done(&out);
}

_Noreturn static void play(const char *role)
{
	char bytes[64];

	while (read(CHANNEL, bytes, sizeof(bytes)) > 0) {
		if (streq(role, "hang"))
			continue;
		if (streq(role, "crash"))
			raise(SIGKILL);
		if (streq(role, "exit"))
			_exit(7);
		if (streq(role, "garbage"))
			say_frame("no json\n");
		if (streq(role, "empty"))
			say_frame("");
		if (streq(role, "other-hook"))
			say_frame("hook \"status\"\nok {}\n");
		if (streq(role, "no-result"))
			say_frame("hook \"contract\"\n");
		if (streq(role, "huge") && write(CHANNEL, "\xff\xff\xff\xff", FRAME_HEADER) < 0)
			_exit(1);
		if (streq(role, "half") && write(CHANNEL, "\0\0\0\x10hoo", 7) == 7)
			_exit(0);
		if (streq(role, "two-answers")) {
			say_frame("hook \"contract\"\nok {\"forged\":1}\n");
			say_frame("hook \"contract\"\nok {\"forged\":2}\n");
		}
	}
	_exit(0);
}

/* The hook tells what happens: "hang" is never answered, "slow" after a while, others at once. So is a
 * bundle, unless it has a hang.lua. */
_Noreturn static void play_moody(void)
{
	char frame[4096];
	ssize_t n;

	while ((n = read(CHANNEL, frame, sizeof(frame) - 1)) > 0) {
		frame[n] = '\0';
		if (strstr(frame + FRAME_HEADER, "[\"hang\"]") != NULL ||
		    strstr(frame + FRAME_HEADER, "hang.lua") != NULL)
			continue;
		if (strstr(frame + FRAME_HEADER, "[\"slow\"]") == NULL) {
			say_frame("hook \"contract\"\nok {}\n");
			continue;
		}
		usleep(100000); /* others wait meanwhile, so that another worker is started */
		say_frame("hook \"slow\"\nok {}\n");
	}
	_exit(0);
}

/* What a worker may not do once it is confined; it tells by its end. */
_Noreturn static void play_outlaw(const char *role)
{
	struct err err = ERR_INIT;

	if (confine(CHANNEL, &err) < 0)
		_exit(8);
	if (streq(role, "opens"))
		open("/etc/passwd", O_RDONLY);
	if (streq(role, "connects"))
		socket(AF_INET, SOCK_STREAM, 0);
	if (streq(role, "forks"))
		fork();
	if (streq(role, "executes"))
		execl("/bin/true", "true", NULL);
	if (streq(role, "writes-stdout") && write(STDOUT_FILENO, "x", 1) < 0)
		_exit(9);
	_exit(0);
}

/* Descriptors and environment as the worker finds them: "ok" or what is wrong. */
_Noreturn static void play_census(void)
{
	const char *found = "ok {\"clean\":true}\n";
	struct stat entry;
	char bytes[64];

	for (int fd = 0; fd < 256; fd++)
		if ((fstat(fd, &entry) == 0) != (fd <= CHANNEL))
			found = "ok {\"descriptor\":true}\n";
	if (environ[0] != NULL)
		found = "ok {\"environment\":true}\n";
	if (read(CHANNEL, bytes, sizeof(bytes)) > 0) {
		auto_free char *text = xasprintf("hook \"contract\"\n%s", found);

		say_frame(text);
	}
	_exit(0);
}

/* The role is in the file that is named after the parent. */
static void set_role_path(pid_t test)
{
	snprintf(role_path, sizeof(role_path), "/tmp/policy-host-test-%d", (int)test);
}

_Noreturn static void be_the_worker(void)
{
	char role[32] = "";
	FILE *file;

	set_role_path(getppid());
	file = fopen(role_path, "re");
	if (file != NULL && fscanf(file, "%31s", role) != 1)
		role[0] = '\0';
	if (file != NULL)
		fclose(file);
	if (role[0] == '\0')
		policy_worker_main();
	if (streq(role, "census"))
		play_census();
	if (streq(role, "moody"))
		play_moody();
	if (strstr("opens connects forks executes writes-stdout", role) != NULL)
		play_outlaw(role);
	play(role);
}

static void set_role(const char *role)
{
	FILE *file = fopen(role_path, "we");

	assert_non_null(file);
	fputs(role, file);
	fclose(file);
}

/* ---- the test's part ---- */

struct scene {
	struct loop *loop;
	struct policy_host *host;
	struct timer *safety, *look;
	int waiting; /* calls that have not come back */
	int calls;
	int most_workers; /* when a call came back */
	struct json *reply;
	struct err err;
};

static void look_again(void *arg);

static void too_late(void *arg)
{
	(void)arg;
	fprintf(stderr, "the loop did not end\n");
	abort();
}

static int set_up_with(void **state, int64_t deadline_ms)
{
	const struct policy_options options = {.deadline_ms = deadline_ms, .rest_ms = 50};
	struct scene *s = xcalloc(1, sizeof(*s));

	set_role("");
	s->loop = loop_new();
	s->host = policy_host_new(s->loop, &options);
	s->safety = timer_new(s->loop, too_late, s);
	timer_set(s->safety, SAFETY_MS);
	s->look = timer_new(s->loop, look_again, s);
	*state = s;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, SAFETY_MS / 2);
}

static int set_up_impatient(void **state)
{
	return set_up_with(state, 300);
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	policy_host_free(s->host);
	timer_free(s->safety);
	timer_free(s->look);
	loop_free(s->loop);
	json_free(s->reply);
	free(s);
	unlink(role_path);
	return 0;
}

static void on_done(void *arg, const struct json *reply, const struct err *err)
{
	struct scene *s = arg;

	assert_true((reply == NULL) == (err != NULL));
	json_free(s->reply);
	s->reply = json_copy(reply);
	s->err = (struct err)ERR_INIT;
	if (err != NULL)
		s->err = *err;
	s->calls++;
	if (policy_workers(s->host) > s->most_workers)
		s->most_workers = policy_workers(s->host);
	if (--s->waiting == 0)
		loop_stop(s->loop);
}

/* The run has the name of the hooks: it meets the same at each call. */
static struct json *request_of(const char *hooks)
{
	auto_json struct json *names = json_of(hooks);

	return json_build(
	    "{'hooks': %j, 'run': {'metadata': {'name': %s}, 'spec': {'parameters': {'a': 'b'}}}, "
	    "'config': {'spec': {'modelUrl': 'u', 'storage': {'input': {'n': 1e400}}}}, "
	    "'job': {'id': 'i', 'name': 'n'}, 'pods': [], 'now': '2026-11-24T10:00:00Z'}",
	    names, hooks);
}

static struct policy_call *start_eval_named(struct scene *s, const char *name, const char *hooks)
{
	auto_json struct json *request = request_of(hooks);

	s->waiting++;
	return policy_eval(s->host, name, request, on_done, s);
}

static struct policy_call *start_eval(struct scene *s, const char *hooks)
{
	return start_eval_named(s, "", hooks);
}

static void eval(struct scene *s, const char *hooks)
{
	start_eval(s, hooks);
	loop_run(s->loop);
}

static void eval_named(struct scene *s, const char *name, const char *hooks)
{
	start_eval_named(s, name, hooks);
	loop_run(s->loop);
}

static void load_named(struct scene *s, const char *name, bool over, const char *file,
		       const char *text)
{
	auto_json struct json *files = json_build("{%s: %s}", file, text);

	s->waiting++;
	policy_load(s->host, name, over, files, on_done, s);
	loop_run(s->loop);
}

static void load(struct scene *s, const char *file, const char *text)
{
	load_named(s, "", false, file, text);
}

static const struct json *result(const struct scene *s, const char *hook)
{
	return json_at(s->reply, "results", hook);
}

static void assert_error(const struct scene *s, const char *hook, const char *kind,
			 const char *message)
{
	const struct json *error = json_get(result(s, hook), "error");

	assert_string_equal(json_get_str(error, "kind", "none"), kind);
	if (strstr(json_get_str(error, "message", ""), message) == NULL)
		assert_string_equal(json_get_str(error, "message", ""), message);
}

static void assert_serves(struct scene *s)
{
	set_role("");
	eval(s, "[\"contract\"]");
	assert_non_null(json_at(s->reply, "results", "contract", "ok"));
}

/* ---- bad workers ---- */

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

static void a_large_input_passes(void **state)
{
	struct scene *s = *state;
	auto_json struct json *request =
	    json_of("{\"hooks\":[\"contract\"],\"run\":{\"spec\":{}},"
		    "\"config\":{\"spec\":{\"storage\":{}}},\"job\":{}}");
	struct json *input =
	    json_obj(json_obj(json_obj(json_mut(request, "config"), "spec"), "storage"), "input");

	for (int i = 0; i < 20000; i++) {
		auto_free char *key = xasprintf("key-%d", i);

		json_set_str(input, key, "0123456789");
	}
	s->waiting++;
	policy_eval(s->host, "", request, on_done, s);
	loop_run(s->loop);
	assert_true(json_equal(input, json_at(s->reply, "results", "contract", "ok", "input")));
}

static void too_much_memory_in_the_worker_is_a_limit(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "return {contract = function() local t = {} while true do\n t[#t + 1] = "
	     "('x'):rep(100000) .. #t end end}");
	for (int i = 0; i < 3; i++) {
		eval(s, "[\"contract\", \"validate\"]");
		assert_error(s, "contract", "limit", "needs more than 32768 KiB of memory");
		assert_non_null(json_get(result(s, "validate"), "ok"));
	}
}

/* ---- several workers ---- */

/* Nobody waits for these. */
static void start_hanging(struct scene *s, int count)
{
	for (int i = 0; i < count; i++) {
		start_eval(s, "[\"hang\"]");
		s->waiting--;
	}
}

static void other_runs_are_served_while_workers_hang(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	for (int hung = 1; hung <= 3; hung++) {
		start_hanging(s, 1);
		s->calls = 0;
		eval(s, "[\"contract\"]");
		assert_int_equal(s->calls, 1);
		assert_non_null(json_get(result(s, "contract"), "ok"));
		assert_int_equal(policy_workers(s->host), hung + 1);
	}
}

static void there_are_four_workers_at_most(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	for (int i = 0; i < 6; i++)
		start_eval(s, "[\"hang\"]");
	eval(s, "[\"contract\"]");
	assert_int_equal(s->calls, 7);
	assert_true(s->most_workers > 1 && s->most_workers <= 4);
}

static void what_hangs_again_and_again_has_one_worker(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	eval(s, "[\"hang\"]");
	start_hanging(s, 4);
	s->calls = 0;
	eval(s, "[\"contract\"]");
	assert_int_equal(s->calls, 1);
	assert_non_null(json_get(result(s, "contract"), "ok"));
}

static bool is_busy(const struct scene *s, const char *name, const char *hooks)
{
	auto_json struct json *request = request_of(hooks);

	return policy_busy(s->host, name, request);
}

static void what_would_wait_for_others_like_it_is_told(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	assert_false(is_busy(s, "", "[\"hang\"]"));
	start_hanging(s, 1);
	assert_false(is_busy(s, "", "[\"hang\"]")); /* nobody knows yet */
	eval(s, "[\"hang\"]");
	assert_false(is_busy(s, "", "[\"hang\"]"));
	start_hanging(s, 1);
	assert_true(is_busy(s, "", "[\"hang\"]")); /* it waits for a worker */
	eval(s, "[\"contract\"]");
	assert_true(is_busy(s, "", "[\"hang\"]")); /* it has one */
	assert_false(is_busy(s, "", "[\"contract\"]"));
	assert_false(is_busy(s, "named", "[\"hang\"]"));
}

static void a_bundle_for_all_does_not_wait_for_others(void **state)
{
	struct scene *s = *state;
	auto_json struct json *files = json_build("{'hang.lua': 'return 1'}");

	set_role("moody");
	for (int i = 0; i < 2; i++)
		policy_load(s->host, "named", true, files, NULL, NULL);
	load(s, "contract.lua", "");
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->err.kind, ERR_NONE);
	assert_false(policy_has(s->host, "named"));
}

static void a_bundle_for_all_is_a_new_chance(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	eval(s, "[\"hang\"]");
	load_named(s, "named", true, "contract.lua", "");
	start_hanging(s, 1);
	assert_true(is_busy(s, "", "[\"hang\"]"));
	load(s, "contract.lua", "");
	assert_false(is_busy(s, "", "[\"hang\"]"));
}

static void look_again(void *arg)
{
	struct scene *s = arg;

	if (policy_workers(s->host) == 1)
		loop_stop(s->loop);
	else
		timer_set(s->look, 5);
}

static void a_worker_too_many_ends_after_a_rest(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	for (int i = 0; i < 3; i++)
		start_eval(s, "[\"slow\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 3);
	assert_true(s->most_workers > 1);
	timer_set(s->look, 5);
	loop_run(s->loop);
	eval(s, "[\"contract\"]");
	assert_int_equal(policy_workers(s->host), 1);
}

/* ---- attacks that only the worker's clock ends ---- */

static void hangs_inside_one_call_are_ended(void **state)
{
	static const char *const attacks[] = {
	    "string.find(('a'):rep(30000), ('.-'):rep(6) .. 'b')",
	    "string.find(('a'):rep(200), ('a*'):rep(12) .. 'b')",
	    "string.find(('a'):rep(400), '(a*)(a*)(a*)(a*)%1%2%3%4b')",
	    "string.find(('a'):rep(3000000), '(.-)b')",
	    "string.find(('a'):rep(8000000), ('a'):rep(4000000) .. 'b', 1, true)",
	    "schema.check({a = ('a'):rep(30000)}, {a = {pattern = ('.-'):rep(6) .. 'b'}})",
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		auto_free char *text =
		    xasprintf("return {\n contract = function()\n\n %s\nend\n}", attacks[i]);

		load(s, "contract.lua", text);
		assert_int_equal(s->err.kind, ERR_NONE);
		eval(s, "[\"validate\", \"contract\", \"status\"]");
		assert_non_null(json_get(result(s, "validate"), "ok"));
		assert_error(s, "contract", "limit",
			     "contract.lua:4: the script used more than 500 ms of processor time");
		assert_int_equal(json_get_int(json_get(result(s, "contract"), "error"), "line", 0),
				 4);
		assert_error(s, "status", "limit",
			     "not run: the policy worker was ended, while it ran contract");
		/* The next worker has the bundle that is in force. */
		eval(s, "[\"validate\"]");
		assert_non_null(json_get(result(s, "validate"), "ok"));
		assert_string_equal(json_str(json_get(s->reply, "digest")),
				    policy_digest(s->host, ""));
	}
}

/* The deadline is shorter than the time that a script may use: last words of the worker. */
static void the_deadline_names_the_line(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "return {\n contract = function()\n string.find(('a'):rep(30000), ('.-'):rep(6) .. "
	     "'b')\nend\n}");
	eval(s, "[\"validate\", \"contract\", \"status\"]");
	assert_non_null(json_get(result(s, "validate"), "ok"));
	assert_error(s, "contract", "limit",
		     "contract.lua:3: the script did not end before the deadline of its request, "
		     "while it ran contract");
	assert_int_equal(json_get_int(json_get(result(s, "contract"), "error"), "line", 0), 3);
	assert_error(s, "status", "limit", "not run: ");
	load(s, "contract.lua", "\nstring.find(('a'):rep(30000), ('.-'):rep(6) .. 'b') return {}");
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_true(has_prefix(s->err.msg, "contract.lua:2: the script did not end before the "
					   "deadline of its request"));
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

static void slow_work_between_calls_ends_politely(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "return { contract = function() local s = ('x'):rep(2000000)\n"
	     "while true do pcall(function() while true do local t = s .. s end end) end end }");
	eval(s, "[\"contract\", \"validate\"]");
	assert_error(s, "contract", "limit", "contract.lua:2: the script used more than 500 ms");
	assert_non_null(json_get(result(s, "validate"), "ok"));
}

static void a_bundle_that_hangs_is_not_taken(void **state)
{
	struct scene *s = *state;
	auto_free char *before = xstrdup(policy_digest(s->host, ""));

	load(s, "contract.lua", "\nstring.find(('a'):rep(30000), ('.-'):rep(6) .. 'b') return {}");
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_true(has_prefix(s->err.msg, "contract.lua:2: the script used more than"));
	assert_string_equal(policy_digest(s->host, ""), before);
	assert_serves(s);
}

/* ---- the interface ---- */

static void the_default_bundle_is_in_force_at_first(void **state)
{
	struct scene *s = *state;
	const struct json *contract;

	eval(s, "[\"validate\", \"contract\", \"status\"]");
	contract = json_get(result(s, "contract"), "ok");
	assert_string_equal(json_get_str(contract, "jobId", ""), "i");
	assert_string_equal(json_number_text(json_at(contract, "input", "n")), "1e400");
	assert_int_equal(json_len(json_get(result(s, "validate"), "ok")), 0);
	assert_string_equal(json_get_str(json_get(result(s, "status"), "ok"), "phase", ""),
			    "Pending");
	assert_string_equal(json_str(json_get(s->reply, "digest")), policy_digest(s->host, ""));
}

static void a_good_bundle_replaces_the_one_before(void **state)
{
	struct scene *s = *state;
	auto_free char *before = xstrdup(policy_digest(s->host, ""));

	load(s, "contract.lua", "return {contract = function() return {new = true} end}");
	assert_string_equal(json_str(json_get(s->reply, "digest")), policy_digest(s->host, ""));
	assert_string_not_equal(policy_digest(s->host, ""), before);
	eval(s, "[\"contract\"]");
	assert_true(json_is_true(json_at(s->reply, "results", "contract", "ok", "new")));
}

static void a_broken_bundle_leaves_the_one_before(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua", "return {contract = function() return {old = true} end}");
	load(s, "contract.lua", "\nreturn {contract = function( end}");
	assert_int_equal(s->err.kind, ERR_INVALID);
	assert_true(has_prefix(s->err.msg, "contract.lua:2: "));
	load(s, "contracts.lua", "return {}");
	assert_true(has_prefix(s->err.msg, "contracts.lua: no other file says require"));
	eval(s, "[\"contract\"]");
	assert_true(json_is_true(json_at(s->reply, "results", "contract", "ok", "old")));
}

static void script_errors_and_rejections_are_told_apart(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua", "return {contract = function() reject('no model') end}");
	eval(s, "[\"contract\"]");
	assert_error(s, "contract", "reject", "no model");
	load(s, "contract.lua", "return {contract = function(run)\n return run.x.y end}");
	eval(s, "[\"contract\"]");
	assert_error(s, "contract", "script", "contract.lua:2: attempt to index a nil value");
	assert_non_null(
	    strstr(json_str(json_at(s->reply, "results", "contract", "error", "traceback")),
		   "contract.lua:2:"));
}

static void nothing_is_kept_from_one_evaluation_to_the_next(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "local n = 0 return {contract = function() n = n + 1 return {n = n} end}");
	for (int i = 0; i < 3; i++) {
		eval(s, "[\"contract\"]");
		assert_int_equal(json_get_int(json_get(result(s, "contract"), "ok"), "n", 0), 1);
	}
}

static void a_deep_object_passes_both_ways(void **state)
{
	struct scene *s = *state;
	struct buf text = BUF_INIT(1 << 16);
	auto_json struct json *request =
	    json_of("{\"hooks\":[\"contract\"],\"run\":{\"spec\":{}}}");
	auto_json struct json *run = NULL;

	load(s, "contract.lua", "return {contract = function(run) return run.spec end}");
	for (int i = 0; i < 63; i++)
		buf_adds(&text, "{\"spec\":");
	buf_adds(&text, "{}");
	for (int i = 0; i < 63; i++)
		buf_adds(&text, "}");
	run = json_of(text.data);
	json_set(request, "run", json_copy(run));
	buf_done(&text);
	s->waiting++;
	policy_eval(s->host, "", request, on_done, s);
	loop_run(s->loop);
	assert_true(json_equal(json_get(run, "spec"), json_get(result(s, "contract"), "ok")));
}

/* ---- named bundles ---- */

#define CONTRACT(value) "return {contract = function() return {from = '" value "'} end}"

static void assert_from(struct scene *s, const char *name, const char *from)
{
	eval_named(s, name, "[\"contract\", \"validate\"]");
	assert_string_equal(json_get_str(json_get(result(s, "contract"), "ok"), "from", "?"), from);
	assert_non_null(json_get(result(s, "validate"), "ok"));
	assert_string_equal(json_str(json_get(s->reply, "digest")), policy_digest(s->host, name));
}

static void bundles_have_names(void **state)
{
	struct scene *s = *state;

	assert_false(policy_has(s->host, "a"));
	assert_null(policy_digest(s->host, "a"));
	eval_named(s, "a", "[\"contract\"]");
	assert_int_equal(s->err.kind, ERR_NOT_FOUND);
	assert_string_equal(s->err.msg, "there is no policy bundle a");

	load(s, "contract.lua", CONTRACT("all"));
	load_named(s, "a", false, "contract.lua", CONTRACT("a"));
	load_named(s, "b", false, "job.lua", "return {shape = function(m) return m end}");
	assert_true(policy_has(s->host, "a"));
	assert_true(policy_shapes(s->host, "b"));
	assert_false(policy_shapes(s->host, "a"));
	assert_from(s, "a", "a");
	assert_from(s, "", "all");
	assert_from(s, "b", "?"); /* the default one */
	load_named(s, "a", false, "contract.lua", "return {");
	assert_from(s, "a", "a");
	load_named(s, "a", false, "contract.lua", CONTRACT("a2"));
	assert_from(s, "a", "a2");

	policy_forget(s->host, "a");
	policy_forget(s->host, "a");
	policy_forget(s->host, "");
	assert_false(policy_has(s->host, "a"));
	eval_named(s, "a", "[\"contract\"]");
	assert_int_equal(s->err.kind, ERR_NOT_FOUND);
	assert_from(s, "", "all");
	load_named(s, "a", false, "contract.lua", CONTRACT("a3"));
	assert_from(s, "a", "a3");
}

static void a_bundle_laid_over_follows_the_one_in_force(void **state)
{
	struct scene *s = *state;
	auto_free char *before = NULL;

	load_named(s, "over", true, "status.lua",
		   "local phase = require 'phase' return {status = function() return phase end}");
	assert_int_equal(s->err.kind, ERR_INVALID); /* no such module yet */
	load_named(s, "over", true, "parameters.lua", "return {validate = function() end}");
	before = xstrdup(policy_digest(s->host, "over"));
	assert_from(s, "over", "?");
	load(s, "contract.lua", CONTRACT("all"));
	assert_from(s, "over", "all");
	assert_string_not_equal(policy_digest(s->host, "over"), before);
	load(s, "job.lua", "return {shape = function(m) return m end}");
	assert_true(policy_shapes(s->host, "over"));
	assert_from(s, "over", "?");
	/* A new worker gets both. */
	set_role("");
	load(s, "contract.lua", CONTRACT("again"));
	load_named(s, "over", true, "status.lua",
		   "return {status = function() string.find(('a'):rep(30000), ('.-'):rep(6) .. "
		   "'b') end}");
	eval_named(s, "over", "[\"status\"]");
	assert_error(s, "status", "limit", "status.lua:1: ");
	assert_from(s, "over", "again");
}

static void the_number_of_named_bundles_is_limited(void **state)
{
	struct scene *s = *state;
	char name[SHELF_NAME_MAX + 2];

	for (int i = 0; i < SHELF_NAMED_MAX; i++) {
		snprintf(name, sizeof(name), "bundle-%d", i);
		load_named(s, name, true, "contract.lua", CONTRACT("x"));
		assert_int_equal(s->err.kind, ERR_NONE);
	}
	load_named(s, "one-more", true, "contract.lua", CONTRACT("x"));
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_string_equal(s->err.msg,
			    "no room for the policy bundle one-more: 256 named ones are "
			    "loaded, which is the limit");
	load_named(s, name, true, "contract.lua", CONTRACT("y"));
	assert_from(s, name, "y");
	policy_forget(s->host, name);

	memset(name, 'n', sizeof(name) - 1);
	name[SHELF_NAME_MAX + 1] = '\0';
	load_named(s, name, true, "contract.lua", CONTRACT("x"));
	assert_int_equal(s->err.kind, ERR_LIMIT);
	name[SHELF_NAME_MAX] = '\0';
	load_named(s, name, true, "contract.lua", CONTRACT("x"));
	assert_from(s, name, "x");
}

static void the_size_of_all_named_bundles_is_limited(void **state)
{
	auto_free char *text = xcalloc(1, POLICY_BUNDLE_MAX + 1);
	auto_json struct json *files = NULL;
	struct shelf *shelf = shelf_new();
	struct err err = ERR_INIT;
	struct bundle *bundle;

	(void)state;
	memset(text, ' ', POLICY_BUNDLE_MAX);
	files = json_build("{'contract.lua': %s}", text);
	for (int i = 0; i < SHELF_BYTES_MAX / POLICY_BUNDLE_MAX; i++) {
		auto_free char *name = xasprintf("b%d", i);

		bundle = shelf_make(shelf, true, files, &err);
		assert_int_equal(shelf_room(shelf, name, bundle, &err), 0);
		shelf_put(shelf, name, true, bundle);
	}
	bundle = bundle_of("x");
	assert_int_equal(shelf_room(shelf, "more", bundle, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(shelf_room(shelf, "b0", bundle, &err), 0); /* in place of a larger one */
	shelf_forget(shelf, "b1");
	assert_int_equal(shelf_room(shelf, "more", bundle, &err), 0);
	bundle_free(bundle);
	shelf_free(shelf);
}

static void odd_requests_are_errors(void **state)
{
	static const char *const hooks[] = {"[]", "{}", "null", "[1]",
					    "[\"contract\",\"contract\"]"};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		eval(s, hooks[i]);
		assert_int_equal(s->err.kind, ERR_INVALID);
	}
	eval(s, "[\"colour\"]");
	assert_error(s, "colour", "script", "unknown hook");
}

static void a_request_that_is_too_large_is_an_error(void **state)
{
	struct scene *s = *state;
	auto_free char *big = xcalloc(1, FRAME_MAX + 1);
	auto_json struct json *request = NULL;

	memset(big, 'x', FRAME_MAX);
	request = json_build("{'hooks': ['contract'], 'run': %s}", big);
	s->waiting++;
	policy_eval(s->host, "", request, on_done, s);
	loop_run(s->loop);
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_serves(s);
}

static void requests_wait_and_can_be_cancelled(void **state)
{
	struct scene *s = *state;
	struct policy_call *calls[5];

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = start_eval(s, "[\"contract\"]");
	policy_cancel(calls[0]);
	policy_cancel(calls[2]);
	policy_cancel(calls[4]);
	s->waiting -= 3;
	start_eval(s, "[\"validate\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 3);
}

static void cancel_first(void *arg)
{
	struct policy_call **call = arg;

	policy_cancel(*call);
}

static void a_call_in_the_worker_can_be_cancelled(void **state)
{
	struct scene *s = *state;
	struct policy_call *call = start_eval(s, "[\"contract\"]");
	struct timer *timer = timer_new(s->loop, cancel_first, &call);

	timer_set(timer, 0); /* after the turn that sends it */
	s->waiting--;
	start_eval(s, "[\"validate\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 1);
	timer_free(timer);
}

/* Nor does it take away what had the name before. */
static void a_cancelled_load_has_no_effect(void **state)
{
	struct scene *s = *state;
	auto_json struct json *files = json_build("{'contract.lua': %s}", CONTRACT("new"));
	struct timer *timer = NULL;

	load_named(s, "old", false, "contract.lua", CONTRACT("old"));
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "old" : "fresh";
		struct policy_call *call = policy_load(s->host, name, false, files, on_done, s);

		timer = timer_new(s->loop, cancel_first, &call);
		timer_set(timer, 0);
		eval_named(s, "old", "[\"contract\"]");
		load_named(s, "other", false, "contract.lua", CONTRACT("x")); /* after it */
		timer_free(timer);
	}
	assert_from(s, "old", "old");
	assert_false(policy_has(s->host, "fresh"));
}

static void free_host(void *arg, const struct json *reply, const struct err *err)
{
	struct scene *s = arg;

	(void)reply, (void)err;
	policy_host_free(s->host);
	s->host = NULL;
	s->calls = 0;
	loop_stop(s->loop);
}

static void a_callback_may_free_the_host(void **state)
{
	struct scene *s = *state;
	auto_json struct json *request = json_of("{\"hooks\":[\"contract\"]}");

	s->waiting++; /* only free_host() ends the loop */
	policy_eval(s->host, "", request, free_host, s);
	start_eval(s, "[\"contract\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_worker_that_hangs_is_replaced, set_up_impatient,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_bad_worker_costs_one_request, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_answer_too_many_is_not_taken_for_the_next, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_load_that_loses_its_worker_fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_an_error, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(the_worker_inherits_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_confined_worker_is_killed_for_what_it_may_not_do,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_confined_worker_can_do_its_work, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_large_input_passes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(too_much_memory_in_the_worker_is_a_limit, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(hangs_inside_one_call_are_ended, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_deadline_names_the_line, set_up_impatient,
					    tear_down),
	    cmocka_unit_test_setup_teardown(the_worker_has_a_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(slow_work_between_calls_ends_politely, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_bundle_that_hangs_is_not_taken, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_default_bundle_is_in_force_at_first, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_good_bundle_replaces_the_one_before, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_broken_bundle_leaves_the_one_before, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(script_errors_and_rejections_are_told_apart, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(nothing_is_kept_from_one_evaluation_to_the_next, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_deep_object_passes_both_ways, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(other_runs_are_served_while_workers_hang, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(there_are_four_workers_at_most, set_up_impatient,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_would_wait_for_others_like_it_is_told,
					    set_up_impatient, tear_down),
	    cmocka_unit_test_setup_teardown(a_bundle_for_all_does_not_wait_for_others, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_bundle_for_all_is_a_new_chance, set_up_impatient,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_hangs_again_and_again_has_one_worker,
					    set_up_impatient, tear_down),
	    cmocka_unit_test_setup_teardown(a_worker_too_many_ends_after_a_rest, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(bundles_have_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_bundle_laid_over_follows_the_one_in_force, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(the_number_of_named_bundles_is_limited, set_up,
					    tear_down),
	    cmocka_unit_test(the_size_of_all_named_bundles_is_limited),
	    cmocka_unit_test_setup_teardown(odd_requests_are_errors, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_request_that_is_too_large_is_an_error, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(requests_wait_and_can_be_cancelled, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_cancelled_load_has_no_effect, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_call_in_the_worker_can_be_cancelled, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_callback_may_free_the_host, set_up, tear_down),
	};

	if (argc > 1 && streq(argv[1], "policy-worker"))
		be_the_worker();
	set_role_path(getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
