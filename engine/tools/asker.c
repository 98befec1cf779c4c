#include "tools/asker.h"

#include "policy/host.h"

struct asker {
	struct loop *loop;
	struct policy_host *host;
	struct json *reply; /* of the call that has ended last */
	struct err err;
};

struct asker *asker_new(void)
{
	struct asker *asker = xcalloc(1, sizeof(*asker));

	asker->loop = loop_new();
	asker->host = policy_host_new(asker->loop, &(struct policy_options){0});
	return asker;
}

void asker_free(struct asker *asker)
{
	if (asker == NULL)
		return;
	policy_host_free(asker->host);
	loop_free(asker->loop);
	json_free(asker->reply);
	free(asker);
}

static void done(void *arg, const struct json *reply, const struct err *err)
{
	struct asker *asker = arg;

	json_free(asker->reply);
	asker->reply = reply != NULL ? json_copy(reply) : NULL;
	asker->err = err != NULL ? *err : (struct err)ERR_INIT;
	loop_stop(asker->loop);
}

/* A call was started: wait for its end. */
static int wait_for_it(struct asker *asker, struct err *err)
{
	loop_run(asker->loop);
	if (asker->err.kind == ERR_NONE)
		return 0;
	*err = asker->err;
	return -1;
}

int asker_load(struct asker *asker, const char *name, const struct json *files, struct err *err)
{
	policy_load(asker->host, name, *name != '\0', files, done, asker);
	return wait_for_it(asker, err);
}

bool asker_has(const struct asker *asker, const char *name)
{
	return policy_has(asker->host, name);
}

struct json *asker_eval(struct asker *asker, const char *name, const struct json *question,
			struct err *err)
{
	policy_eval(asker->host, name, question, done, asker);
	return wait_for_it(asker, err) < 0 ? NULL : json_take(asker->reply, "results");
}

const char *asker_digest(const struct asker *asker, const char *name)
{
	return policy_digest(asker->host, name);
}
