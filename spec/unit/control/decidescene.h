/*
 * decidescene.h - what decide's tests are made of: runs, configs, Jobs and Pods in one word, and a
 * plan as one line.
 */
#ifndef DECIDESCENE_H
#define DECIDESCENE_H

#include "base/buf.h"
#include "base/timefmt.h"
#include "control/decide.h"

#define NOW "2026-11-24T10:00:00Z"
#define META                                                                                       \
	"'metadata': {'name': 'a', 'namespace': 'ns', 'uid': '5be07ada-5fe0', 'generation': 1, "   \
	"'resourceVersion': '7'"
#define SPEC "'spec': {'configRef': {'name': 'c'}}"
#define NAME "inf-a-5be07ada"
#define REF                                                                                        \
	"'jobStatus': {'apiVersion': 'batch/v1', 'kind': 'Job', 'namespace': 'ns', 'name': '" NAME \
	"'"
#define NEW_RUN "{" META "}, " SPEC "}"
#define STARTING_RUN                                                                               \
	"{" META "}, " SPEC ", 'status': {'phase': 'Pending', 'contract': 'e30=', " REF "}}}"
#define STARTED_RUN                                                                                \
	"{" META "}, " SPEC ", 'status': {'phase': 'Pending', 'reason': 'Starting', " REF          \
	", 'uid': 'j'}}}"
#define RUNNING_RUN "{" META "}, " SPEC ", 'status': {'phase': 'Running', " REF ", 'uid': 'j'}}}"
#define ENDED(phase, at)                                                                           \
	"{" META "}, " SPEC ", 'status': {'phase': '" phase                                        \
	"', 'observedGeneration': 1, 'completionTime': '" at "'}}"
#define CONFIG "{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i'}}"
#define CONFIG_ELSEWHERE(allow)                                                                    \
	"{'metadata': {'namespace': 'other', 'annotations': {'ai.krateo.io/allow-namespaces': "    \
	"'" allow "'}}, 'spec': {'image': 'i'}}"
#define RUN_ELSEWHERE "{" META "}, 'spec': {'configRef': {'name': 'c', 'namespace': 'other'}}}"
#define CONFIG_DELETE(policy)                                                                      \
	"{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i', 'autoDeletePolicy': '" policy    \
	"', 'ttlSecondsAfterFinished': "                                                           \
	"60}}"
#define JOB_META                                                                                   \
	"'metadata': {'name': '" NAME                                                              \
	"', 'namespace': 'ns', 'uid': 'j', 'ownerReferences': [{'uid': '5be07ada-5fe0'}]}"
#define JOB(status) "{" JOB_META ", 'spec': {}, 'status': {" status "}}"
#define COMPLETE(at)                                                                               \
	"'succeeded': 1, 'completionTime': '" at                                                   \
	"', 'conditions': [{'type': 'Complete', 'status': 'True', 'lastTransitionTime': '" at      \
	"'}]"
#define FAILED(at)                                                                                 \
	"'failed': 4, 'conditions': [{'type': 'Failed', 'status': 'True', 'lastTransitionTime': "  \
	"'" at "'}]"
#define FIRING(at) "{'metadata': {'name': 'firing'}, 'status': {" FAILED(at) "}}"
#define ENDED_POD                                                                                  \
	"[{'metadata': {'name': 'p'}, 'status': {'phase': 'Succeeded', 'containerStatuses': "      \
	"[{'state': {'terminated': {'exitCode': 0, 'finishedAt': '" NOW                            \
	"', 'message': '{\\\"rows\\\": {\\\"stored\\\": 3}}'}}}]}}]"
#define HOPELESS_POD(at)                                                                           \
	"[{'metadata': {'creationTimestamp': '" at "'}, 'status': {'phase': 'Pending', "           \
	"'containerStatuses': [{'state': {'waiting': {'reason': 'ErrImagePull'}}}]}}]"
#define BUSY_RUN                                                                                   \
	"{" META "}, " SPEC                                                                        \
	", 'status': {'phase': 'Running', 'message': 'at work', 'conditions': "                    \
	"[{'lastTransitionTime': '" NOW "'}]}}"
