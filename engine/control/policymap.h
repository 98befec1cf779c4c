/*
 * policymap.h - one ConfigMap of policies: its bundle is loaded, and it says what became of it.
 *
 * That stands in the annotation ai.krateo.io/policy-status, as JSON:
 *	{"state": "active", "active": "sha256:0123456789ab", "time": "2026-11-24T10:00:00Z"}
 *	{"state": "refused", "refused": "sha256:...", "active": "sha256:...", "kept": "last-good",
 *	 "error": "contract.lua:3: ...", "time": ...}
 * active is what is judged by now, "" if nothing is; kept, where that is from: "edit" (a bundle
 * of this ConfigMap that was taken before), "last-good" (lastgood.h), "built-in" or "none". refused
 * is the digest of the files that were. An Event goes with each change of it. Both are written by
 * who may write only; policymap_tell once more tells what was held back.
 *
 * Only a change of the ConfigMap's data is an edit; our own annotation is none. One that is taken
 * away by somebody is put back. Edits that come while one is being loaded are loaded after it, all
 * but the last being passed over. One that was not judged, as the worker was lost or too slow, is
 * refused and tried again: after POLICYMAP_AGAIN_MS, doubling to an hour.
 */
#ifndef CONTROL_POLICYMAP_H
#define CONTROL_POLICYMAP_H

#include "kube/client.h"
#include "net/loop.h"
#include "policy/host.h"

struct policymap;

enum { POLICYMAP_AGAIN_MS = 2000, POLICYMAP_AGAIN_MAX_MS = 3600000 };

/* What all ConfigMaps of policies share. */
struct policymap_env {
	struct loop *loop;
	struct client *client;
	struct policy_host *host;
	bool (*may_write)(void *arg);
	void (*trouble)(void *arg, const struct err *err); /* writing an annotation failed */
	/* An Event about a ConfigMap. */
	void (*emit)(void *arg, const struct json *object, const char *type, const char *reason,
		     const char *message);
	/* A bundle was taken (err NULL; taken as below) or refused; name is the ConfigMap's. For
	 * metrics and logs. */
	void (*judged)(void *arg, const char *name, const char *taken, const char *digest,
		       const struct err *err);
	void *arg;
	int64_t again_ms; /* 0: POLICYMAP_AGAIN_MS; for tests */
};

struct policymap_spec {
	const char *namespace, *name; /* of the ConfigMap; copied, as is the next */
	const char *bundle;           /* its name in the host */
	bool over;                    /* see policy_load() */
	const char *taken;            /* what a good bundle is then, for the Event: "in force" */
	/* A bundle was taken (err NULL) or refused. The owner calls policymap_tell, now or once it
	 * knows more. It must not free. */
	void (*loaded)(void *arg, struct policymap *map, const struct err *err);
	void *arg;
};

/* env must outlive it. */
struct policymap *policymap_new(const struct policymap_env *env, const struct policymap_spec *spec);
void policymap_free(struct policymap *map); /* the bundle stays in the host; NULL is fine */

/* The ConfigMap as it stands now. It is loaded, unless its data is what was tried last. */
void policymap_offer(struct policymap *map, const struct json *configmap);

/* It was deleted: load a bundle without files instead. Nothing is told. */
void policymap_gone(struct policymap *map);

/* The same, but it cannot be loaded, for this reason. */
void policymap_refuse(struct policymap *map, const struct json *configmap, const struct err *err);

/* Write the annotation, unless it says this already. kept as above, borrowed for good; it counts
 * where the last edit was refused. */
void policymap_tell(struct policymap *map, const char *kept);

/* Write another annotation of the ConfigMap, if this process may write. */
void policymap_annotate(struct policymap *map, const char *annotation, const char *text);

/* Why the last edit was refused; NULL: it was not. Borrowed until the next one. */
const char *policymap_error(const struct policymap *map);

/* metadata of the ConfigMap as last seen, in an object of its own; NULL before the first offer. */
const struct json *policymap_object(const struct policymap *map);

/* The files that were taken last; NULL: none yet, or a later edit was refused or is being loaded.
 */
const struct json *policymap_files(const struct policymap *map);

#endif
