/*
 * configs.h - keeps the status of each InferenceConfig (config.h): told what the watches show, it
 * counts runs, and writes what has changed.
 *
 * At most one write a config every CONFIGS_FLUSH_MS, however many runs come and go, and one after
 * another; none when nothing has changed. What cannot be written is tried again after
 * CONFIGS_RETRY_MS.
 */
#ifndef CONTROL_CONFIGS_H
#define CONTROL_CONFIGS_H

#include "kube/client.h"

struct configs;

enum { CONFIGS_FLUSH_MS = 3000, CONFIGS_RETRY_MS = 60000 };

struct configs_spec {
	bool (*may_write)(void *arg); /* asked before each write; no: asked again later */
	/* The config as the cache has it, yours; NULL if it is not there. */
	struct json *(*look)(void *arg, const char *config_key);
	void (*trouble)(void *arg, const struct err *err); /* a write failed */
	void *arg;
	int64_t flush_ms, retry_ms; /* 0: as above; for tests */
};

struct configs *configs_new(struct loop *loop, struct client *client,
			    const struct configs_spec *spec);
void configs_free(struct configs *configs);

/* A run was seen with this config; gone: config_key is NULL. */
void configs_run(struct configs *configs, const char *run_key, const char *config_key,
		 bool finished);

/* A config was seen; gone: config is NULL. True if its runs should look at it again: it is new, or
 * its spec or who may use it has changed. A change of its status is none of their business. */
bool configs_config(struct configs *configs, const char *config_key, const struct json *config);

#endif
