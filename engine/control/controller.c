#include "control/controller.h"

#include <malloc.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "control/bundles.h"
#include "control/cache.h"
#include "control/configs.h"
#include "control/flights.h"
#include "control/names.h"
#include "control/passlog.h"
#include "control/queue.h"

enum { TIDY_MS = 2000, LOOKS_BURST = 100, LOOKS_PER_S = 5 };

struct controller {
	struct controller_deps deps;
	struct controller_spec spec;
	struct pass_env env;
	struct cache *cache;
	struct configs *configs;
	struct bundles *bundles;
	struct queue *queue;
	struct flights *flights;
	double looks; /* that are free, see may_look */
	int64_t looked_at;
	struct timer *pump, *resync, *tidy;
	bool leading, stopping;
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static void wake(struct controller *c)
{
	timer_set(c->pump, 0);
	timer_set(c->tidy, TIDY_MS);
}

/* After a while without anything new: what parsing has freed goes back to the system. */
static void tidy(void *arg UNUSED)
{
	malloc_trim(0);
}

/* ---- passes ---- */

static void pass_ended(void *arg, const char *key, const struct pass_result *result,
		       int64_t took_ms)
{
	struct controller *c = arg;
	int64_t now = time_mono_ms();

	passlog(c->deps.metrics, key, result, queue_waited_ms(c->queue, key), took_ms);
	queue_done(c->queue, key, result->failed, now);
	if (result->requeue_ms >= 0)
		queue_add_after(c->queue, key, result->requeue_ms, now);
	if (c->stopping && flights_len(c->flights) == 0)
		c->stopped(c->stopped_arg);
	else
		wake(c);
}

static void begin_pass(struct controller *c, const char *key)
{
	int64_t now = time_mono_ms(), wait = flights_wait(c->flights, key, now);
	struct view view = {0};

	if (wait == 0 && cache_look(c->cache, key, &view)) {
		flights_begin(c->flights, key, &view);
		return;
	}
	queue_done(c->queue, key, false, now);
	if (wait > 0)
		queue_add_after(c->queue, key, wait, now);
}

static bool may_begin(const struct controller *c)
{
	return c->leading && !c->stopping && controller_ready(c) &&
	       flights_len(c->flights) < (size_t)c->spec.max_in_flight;
}

static void pump(void *arg)
{
	struct controller *c = arg;
	int64_t wait;

	while (may_begin(c)) {
		auto_free char *key = queue_pop(c->queue, time_mono_ms());

		if (key == NULL)
			break;
		begin_pass(c, key);
	}
	wait = may_begin(c) ? queue_wait(c->queue, time_mono_ms()) : -1;
	if (wait >= 0)
		timer_set(c->pump, wait);
}

/* ---- what changes ---- */

static void on_changed(void *arg, const char *key, bool initial)
{
	struct controller *c = arg;

	if (initial)
		queue_add_low(c->queue, key, time_mono_ms());
	else
		queue_add(c->queue, key, time_mono_ms());
	wake(c);
}

static void on_seen(void *arg, const char *key, const char *run_version, const char *job_uid)
{
	struct controller *c = arg;

	flights_seen(c->flights, key, run_version, job_uid);
}

static void on_run(void *arg, const char *run_key, const char *config_key, bool finished)
{
	struct controller *c = arg;

	configs_run(c->configs, run_key, config_key, finished);
}

static bool on_config(void *arg, const char *config_key, const struct json *config)
{
	struct controller *c = arg;

	return configs_config(c->configs, config_key, config);
}

static void on_synced(void *arg)
{
	log_info("caches are full");
	wake(arg);
}

static void on_trouble(void *arg UNUSED, const struct err *err)
{
	if (err->kind == ERR_INVALID)
		log_warn("an object that cannot be read is passed over", "error", err->msg);
	else
		log_warn("watching failed, trying again", "kind", err_kind_name(err->kind), "error",
			 err->msg);
}

static void requeue_low(void *arg, const char *key)
{
	struct controller *c = arg;

	queue_add_low(c->queue, key, time_mono_ms());
}

static void requeue_anew(void *arg, const char *key)
{
	struct controller *c = arg;

	queue_add_anew(c->queue, key, time_mono_ms());
}

static void resync(void *arg)
{
	struct controller *c = arg;

	cache_each_live(c->cache, requeue_low, c);
	bundles_lead(c->bundles);
	timer_set(c->resync, c->spec.resync_ms);
	wake(c);
}

/* ---- policies ---- */

static void on_policies_ready(void *arg)
{
	wake(arg);
}

static void on_policies_changed(void *arg)
{
	struct controller *c = arg;

	cache_each_live(c->cache, requeue_anew, c);
	wake(c);
}

static void on_config_policies_changed(void *arg, const char *policy_key)
{
	struct controller *c = arg;

	cache_each_judged_by(c->cache, policy_key, requeue_anew, c);
	wake(c);
}

static void on_evaluated(void *arg, int64_t duration_ms, const char *error_kind)
{
	struct controller *c = arg;
	char labels[64];

	metrics_observe(c->deps.metrics, METRIC_POLICY_SECONDS, "", (double)duration_ms / 1000);
	if (error_kind == NULL)
		return;
	snprintf(labels, sizeof(labels), "kind=\"%s\"", error_kind);
	metrics_add(c->deps.metrics, METRIC_POLICY_ERRORS, labels, 1);
}

/* ---- what passes need ---- */

static bool may_write(void *arg)
{
	struct controller *c = arg;

	return c->spec.may_write(c->spec.arg);
}

static bool may_write_configs(void *arg)
{
	struct controller *c = arg;

	return c->leading && !c->stopping && controller_ready(c) && may_write(c);
}

static struct json *look_at_config(void *arg, const char *config_key)
{
	struct controller *c = arg;

