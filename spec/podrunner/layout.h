/*
 * layout.h - what a container finds on its disk and in its environment, made from its Pod.
 *
 * Everything lies below the pod's folder, <root>/<uid>: volumes/<name>/..., serviceaccount/...
 * and termination-log; `mounts` says where the container should see it. Volumes: configMap,
 * secret, emptyDir, hostPath, downwardAPI and projected. Pods of one container only.
 */
#ifndef PODRUNNER_LAYOUT_H
#define PODRUNNER_LAYOUT_H

#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"

enum { LAYOUT_MOUNTS_MAX = 64, LAYOUT_ENV_MAX = 1024, LAYOUT_ARGS_MAX = 1024 };

#define SERVICEACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

/* What the cluster adds to a Pod. */
struct layout_spec {
	const char *root;          /* where the folders of all pods are */
	const char *api_url;       /* of the API server: KUBERNETES_SERVICE_HOST and _PORT */
	const char *ca, *token;    /* of the service account; NULL: none */
	const char *binary;        /* stands for the image's entrypoint; NULL: none */
	const char *const *env;    /* NAME=VALUE that every image brings; NULL at the end */
	const struct map *objects; /* "ConfigMap/name" and "Secret/name": struct json */
};

struct mount {
	char *source, *target;
	bool read_only;
};

struct layout {
	char *dir;
	struct mount mounts[LAYOUT_MOUNTS_MAX]; /* the outer ones first */
	size_t mount_count;
	char *env[LAYOUT_ENV_MAX + 1];
	size_t env_count;
	char *argv[LAYOUT_ARGS_MAX + 1];
	size_t argc;
	char *working_dir;
	char *termination_log;
	char *contract;       /* the host's file at /tmp/contract.json, or NULL */
	char *serviceaccount; /* the host's folder of the service account, or NULL */
	int64_t uid, gid;     /* -1: ours */
	bool read_only_root;
};

/* The ConfigMaps and Secrets that a Pod refers to: [{"kind", "name"}, ...], each once; yours. */
struct json *layout_needs(const struct json *pod);

/*
 * Write the folder and fill out. A missing object is an error in the kubelet's words: INVALID
 * when the environment needs it (CreateContainerConfigError), NOT_FOUND when a volume does
 * (FailedMount). out needs layout_done in any case.
 */
int layout_make(const struct json *pod, const struct layout_spec *spec, struct layout *out,
		struct err *err);
void layout_done(struct layout *layout);

/* Delete a pod's folder. */
void layout_remove(const char *dir);

/* The only container; NULL if there is none or more than one. */
const struct json *layout_container(const struct json *pod);

/* ---- between layout.c and its parts ---- */

/* A field of the downward API: "metadata.uid", "metadata.labels['x']"; yours, NULL if unknown. */
char *layout_field(const struct json *pod, const char *path);

/* volumes.c: write the pod's volumes. */
int layout_volumes(const struct json *pod, const struct layout_spec *spec, struct layout *out,
		   struct err *err);

/* volumes.c: write dir/path with its folders. */
int layout_write(const char *dir, const char *path, const char *bytes, size_t len, struct err *err);

/* environment.c: env and argv. */
int layout_environment(const struct json *pod, const struct layout_spec *spec, struct layout *out,
		       struct err *err);

/* The bytes of a key of a ConfigMap or Secret; false when it has no such key. */
bool layout_value(const struct json *object, const char *key, struct buf *out);

#endif
