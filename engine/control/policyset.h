/*
 * policyset.h - all ConfigMaps with the label ai.krateo.io/policy-mode=MODE: each is a bundle of
 * its own, named "MODE/NAMESPACE/NAME" in the host, for as long as it is there and has the label.
 */
#ifndef CONTROL_POLICYSET_H
#define CONTROL_POLICYSET_H

#include "control/policymap.h"
#include "net/loop.h"

struct policyset;

struct policyset_spec {
	const char *mode;              /* borrowed for good, as is the next */
	const char *const *namespaces; /* to watch, NULL-terminated; an empty list: all */
	bool over;                     /* see policy_load() */
	const char *taken;             /* see policymap.h */
	size_t max;                    /* one more is refused, until another goes */
	/* A bundle was taken, refused (map says why) or is gone (map is NULL). key is
	 * "NAMESPACE/NAME". */
	void (*changed)(void *arg, const char *key, struct policymap *map);
	void (*ready)(void *arg); /* once: what was there is known, or cannot be read */
	void (*trouble)(void *arg, const struct err *err);
	void *arg;
};

/* env must outlive it. */
struct policyset *policyset_new(struct loop *loop, const struct policymap_env *env,
				const struct policyset_spec *spec);
void policyset_free(struct policyset *set); /* NULL is fine */
bool policyset_ready(const struct policyset *set);

/* Such a ConfigMap is there, and its bundle has not been judged yet: changed() comes. */
bool policyset_checking(const struct policyset *set, const char *key);

/* Why the ConfigMaps cannot be read; NULL: they can. Borrowed until that changes. */
const char *policyset_trouble(const struct policyset *set);

/* NULL: no such ConfigMap. */
struct policymap *policyset_find(const struct policyset *set, const char *key);

/* The name of the ConfigMap's bundle in the host; yours. */
char *policyset_bundle(const struct policyset *set, const char *key);

/* Tell once more: this process may write now, or what the bundles lie over has changed. */
void policyset_tell(struct policyset *set);

#endif