	return cache_config(c->cache, config_key);
}

static void on_config_trouble(void *arg UNUSED, const struct err *err)
{
	log_warn("status of an InferenceConfig not written, trying again", "error", err->msg);
}

/* LOOKS_BURST at once, LOOKS_PER_S all the time. */
static bool may_look(void *arg)
{
	struct controller *c = arg;
	int64_t now = time_mono_ms();

	c->looks += (double)(now - c->looked_at) * LOOKS_PER_S / 1000;
	c->looks = c->looks < LOOKS_BURST ? c->looks : LOOKS_BURST;
	c->looked_at = now;
	if (c->looks < 1)
		return false;
	c->looks--;
	return true;
}

static void emit(void *arg, const struct json *run, const struct json *event)
{
	struct controller *c = arg;
	auto_json struct json *ref = object_reference(&KIND_RUN, run);

	events_emit(c->deps.events, ref, json_get_str(event, "type", "Normal"),
		    json_get_str(event, "reason", ""), json_get_str(event, "message", ""));
}

/* What it looks at: runs and what belongs to them, and policies. */
static void start_watching(struct controller *c)
{
	const struct controller_deps *deps = &c->deps;
	const struct controller_spec *spec = &c->spec;

	c->cache = cache_new(deps->loop, deps->client,
			     &(struct cache_spec){.namespaces = spec->namespaces,
						  .changed = on_changed,
						  .seen = on_seen,
						  .run = on_run,
						  .config = on_config,
						  .synced = on_synced,
						  .trouble = on_trouble,
						  .arg = c});
	c->bundles =
	    bundles_new(&(struct bundles_deps){.loop = deps->loop,
					       .client = deps->client,
					       .host = deps->host,
					       .events = deps->events,
					       .metrics = deps->metrics},
			&(struct bundles_spec){.namespace = spec->policy_namespace,
					       .name = spec->policy_name,
					       .namespaces = spec->namespaces,
					       .config_policies = spec->config_policies,
					       .config_changed = on_config_policies_changed,
					       .may_write = may_write,
					       .ready = on_policies_ready,
					       .changed = on_policies_changed,
					       .arg = c});
}

struct controller *controller_new(const struct controller_deps *deps,
				  const struct controller_spec *spec)
{
	struct controller *c = xcalloc(1, sizeof(*c));

	c->deps = *deps;
	c->spec = *spec;
	c->looks = LOOKS_BURST;
	c->looked_at = time_mono_ms();
	c->queue = queue_new();
	c->flights = flights_new(&c->env, pass_ended, c);
	c->pump = timer_new(deps->loop, pump, c);
	c->resync = timer_new(deps->loop, resync, c);
	c->tidy = timer_new(deps->loop, tidy, c);
	timer_set(c->resync, spec->resync_ms);
	c->configs = configs_new(deps->loop, deps->client,
				 &(struct configs_spec){.may_write = may_write_configs,
							.look = look_at_config,
							.trouble = on_config_trouble,
							.arg = c});
	start_watching(c);
	c->env = (struct pass_env){
	    .act = {.loop = deps->loop,
		    .client = deps->client,
		    .may_write = may_write,
		    .emit = emit,
		    .arg = c},
	    .host = deps->host,
	    .bundles = c->bundles,
	    .service_account = spec->service_account,
	    .pending_ms = spec->pending_ms,
	    .may_look = may_look,
	    .evaluated = on_evaluated,
	};
	return c;
}

void controller_free(struct controller *c)
{
	if (c == NULL)
		return;
	flights_free(c->flights);
	bundles_free(c->bundles);
	cache_free(c->cache);
	configs_free(c->configs);
	timer_free(c->pump);
	timer_free(c->resync);
	timer_free(c->tidy);
	queue_free(c->queue);
	free(c);
}

void controller_lead(struct controller *c)
{
	c->leading = true;
	bundles_lead(c->bundles);
	wake(c);
}

void controller_stop(struct controller *c, void (*stopped)(void *arg), void *arg)
{
	c->stopping = true;
	c->stopped = stopped;
	c->stopped_arg = arg;
	if (flights_len(c->flights) == 0)
		loop_defer(c->deps.loop, stopped, arg);
}

bool controller_ready(const struct controller *c)
{
	return bundles_ready(c->bundles) && cache_synced(c->cache);
}

int64_t controller_oldest_ms(const struct controller *c)
{
	return queue_oldest_ms(c->queue, time_mono_ms());
}

static void measure_kind(void *arg, const char *kind, size_t n)
{
	struct controller *c = arg;
	char labels[64];

	snprintf(labels, sizeof(labels), "kind=\"%s\"", kind);
	metrics_set(c->deps.metrics, METRIC_CACHED_OBJECTS, labels, (double)n);
}

void controller_measure(struct controller *c)
{
	struct metrics *metrics = c->deps.metrics;

	metrics_set(metrics, METRIC_ACTIVE_WORKERS, LABEL_CONTROLLER,
		    (double)flights_len(c->flights));
	metrics_set(metrics, METRIC_MAX_WORKERS, LABEL_CONTROLLER, c->spec.max_in_flight);
	metrics_set(metrics, METRIC_QUEUE_DEPTH, QUEUE_NAME, (double)queue_depth(c->queue));
	metrics_set(metrics, METRIC_QUEUE_OLDEST, QUEUE_NAME,
		    (double)controller_oldest_ms(c) / 1000);
	metrics_set(metrics, METRIC_QUEUE_ADDS, QUEUE_NAME, (double)queue_adds(c->queue));
	metrics_set(metrics, METRIC_QUEUE_RETRIES, QUEUE_NAME, (double)queue_retries(c->queue));
	cache_count(c->cache, measure_kind, c);
}
