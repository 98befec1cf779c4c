/*
 * cache.h - everything a pass looks at: the watched runs, configs, Jobs, CronJobs and Pods.
 *
 * Objects are cut down before they are stored (reduce.h), and so is what a policy sees of them.
 * Jobs, CronJobs and Pods are watched by our label alone.
 */
#ifndef CONTROL_CACHE_H
#define CONTROL_CACHE_H

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

/* What a pass looks at; the trees are the caller's. The config has no status: what its runs look
 * at does not change with how many they are. */
struct cache_view {
	struct json *run, *config;
	char *config_trouble; /* why the config cannot be read; NULL: it can, or is not there */
	struct json *job;     /* or CronJob */
	struct json *firing;  /* of a schedule: the Job whose failure is to be told, or NULL */
	struct json *pods;    /* of the firing, else of the Job */
};

/* False if there is no such run; then view is untouched. */
bool cache_look(const struct cache *cache, const char *run_key, struct cache_view *view);
void cache_view_done(struct cache_view *view);

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