#define FAILED_POD(code)                                                                           \
	"[{'metadata': {'name': 'p'}, 'status': {'phase': 'Failed', 'containerStatuses': "         \
	"[{'state': {'terminated': {'exitCode': " code ", 'finishedAt': '" NOW "'}}}]}}]"
#define ACCEPTED "{'validate': {'ok': []}, 'contract': {'ok': {'jobId': 'x'}}}"
#define SAYS(phase, reason)                                                                        \
	"{'status': {'ok': {'phase': '" phase "', 'reason': '" reason "', 'message': 'm'}}}"
#define ERROR(hook, kind)                                                                          \
	"{'" hook "': {'error': {'kind': '" kind "', 'message': '" hook ".lua:3: boom'}}}"

static inline struct json *parse(const char *text)
{
	return text != NULL ? json_build(text) : NULL;
}

/* The plan in one line. */
static inline char *summary(const struct plan *plan)
{
	struct buf out = BUF_INIT(4096);

	for (size_t i = 0; i < plan->len; i++) {
		const struct action *a = &plan->actions[i];
		const struct json *status = json_get(a->body, "status");

		buf_addf(&out, "%s%s", out.len > 0 ? "; " : "", action_name(a->type));
		if (a->type == ACTION_EVENT)
			buf_addf(&out, " %s", json_get_str(a->body, "reason", "?"));
		else if (a->type == ACTION_STATUS)
			buf_addf(&out, " %s/%s", json_get_str(status, "phase", "="),
				 json_get_str(status, "reason", "="));
		else if (a->kind != NULL && a->kind != &KIND_RUN)
			buf_addf(&out, " %s", a->kind->name);
	}
	if (plan->requeue_ms >= 0)
		buf_addf(&out, "%srequeue=%lld", out.len > 0 ? "; " : "",
			 (long long)plan->requeue_ms);
	if (plan->backoff)
		buf_addf(&out, "%sbackoff", out.len > 0 ? "; " : "");
	return buf_steal(&out);
}

struct world {
	struct json *run, *config, *job, *pods, *results;
	struct observed o;
};

static inline void world_init(struct world *w, const char *run, const char *config, const char *job,
			      const char *pods)
{
	*w = (struct world){parse(run), parse(config), parse(job), parse(pods), NULL, {0}};
	w->o = (struct observed){.run = w->run,
				 .config = w->config,
				 .job = w->job,
				 .pods = w->pods,
				 .digest = "sha256:d",
				 .shapes = true,
				 .pending_ms = 600000};
	assert_true(time_parse(NOW, &w->o.now));
}

static inline void world_done(struct world *w)
{
	json_free(w->run);
	json_free(w->config);
	json_free(w->job);
	json_free(w->pods);
	json_free(w->results);
}

/* What the API server makes of a plan's status patch. */
static inline void apply_status(struct world *w, const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		if (plan->actions[i].type == ACTION_STATUS)
			json_merge_patch(json_obj(w->run, "status"),
					 json_get(plan->actions[i].body, "status"));
}

/* Phase and reason as they will stand; a patch leaves out what does not change. */
static inline void complete_patch(struct world *w, struct plan *plan)
{
	static const char *const words[] = {"phase", "reason"};

	apply_status(w, plan);
	for (size_t i = 0; i < plan->len; i++) {
		struct json *status = json_mut(plan->actions[i].body, "status");

		for (size_t k = 0; plan->actions[i].type == ACTION_STATUS && k < ARRAY_LEN(words);
		     k++)
			json_set_str(status, words[k],
				     json_get_str(json_get(w->run, "status"), words[k], ""));
	}
}

/* The plan of one decision, in short. */
static inline char *plan_of(struct world *w, const struct json *results)
{
	struct plan plan;
	char *text;

	plan_init(&plan);
	decide(&w->o, results, &plan);
	complete_patch(w, &plan);
	text = summary(&plan);
	plan_done(&plan);
	return text;
}

#endif
