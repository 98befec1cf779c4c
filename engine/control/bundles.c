#include "control/bundles.h"

#include "base/log.h"
#include "control/config.h"
#include "control/names.h"
#include "control/policies.h"
#include "control/policyset.h"
#include "control/shadows.h"

/* The host holds 256 bundles beside the one for all. */
enum { CONFIGS_MAX = 256 - SHADOWS_MAX };

struct bundles {
	struct bundles_deps deps;
	struct bundles_spec spec;
	struct policymap_env env;
	struct policies *policies;
	struct policyset *configs; /* NULL: configs have no policies of their own */
	struct shadows *shadows;
	bool settled, ready;
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

static void judged(void *arg, const char *name, const char *taken, const char *digest,
		   const struct err *err)
{
	struct bundles *b = arg;
	auto_free char *message = xasprintf("policies %s", taken);

	metrics_add(b->deps.metrics, METRIC_POLICY_LOADS,
		    err == NULL ? "result=\"active\"" : "result=\"refused\"", 1);
	if (err == NULL)
		log_info(message, "configmap", name, "digest", digest);
	else
		log_error("policies refused", "configmap", name, "error", err->msg, "active",
			  digest);
}

/* ---- what is there ---- */

bool bundles_ready(const struct bundles *b)
{
	return b->settled && (b->configs == NULL || policyset_ready(b->configs));
}

static void look_ready(void *arg)
{
	struct bundles *b = arg;

	if (b->ready || !bundles_ready(b))
		return;
	b->ready = true;
	b->spec.ready(b->spec.arg);
}

static void policies_settled(void *arg)
{
	struct bundles *b = arg;

	b->settled = true;
	look_ready(b);
}

/* What lies over them has another digest now. */
static void policies_changed(void *arg)
{
	struct bundles *b = arg;

	if (b->configs != NULL)
		policyset_tell(b->configs);
	b->spec.changed(b->spec.arg);
}

static void config_changed(void *arg, const char *key, struct policymap *map UNUSED)
{
	struct bundles *b = arg;

	b->spec.config_changed(b->spec.arg, key);
}

static void compared(void *arg, enum shadow_result result)
{
	static const char *const labels[] = {[SHADOW_SAME] = "result=\"same\"",
					     [SHADOW_DIFFERS] = "result=\"differs\"",
					     [SHADOW_FAILED] = "result=\"error\""};
	struct bundles *b = arg;

	metrics_add(b->deps.metrics, METRIC_POLICY_SHADOW, labels[result], 1);
}

void bundles_lead(struct bundles *b)
{
	policies_lead(b->policies);
	shadows_tell(b->shadows);
	if (b->configs != NULL)
		policyset_tell(b->configs);
}

/* ---- which one ---- */

static struct json *refusal(const char *kind, const char *message)
{
	return json_build("{'policy': {'error': {'kind': %s, 'message': %s}}}", kind, message);
}

static char *why_unavailable(const struct bundles *b, const char *key)
{
	const char *slash = strchr(key, '/');
	const struct policymap *map = policyset_find(b->configs, key);

	if (map == NULL && policyset_trouble(b->configs) != NULL)
		return xasprintf("the config's policies cannot be read: %s",
				 policyset_trouble(b->configs));
	if (map == NULL)
		return xasprintf("the config's policies: there is no ConfigMap \"%s\" with the "
				 "label " LABEL_POLICY_MODE "=config in namespace \"%.*s\"",
				 slash + 1, (int)(slash - key), key);
	return xasprintf("the config's policies, ConfigMap \"%s\": %s", slash + 1,
			 policymap_error(map) != NULL ? policymap_error(map)
						      : "they are being checked");
}

char *bundles_of(const struct bundles *b, const struct json *config, struct json **results)
{
	auto_free char *key = config_policy_key(config), *name = NULL, *message = NULL;

	if (key == NULL)
		return xstrdup("");
	if (b->configs == NULL) {
		*results =
		    refusal("not-allowed",
			    "the config has policies of its own (spec.policyRef), which this "
			    "controller does not take: start it with --config-policies=true "
			    "(policies.perConfig of its chart), or remove policyRef");
		return NULL;
	}
	name = policyset_bundle(b->configs, key);
	if (policyset_find(b->configs, key) != NULL && policy_has(b->deps.host, name))
		return steal(name);
	if (policyset_checking(b->configs, key))
		return NULL;
	message = why_unavailable(b, key);
	*results = refusal("unavailable", message);
	return NULL;
}

void bundles_asked(struct bundles *b)
{
	shadows_pause(b->shadows);
}

void bundles_answered(struct bundles *b, const char *bundle, const struct observed *o,
		      const struct json *results)
{
	if (results != NULL && *bundle == '\0')
		shadows_consider(b->shadows, o, results);
	shadows_resume(b->shadows);
}

/* ---- life ---- */

static void start(struct bundles *b)
{
	const struct bundles_spec *spec = &b->spec;
	struct loop *loop = b->deps.loop;

	b->policies = policies_new(loop, &b->env,
				   &(struct policies_spec){.namespace = spec->namespace,
							   .name = spec->name,
							   .settled = policies_settled,
							   .changed = policies_changed,
							   .trouble = trouble,
							   .arg = b});
	b->shadows = shadows_new(
	    loop, &b->env,
	    &(struct shadows_spec){
		.namespace = spec->namespace, .compared = compared, .trouble = trouble, .arg = b});
	if (spec->config_policies)
		b->configs = policyset_new(loop, &b->env,
					   &(struct policyset_spec){.mode = "config",
								    .namespaces = spec->namespaces,
								    .over = true,
								    .taken = "in force",
								    .max = CONFIGS_MAX,
								    .changed = config_changed,
								    .ready = look_ready,
								    .trouble = trouble,
								    .arg = b});
}

struct bundles *bundles_new(const struct bundles_deps *deps, const struct bundles_spec *spec)
{
	struct bundles *b = xcalloc(1, sizeof(*b));

	b->deps = *deps;
	b->spec = *spec;
	b->env = (struct policymap_env){
	    .loop = deps->loop,
	    .client = deps->client,
	    .host = deps->host,
	    .may_write = may_write,
	    .trouble = trouble,
	    .emit = emit,
	    .judged = judged,
	    .arg = b,
	};
	start(b);
	return b;
}

void bundles_free(struct bundles *b)
{
	if (b == NULL)
		return;
	policies_free(b->policies);
	policyset_free(b->configs);
	shadows_free(b->shadows);
	free(b);
}
