/*
 * pod.h - one Pod from its scheduling to its end, as a kubelet takes care of it.
 *
 *	bind (only if no scheduler has) -> gather ConfigMaps, Secrets and a token
 *	-> wait for a place -> run -> report the end
 *
 * What is missing is looked for again every 2 s. An image that is not mapped never comes. When
 * the Pod is being deleted, the process gets SIGTERM, after the grace period SIGKILL, and the Pod
 * is then removed from the API server; when it is gone there already, the same without a report.
 */
#ifndef PODRUNNER_POD_H
#define PODRUNNER_POD_H

#include "kube/client.h"
#include "net/loop.h"
#include "spec/podrunner/image.h"

enum { PODS_RUNNING_MAX = 64, POD_RETRY_MS = 2000 };

struct pod;

/* What all pods share. */
struct pod_env {
	struct loop *loop;
	struct client *client;
	const struct kube_config *config;
	const char *root; /* an absolute path */
	const char *node; /* where pods without one are bound to */
	const struct image *images;
	size_t image_count;
	const char *const *variables; /* as layout.h has env */
	bool namespaces;
	void (*over)(void *arg, const char *uid); /* nothing is left to do: free the pod */
	void *arg;

	/* private to pod.c */
	size_t running;
	struct pod *line; /* ready to start, but there is no place */
};

struct pod *pod_new(struct pod_env *env, const struct json *object);

/* It ran when we were not there: report that its container is lost. Instead of pod_new. */
struct pod *pod_new_lost(struct pod_env *env, const struct json *object);

/* The Pod has changed, or has been deleted. pod_gone may call over. */
void pod_update(struct pod *pod, const struct json *object);
void pod_gone(struct pod *pod);

/* Kills its process. */
void pod_free(struct pod *pod);

#endif
