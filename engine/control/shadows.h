/*
 * shadows.h - bundles on trial: the ConfigMaps with the label ai.krateo.io/policy-mode=shadow in
 * the controller's namespace, at most SHADOWS_MAX.
 *
 * Each is asked what the bundle in force was asked, once that has answered; nothing comes of its
 * answers but figures, on its annotation ai.krateo.io/policy-shadow:
 *	{"shadow": "sha256:...", "active": "sha256:...", "since": "2026-11-24T10:00:00Z",
 *	 "evaluated": 120, "differing": 3, "errors": 0, "skipped": 0, "differences": [...]}
 * (differences: shadowdiff.h). They begin anew with another bundle on either side, and with the
 * controller. The annotation is written at most every SHADOW_TELL_MS, on a change.
 *
 * No run waits for it: one question at a time is asked of a shadow, and only while none of a run is
 * open. At most SHADOW_QUEUE wait; others are counted as skipped.
 */
#ifndef CONTROL_SHADOWS_H
#define CONTROL_SHADOWS_H

#include "control/decide.h"
#include "control/policymap.h"
#include "control/shadowdiff.h"
#include "net/loop.h"

struct shadows;

enum { SHADOWS_MAX = 4, SHADOW_QUEUE = 32, SHADOW_TELL_MS = 5000 };

struct shadows_spec {
	const char *namespace;                                  /* copied */
	int64_t tell_ms;                                        /* 0: SHADOW_TELL_MS; for tests */
	void (*compared)(void *arg, enum shadow_result result); /* for metrics */
	void (*trouble)(void *arg, const struct err *err);
	void *arg;
};

/* env must outlive it. */
struct shadows *shadows_new(struct loop *loop, const struct policymap_env *env,
			    const struct shadows_spec *spec);
void shadows_free(struct shadows *shadows); /* NULL is fine */

/* A question is open for a run; it is no more. */
void shadows_pause(struct shadows *shadows);
void shadows_resume(struct shadows *shadows);

/* The bundle in force was asked about this and has answered. */
void shadows_consider(struct shadows *shadows, const struct observed *o,
		      const struct json *results);

/* As policymap_tell. */
void shadows_tell(struct shadows *shadows);

#endif
