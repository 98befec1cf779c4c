#include "table_kinds.h"

#include "base/buf.h"
#include "base/timefmt.h"

enum { CELL_MAX = 4096 };

#define NAME "Name", "string", "name", 0
#define TEXT(name) name, "string", "", 0
#define NUMBER(name) name, "integer", "", 0
#define WIDE(name) name, "string", "", 1

static void add(struct json *cells, const char *text)
{
	json_append(cells, json_string(text));
}

static void add_taken(struct json *cells, char *text_taken)
{
	add(cells, text_taken);
	free(text_taken);
}

static void add_number(struct json *cells, size_t n)
{
	json_append(cells, json_int((int64_t)n));
}

static void add_name(struct json *cells, const struct json *object)
{
	add(cells, json_get_str(json_get(object, "metadata"), "name", ""));
}

static void add_age(struct json *cells, const struct json *object, int64_t now_ms)
{
	add_taken(cells, table_age(json_at(object, "metadata", "creationTimestamp"), now_ms));
}

static const char *or_none(const char *text)
{
	return text != NULL && *text != '\0' ? text : "<none>";
}

/* ---- containers and selectors ---- */

static void add_joined(struct json *cells, const struct json *containers, const char *key)
{
	auto_buf struct buf out = BUF_INIT(CELL_MAX);

	for (const struct json *c = json_first(containers); c != NULL; c = json_next(c))
		buf_addf(&out, "%s%s", out.len > 0 ? "," : "", json_get_str(c, key, ""));
	add(cells, out.data);
}

static void add_labels(struct json *cells, const struct json *labels)
{
	auto_buf struct buf out = BUF_INIT(CELL_MAX);

	for (const struct json *l = json_first(labels); l != NULL; l = json_next(l))
		buf_addf(&out, "%s%s=%s", out.len > 0 ? "," : "", json_key(l),
			 json_str(l) != NULL ? json_str(l) : "");
	add(cells, or_none(out.data));
}

/* Containers, Images, Selector of something with a Pod template. */
static void add_template(struct json *cells, const struct json *template,
			 const struct json *selector)
{
	const struct json *containers = json_at(template, "spec", "containers");

	add_joined(cells, containers, "name");
	add_joined(cells, containers, "image");
	add_labels(cells, json_get(selector, "matchLabels"));
}

/* ---- pods ---- */

/* Why a container does not run, as one word; yours, NULL: it runs, or is only starting. */
static char *container_reason(const struct json *container)
{
	const struct json *waiting = json_at(container, "state", "waiting");
	const struct json *ended = json_at(container, "state", "terminated");
	const char *reason = json_get_str(waiting, "reason", json_get_str(ended, "reason", ""));
	int64_t signal = json_get_int(ended, "signal", 0);

	if (*reason != '\0')
		return xstrdup(reason);
	if (ended == NULL)
		return NULL;
	if (signal != 0)
		return xasprintf("Signal:%lld", (long long)signal);
	return xasprintf("ExitCode:%lld", (long long)json_get_int(ended, "exitCode", 0));
}

static char *pod_status(const struct json *pod)
{
	const struct json *status = json_get(pod, "status");
	const char *phase = json_get_str(status, "phase", "Unknown");
	char *reason = xstrdup(json_get_str(status, "reason", phase));

	/* The last container that has something to say; the server goes from the last to the first.
	 */
	for (const struct json *c = json_first(json_get(status, "containerStatuses")); c != NULL;
	     c = json_next(c)) {
		char *word = container_reason(c);

		if (word == NULL)
			continue;
		free(reason);
		reason = word;
		break;
	}
	if (json_at(pod, "metadata", "deletionTimestamp") != NULL && !streq(phase, "Succeeded") &&
	    !streq(phase, "Failed")) {
		free(reason);
		reason = xstrdup("Terminating");
	}
	return reason;
}

static void pod_cells(struct json *cells, const struct json *pod, int64_t now_ms)
{
	const struct json *status = json_get(pod, "status"), *spec = json_get(pod, "spec");
	int64_t ready = 0, restarts = 0;

	for (const struct json *c = json_first(json_get(status, "containerStatuses")); c != NULL;
	     c = json_next(c)) {
		ready += json_is_true(json_get(c, "ready"));
		restarts += json_get_int(c, "restartCount", 0);
	}
	add_name(cells, pod);
	add_taken(cells,
		  xasprintf("%lld/%zu", (long long)ready, json_len(json_get(spec, "containers"))));
	add_taken(cells, pod_status(pod));
	add_taken(cells, xasprintf("%lld", (long long)restarts));
	add_age(cells, pod, now_ms);
	add(cells, or_none(json_get_str(status, "podIP", NULL)));
	add(cells, or_none(json_get_str(spec, "nodeName", NULL)));
	add(cells, or_none(json_get_str(status, "nominatedNodeName", NULL)));
	add(cells, "<none>");
}

/* ---- jobs and cronjobs ---- */

