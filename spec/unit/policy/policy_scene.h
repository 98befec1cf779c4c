/*
 * policy_scene.h - for tests that go through a real worker: a host, and calls that wait for their
 * reply. The program is its own worker: its main() calls be_worker() first.
 */
#ifndef SPEC_POLICY_SCENE_H
#define SPEC_POLICY_SCENE_H

#include "policy_util.h"

#include "policy/host.h"

enum { SAFETY_MS = 60000 };

static const char *scene_program; /* not /proc/self/exe, which under valgrind is valgrind */

/* Does not return in a worker. */
static inline void be_worker(int argc, char **argv)
{
	if (argc > 1 && streq(argv[1], "policy-worker"))
		policy_worker_main();
	scene_program = argv[0];
}

struct scene {
	struct loop *loop;
	struct policy_host *host;
	struct timer *safety;
	struct json *reply;
	struct err err;
};

static inline void scene_too_late(void *arg)
{
	(void)arg;
	fprintf(stderr, "the loop did not end\n");
	abort();
}

static inline int scene_set_up(void **state)
{
	const struct policy_options options = {.program = scene_program,
					       .deadline_ms = SAFETY_MS / 2};
	struct scene *s = xcalloc(1, sizeof(*s));

	s->loop = loop_new();
	s->host = policy_host_new(s->loop, &options);
	s->safety = timer_new(s->loop, scene_too_late, s);
	*state = s;
	return 0;
}

static inline int scene_tear_down(void **state)
{
	struct scene *s = *state;

	policy_host_free(s->host);
	timer_free(s->safety);
	loop_free(s->loop);
	json_free(s->reply);
	free(s);
	return 0;
}

static inline void scene_done(void *arg, const struct json *reply, const struct err *err)
{
	struct scene *s = arg;

	json_free(s->reply);
	s->reply = json_copy(reply);
	s->err = (struct err)ERR_INIT;
	if (err != NULL)
		s->err = *err;
	loop_stop(s->loop);
}

static inline void scene_wait(struct scene *s)
{
	timer_set(s->safety, SAFETY_MS);
	loop_run(s->loop);
	timer_clear(s->safety);
}

/* s->reply is NULL, and s->err tells, if it was refused. */
static inline void scene_load(struct scene *s, const char *contract)
{
	auto_json struct json *files = json_build("{'contract.lua': %s}", contract);

	policy_load(s->host, "", false, files, scene_done, s);
	scene_wait(s);
}

/* The result of a hook: {"ok": ...} or {"error": ...}; the scene's. */
static inline const struct json *scene_eval(struct scene *s, const char *hook)
{
	auto_json struct json *request =
	    json_build("{'hooks': [%s], 'run': {'spec': {'parameters': {}}}, 'config': {}, "
		       "'job': {}, 'now': '2026-11-24T10:00:00Z'}",
		       hook);

	policy_eval(s->host, "", request, scene_done, s);
	scene_wait(s);
	return json_at(s->reply, "results", hook);
}

#endif
