#include "control/bundles.h"

#include "base/log.h"
#include "control/names.h"
#include "control/policies.h"

struct bundles {
	struct bundles_deps deps;
	struct bundles_spec spec;
	struct policymap_env env;
	struct policies *policies;
	bool settled;
};

/* ---- what becomes of a ConfigMap ---- */

static bool may_write(void *arg)
{
	struct bundles *b = arg;

	return b->spec.may_write(b->spec.arg);
}

static void trouble(void *arg UNUSED, const struct err *err)
{
	log_warn("policies", "kind", err_kind_name(err->kind), "error", err->msg);
}

static void emit(void *arg, const struct json *object, const char *type, const char *reason,
		 const char *message)
{
	struct bundles *b = arg;
	auto_json struct json *ref = object_reference(&KIND_CONFIGMAP, object);

	events_emit(b->deps.events, ref, type, reason, message);
}

static void judged(void *arg, const char *name, const char *digest, const struct err *err)
{
	struct bundles *b = arg;

	metrics_add(b->deps.metrics, METRIC_POLICY_LOADS,
		    err == NULL ? "result=\"active\"" : "result=\"refused\"", 1);
	if (err == NULL)
		log_info("policies in force", "configmap", name, "digest", digest);
	else
		log_error("policies refused", "configmap", name, "error", err->msg, "active",
			  digest);
}

/* ---- those for all ---- */

static void settled(void *arg)
{
	struct bundles *b = arg;

	b->settled = true;
	b->spec.ready(b->spec.arg);
}

static void changed(void *arg)
{
	struct bundles *b = arg;

	b->spec.changed(b->spec.arg);
}

bool bundles_ready(const struct bundles *b)
{
	return b->settled;
}

void bundles_lead(struct bundles *b)
{
	policies_lead(b->policies);
}

struct bundles *bundles_new(const struct bundles_deps *deps, const struct bundles_spec *spec)
{
	struct bundles *b = xcalloc(1, sizeof(*b));

	b->deps = *deps;
	b->spec = *spec;
	b->env = (struct policymap_env){
	    .client = deps->client,
	    .host = deps->host,
	    .may_write = may_write,
	    .trouble = trouble,
	    .emit = emit,
	    .judged = judged,
	    .arg = b,
	};
	b->policies = policies_new(deps->loop, &b->env,
				   &(struct policies_spec){.namespace = spec->namespace,
							   .name = spec->name,
							   .settled = settled,
							   .changed = changed,
							   .trouble = trouble,
							   .arg = b});
	return b;
}

void bundles_free(struct bundles *b)
{
	if (b == NULL)
		return;
	policies_free(b->policies);
	free(b);
}