static bool has_condition(const struct json *object, const char *type)
{
	const struct json *conditions = json_at(object, "status", "conditions");

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), type))
			return streq(json_get_str(c, "status", ""), "True");
	return false;
}

static const char *job_status(const struct json *job)
{
	if (has_condition(job, "Complete"))
		return "Complete";
	if (has_condition(job, "Failed"))
		return "Failed";
	if (json_at(job, "metadata", "deletionTimestamp") != NULL)
		return "Terminating";
	if (has_condition(job, "Suspended"))
		return "Suspended";
	if (has_condition(job, "FailureTarget"))
		return "FailureTarget";
	if (has_condition(job, "SuccessCriteriaMet"))
		return "SuccessCriteriaMet";
	return "Running";
}

static char *job_duration(const struct json *job, int64_t now_ms)
{
	const char *start = json_str(json_at(job, "status", "startTime"));
	const char *end = json_str(json_at(job, "status", "completionTime"));
	int64_t from, to = now_ms;

	if (start == NULL || !time_parse(start, &from))
		return xstrdup("");
	if (end != NULL)
		time_parse(end, &to);
	return table_duration(to - from);
}

static void job_cells(struct json *cells, const struct json *job, int64_t now_ms)
{
	const struct json *spec = json_get(job, "spec");
	const char *total = json_number_text(json_get(spec, "completions"));

	add_name(cells, job);
	add(cells, job_status(job));
	add_taken(cells, xasprintf("%lld/%s",
				   (long long)json_get_int(json_get(job, "status"), "succeeded", 0),
				   total != NULL ? total : "1"));
	add_taken(cells, job_duration(job, now_ms));
	add_age(cells, job, now_ms);
	add_template(cells, json_get(spec, "template"), json_get(spec, "selector"));
}

static void cronjob_cells(struct json *cells, const struct json *cron, int64_t now_ms)
{
	const struct json *spec = json_get(cron, "spec"), *status = json_get(cron, "status");
	const struct json *last = json_get(status, "lastScheduleTime");

	add_name(cells, cron);
	add(cells, json_get_str(spec, "schedule", ""));
	add(cells, or_none(json_get_str(spec, "timeZone", NULL)));
	add(cells, json_is_true(json_get(spec, "suspend")) ? "True" : "False");
	add_number(cells, json_len(json_get(status, "active")));
	add_taken(cells, last != NULL ? table_age(last, now_ms) : xstrdup("<none>"));
	add_age(cells, cron, now_ms);
	add_template(cells, json_at(spec, "jobTemplate", "spec", "template"),
		     json_at(spec, "jobTemplate", "spec", "selector"));
}

/* ---- events ---- */

static const struct json *first_time(const struct json *a, const struct json *b)
{
	return json_str(a) != NULL ? a : b;
}

static void event_cells(struct json *cells, const struct json *event, int64_t now_ms)
{
	const struct json *object = json_get(event, "involvedObject");
	const struct json *source = json_get(event, "source"), *series = json_get(event, "series");
	const struct json *first =
	    first_time(json_get(event, "firstTimestamp"), json_get(event, "eventTime"));
	const struct json *last = first_time(json_get(event, "lastTimestamp"), first);
	const char *host = json_get_str(source, "host", "");
	auto_free char *kind = xstrdup(json_get_str(object, "kind", ""));

	for (char *c = kind; *c != '\0'; c++)
		*c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
	add_taken(cells, table_age(first_time(json_get(series, "lastObservedTime"), last), now_ms));
	add(cells, json_get_str(event, "type", ""));
	add(cells, json_get_str(event, "reason", ""));
	add_taken(cells, xasprintf("%s/%s", kind, json_get_str(object, "name", "")));
	add(cells, json_get_str(object, "fieldPath", ""));
	add_taken(cells, xasprintf("%s%s%s",
				   json_get_str(source, "component",
						json_get_str(event, "reportingComponent", "")),
				   *host != '\0' ? ", " : "", host));
	add(cells, json_get_str(event, "message", ""));
	add_taken(cells, table_age(first, now_ms));
	json_append(cells,
		    json_int(json_get_int(series, "count", json_get_int(event, "count", 1))));
	add_name(cells, event);
}

/* ---- the small ones ---- */

static void configmap_cells(struct json *cells, const struct json *map, int64_t now_ms)
{
	add_name(cells, map);
	add_number(cells, json_len(json_get(map, "data")) + json_len(json_get(map, "binaryData")));
	add_age(cells, map, now_ms);
}

static void secret_cells(struct json *cells, const struct json *secret, int64_t now_ms)
{
	add_name(cells, secret);
	add(cells, json_get_str(secret, "type", "Opaque"));
	add_number(cells, json_len(json_get(secret, "data")));
	add_age(cells, secret, now_ms);
}

static void namespace_cells(struct json *cells, const struct json *namespace, int64_t now_ms)
{
	add_name(cells, namespace);
	add(cells, json_get_str(json_get(namespace, "status"), "phase", "Active"));
	add_age(cells, namespace, now_ms);
}

