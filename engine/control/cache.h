/*
 * cache.h - everything a pass looks at: the watched runs, configs, Jobs, CronJobs and Pods.
 *
 * What is kept of them tells view.h. Jobs, CronJobs and Pods are watched by our label alone.
 */
#ifndef CONTROL_CACHE_H
#define CONTROL_CACHE_H

#include "control/view.h"
#include "kube/watch.h"

struct cache;

struct cache_spec {
	const char *const *namespaces; /* NULL-terminated; an empty list: all */
	/* Something about this run has changed. initial: it is part of the first list. */
	void (*changed)(void *arg, const char *run_key, bool initial);
	/* The run was seen with this version ("" when deleted), or its Job with this uid. */
	void (*seen)(void *arg, const char *run_key, const char *run_version, const char *job_uid);
	/* A run refers to this config (NULL: the run is gone). */
	void (*run)(void *arg, const char *run_key, const char *config_key, bool finished);
	/* A config was seen (NULL: it is gone). False: its runs need not look at it again. */
	bool (*config)(void *arg, const char *config_key, const struct json *config);
	void (*synced)(void *arg); /* once: every first list is complete */
	void (*trouble)(void *arg, const struct err *err);
	void *arg;
};

struct cache *cache_new(struct loop *loop, struct client *client, const struct cache_spec *spec);
void cache_free(struct cache *cache);
bool cache_synced(const struct cache *cache);

/* False if there is no such run; then view is untouched. */
bool cache_look(const struct cache *cache, const char *run_key, struct view *view);

/* The config of this key, yours; NULL if there is none. */
struct json *cache_config(const struct cache *cache, const char *config_key);

/* Call fn with the key of every run that has not finished. */
void cache_each_live(const struct cache *cache, void (*fn)(void *arg, const char *run_key),
		     void *arg);

/* The same with those whose config has its own policies in the ConfigMap of this key. */
void cache_each_judged_by(const struct cache *cache, const char *policy_key,
			  void (*fn)(void *arg, const char *run_key), void *arg);

/* For metrics: objects held, by kind. */
void cache_count(const struct cache *cache, void (*fn)(void *arg, const char *kind, size_t n),
		 void *arg);

#endif
