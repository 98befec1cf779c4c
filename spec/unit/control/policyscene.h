/*
 * policyscene.h - for the tests of the ConfigMaps of policies: a real policy worker (the test
 * program started again, see scene_main), an API server as a test writes it, and what was told.
 */
#ifndef SPEC_POLICYSCENE_H
#define SPEC_POLICYSCENE_H

#include "control/policymap.h"
#include "spec/unit/kube/fakeapi.h"

#define GOOD(team) "return { contract = function() return { team = '" team "' } end }"
#define BROKEN "return {"

struct scene {
	struct fake *fake;
	struct policy_host *host;
	struct policymap_env env;
	bool may_write;
	struct buf told; /* a line for each judgement, Event and trouble */
};

static const char *scene_program;

static bool scene_may_write(void *arg)
{
	return ((struct scene *)arg)->may_write;
}

static void scene_trouble(void *arg, const struct err *err)
{
	buf_addf(&((struct scene *)arg)->told, "trouble %s\n", err->msg);
}

static void scene_emit(void *arg, const struct json *object, const char *type, const char *reason,
		       const char *message)
{
	buf_addf(&((struct scene *)arg)->told, "%s %s %s: %s\n", type, reason,
		 json_str(json_at(object, "metadata", "name")), message);
}

static void scene_judged(void *arg, const char *name, const char *taken, const char *digest UNUSED,
			 const struct err *err)
{
	buf_addf(&((struct scene *)arg)->told, "%s %s\n", name, err == NULL ? taken : "refused");
}

static inline void scene_set_up(struct scene *s, fake_fn *fn, void *arg)
{
	*s = (struct scene){.may_write = true, .told = BUF_INIT(1 << 20)};
	s->fake = fake_new(NULL, 0);
	s->fake->fn = fn;
	s->fake->arg = arg;
	s->host = policy_host_new(s->fake->loop, &(struct policy_options){.program = scene_program,
									  .deadline_ms = 20000});
	s->env = (struct policymap_env){.loop = s->fake->loop,
					.client = s->fake->client,
					.host = s->host,
					.may_write = scene_may_write,
					.trouble = scene_trouble,
					.emit = scene_emit,
					.judged = scene_judged,
					.arg = s,
					.again_ms = 1};
}

static inline void scene_tear_down(struct scene *s)
{
	policy_host_free(s->host);
	fake_free(s->fake);
	buf_done(&s->told);
}

/* Let the loop run until this is in text (that of a buf of the test), for half a minute at most. */
static inline void scene_until(struct scene *s, const struct buf *text, const char *part)
{
	for (int i = 0; i < 1500 && strstr(text->data, part) == NULL; i++)
		fake_run_for(s->fake, 20);
	if (strstr(text->data, part) == NULL)
		fail_msg("expected \"%s\" in:\n%s", part, text->data);
}

static inline size_t scene_count(const struct buf *text, const char *part)
{
	size_t count = 0;

	for (const char *p = text->data; (p = strstr(p, part)) != NULL; p += strlen(part))
		count++;
	return count;
}

/* A ConfigMap ns/NAME whose contract.lua is text. */
static inline struct json *scene_configmap(const char *name, const char *version, const char *text)
{
	return json_build("{'metadata': {'namespace': 'ns', 'name': %s, 'uid': %s,"
			  " 'resourceVersion': %s}, 'data': {'contract.lua': %s}}",
			  name, name, version, text);
}

static inline int scene_main(int argc, char **argv, int (*tests)(void))
{
	if (argc == 2 && streq(argv[1], "policy-worker"))
		policy_worker_main();
	scene_program = argv[0];
	return tests();
}

#endif