static void lease_cells(struct json *cells, const struct json *lease, int64_t now_ms)
{
	add_name(cells, lease);
	add(cells, json_get_str(json_get(lease, "spec"), "holderIdentity", ""));
	add_age(cells, lease, now_ms);
}

static void serviceaccount_cells(struct json *cells, const struct json *account, int64_t now_ms)
{
	add_name(cells, account);
	add_number(cells, json_len(json_get(account, "secrets")));
	add_age(cells, account, now_ms);
}

static void deployment_cells(struct json *cells, const struct json *deployment, int64_t now_ms)
{
	const struct json *spec = json_get(deployment, "spec"),
			  *status = json_get(deployment, "status");

	add_name(cells, deployment);
	add_taken(cells, xasprintf("%lld/%lld", (long long)json_get_int(status, "readyReplicas", 0),
				   (long long)json_get_int(spec, "replicas", 1)));
	json_append(cells, json_int(json_get_int(status, "updatedReplicas", 0)));
	json_append(cells, json_int(json_get_int(status, "availableReplicas", 0)));
	add_age(cells, deployment, now_ms);
	add_template(cells, json_get(spec, "template"), json_get(spec, "selector"));
}

static void service_cells(struct json *cells, const struct json *service, int64_t now_ms)
{
	const struct json *spec = json_get(service, "spec");
	auto_buf struct buf ports = BUF_INIT(CELL_MAX);

	for (const struct json *p = json_first(json_get(spec, "ports")); p != NULL;
	     p = json_next(p))
		buf_addf(&ports, "%s%lld/%s", ports.len > 0 ? "," : "",
			 (long long)json_get_int(p, "port", 0), json_get_str(p, "protocol", "TCP"));
	add_name(cells, service);
	add(cells, json_get_str(spec, "type", "ClusterIP"));
	add(cells, or_none(json_get_str(spec, "clusterIP", NULL)));
	add(cells, "<none>");
	add(cells, or_none(ports.data));
	add_age(cells, service, now_ms);
	add_labels(cells, json_get(spec, "selector"));
}

/* ---- the list ---- */

static const struct table_kind kinds[] = {
    {"",
     "pods",
     {{NAME},
      {TEXT("Ready")},
      {TEXT("Status")},
      {TEXT("Restarts")},
      {TEXT("Age")},
      {WIDE("IP")},
      {WIDE("Node")},
      {WIDE("Nominated Node")},
      {WIDE("Readiness Gates")}},
     pod_cells},
    {"batch",
     "jobs",
     {{NAME},
      {TEXT("Status")},
      {TEXT("Completions")},
      {TEXT("Duration")},
      {TEXT("Age")},
      {WIDE("Containers")},
      {WIDE("Images")},
      {WIDE("Selector")}},
     job_cells},
    {"batch",
     "cronjobs",
     {{NAME},
      {TEXT("Schedule")},
      {TEXT("Timezone")},
      {TEXT("Suspend")},
      {NUMBER("Active")},
      {TEXT("Last Schedule")},
      {TEXT("Age")},
      {WIDE("Containers")},
      {WIDE("Images")},
      {WIDE("Selector")}},
     cronjob_cells},
    {"",
     "events",
     {{TEXT("Last Seen")},
      {TEXT("Type")},
      {TEXT("Reason")},
      {TEXT("Object")},
      {WIDE("Subobject")},
      {WIDE("Source")},
      {TEXT("Message")},
      {WIDE("First Seen")},
      {WIDE("Count")},
      {"Name", "string", "name", 1}},
     event_cells},
    {"", "configmaps", {{NAME}, {NUMBER("Data")}, {TEXT("Age")}}, configmap_cells},
    {"", "secrets", {{NAME}, {TEXT("Type")}, {NUMBER("Data")}, {TEXT("Age")}}, secret_cells},
    {"", "namespaces", {{NAME}, {TEXT("Status")}, {TEXT("Age")}}, namespace_cells},
    {"", "serviceaccounts", {{NAME}, {NUMBER("Secrets")}, {TEXT("Age")}}, serviceaccount_cells},
    {"coordination.k8s.io", "leases", {{NAME}, {TEXT("Holder")}, {TEXT("Age")}}, lease_cells},
    {"apps",
     "deployments",
     {{NAME},
      {TEXT("Ready")},
      {NUMBER("Up-to-date")},
      {NUMBER("Available")},
      {TEXT("Age")},
      {WIDE("Containers")},
      {WIDE("Images")},
      {WIDE("Selector")}},
     deployment_cells},
    {"",
     "services",
     {{NAME},
      {TEXT("Type")},
      {TEXT("Cluster-IP")},
      {TEXT("External-IP")},
      {TEXT("Port(s)")},
      {TEXT("Age")},
      {WIDE("Selector")}},
     service_cells},
};

const struct table_kind *table_kind_find(const char *group, const char *resource)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (streq(kinds[i].group, group) && streq(kinds[i].resource, resource))
			return &kinds[i];
	return NULL;
}
