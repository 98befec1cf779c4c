/*
 * host_scene.h - for the tests of the host: the real worker, and workers that hang, crash and answer
 * nonsense. The program is the worker as well: it is started again as `policy-worker`. What kind of
 * worker it plays is written in a file that only the test and its workers know (their environment
 * is empty).
 *
 *	static int tests(void)
 *	{
 *		const struct CMUnitTest list[] = {host_test(a_good_worker), impatient_test(a_hang)};
 *
 *		return cmocka_run_group_tests(list, NULL, NULL);
 *	}
 *
 *	int main(int argc, char **argv)
 *	{
 *		return host_main(argc, argv, tests);
 *	}
 */
#ifndef SPEC_HOST_SCENE_H
#define SPEC_HOST_SCENE_H

#include "policy_util.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "policy/confine.h"
#include "policy/frame.h"
#include "policy/host.h"

#define host_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define impatient_test(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)

enum { CHANNEL = 3, SAFETY_MS = 30000 };

static char role_path[64];

/* ---- the worker's part ---- */

static inline void say_frame(const char *text)
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

_Noreturn static inline void play(const char *role)
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
_Noreturn static inline void play_moody(void)
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
_Noreturn static inline void play_outlaw(const char *role)
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
_Noreturn static inline void play_census(void)
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
static inline void set_role_path(pid_t test)
{
	snprintf(role_path, sizeof(role_path), "/tmp/policy-host-test-%d", (int)test);
}

_Noreturn static inline void be_the_worker(void)
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

static inline void set_role(const char *role)
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

static inline void too_late(void *arg)
{
	(void)arg;
	fprintf(stderr, "the loop did not end\n");
	abort();
}

static inline int set_up_with(void **state, int64_t deadline_ms)
{
	const struct policy_options options = {.deadline_ms = deadline_ms, .rest_ms = 50};
	struct scene *s = xcalloc(1, sizeof(*s));

	set_role("");
	s->loop = loop_new();
	s->host = policy_host_new(s->loop, &options);
	s->safety = timer_new(s->loop, too_late, s);
	timer_set(s->safety, SAFETY_MS);
	*state = s;
	return 0;
}

static inline int set_up(void **state)
{
	return set_up_with(state, SAFETY_MS / 2);
}

static inline int set_up_impatient(void **state)
{
	return set_up_with(state, 300);
}

static inline int tear_down(void **state)
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

static inline void on_done(void *arg, const struct json *reply, const struct err *err)
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
static inline struct json *request_of(const char *hooks)
{
	auto_json struct json *names = json_of(hooks);

	return json_build(
	    "{'hooks': %j, 'run': {'metadata': {'name': %s}, 'spec': {'parameters': {'a': 'b'}}}, "
	    "'config': {'spec': {'modelUrl': 'u', 'storage': {'input': {'n': 1e400}}}}, "
	    "'job': {'id': 'i', 'name': 'n'}, 'pods': [], 'now': '2026-11-24T10:00:00Z'}",
	    names, hooks);
}

static inline struct policy_call *start_eval_named(struct scene *s, const char *name,
						   const char *hooks)
{
	auto_json struct json *request = request_of(hooks);

	s->waiting++;
	return policy_eval(s->host, name, request, on_done, s);
}

static inline struct policy_call *start_eval(struct scene *s, const char *hooks)
{
	return start_eval_named(s, "", hooks);
}

static inline void eval(struct scene *s, const char *hooks)
{
	start_eval(s, hooks);
	loop_run(s->loop);
}

static inline void eval_named(struct scene *s, const char *name, const char *hooks)
{
	start_eval_named(s, name, hooks);
	loop_run(s->loop);
}

static inline void load_named(struct scene *s, const char *name, bool over, const char *file,
			      const char *text)
{
	auto_json struct json *files = json_build("{%s: %s}", file, text);

	s->waiting++;
	policy_load(s->host, name, over, files, on_done, s);
	loop_run(s->loop);
}

static inline void load(struct scene *s, const char *file, const char *text)
{
	load_named(s, "", false, file, text);
}

static inline const struct json *result(const struct scene *s, const char *hook)
{
	return json_at(s->reply, "results", hook);
}

static inline void assert_error(const struct scene *s, const char *hook, const char *kind,
				const char *message)
{
	const struct json *error = json_get(result(s, hook), "error");

	assert_string_equal(json_get_str(error, "kind", "none"), kind);
	if (strstr(json_get_str(error, "message", ""), message) == NULL)
		assert_string_equal(json_get_str(error, "message", ""), message);
}

static inline void assert_serves(struct scene *s)
{
	set_role("");
	eval(s, "[\"contract\"]");
	assert_non_null(json_at(s->reply, "results", "contract", "ok"));
}

/* ---- bundles that tell where they are from ---- */

#define CONTRACT(value) "return {contract = function() return {from = '" value "'} end}"

static inline void assert_from(struct scene *s, const char *name, const char *from)
{
	eval_named(s, name, "[\"contract\", \"validate\"]");
	assert_string_equal(json_get_str(json_get(result(s, "contract"), "ok"), "from", "?"), from);
	assert_non_null(json_get(result(s, "validate"), "ok"));
	assert_string_equal(json_str(json_get(s->reply, "digest")), policy_digest(s->host, name));
}

static inline int host_main(int argc, char **argv, int (*tests)(void))
{
	if (argc > 1 && streq(argv[1], "policy-worker"))
		be_the_worker();
	set_role_path(getpid());
	return tests();
}

#endif
