/*
 * config.h - where the API server is and who we are: a kubeconfig or the pod's own account.
 *
 * Kubeconfig format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/. Certificate
 * files are read here (relative to the kubeconfig's folder), token files later and again (auth.h).
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/err.h"

struct kube_exec {
	char **argv; /* NULL-terminated; argv NULL: no exec plugin */
	char **env;  /* "NAME=value", NULL-terminated */
	char *api_version;
	bool cluster_info; /* provideClusterInfo: tell the plugin about the cluster */
};

struct kube_config {
	char *server; /* no slash at its end */
	char *proxy;  /* or NULL, as all below */
	char *namespace;
	char *ca, *cert, *key; /* PEM */
	char *server_name;
	char *token, *token_file;
	char *username, *password;
	struct kube_exec exec;
	bool insecure;
};

/* text is the kubeconfig; dir is where relative paths start; context NULL means current-context. */
int kube_config_parse(const char *text, size_t len, const char *dir, const char *context,
		      struct kube_config *out, struct err *err);

/*
 * As kubectl looks: path if not NULL, else $KUBECONFIG (the first file of it), else the pod's
 * service account if $KUBERNETES_SERVICE_HOST is set, else ~/.kube/config.
 */
int kube_config_load(const char *path, const char *context, struct kube_config *out,
		     struct err *err);

/* The pod's account: $KUBERNETES_SERVICE_HOST and _PORT, and ca.crt, token and namespace in dir
 * (NULL: /var/run/secrets/kubernetes.io/serviceaccount). */
int kube_config_in_cluster(const char *dir, struct kube_config *out, struct err *err);

void kube_config_done(struct kube_config *config);

#endif
