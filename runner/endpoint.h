/*
 * endpoint.h - Krateo endpoints: Secrets that tell how to reach a server.
 *
 * Keys: server-url (required), username and password (Basic), token (Bearer), aws-access-key,
 * aws-secret-key, aws-region (us-east-1), aws-service (s3) and our aws-session-token (signatures),
 * proxy-url, insecure, certificate-authority-data, client-certificate-data, client-key-data. The
 * last three are PEM, or base64 of PEM as Krateo writes them. debug logs each call, without
 * what is secret. Two kinds of credentials at once are refused.
 * (https://github.com/krateoplatformops/plumbing, endpoints/)
 *
 * The Secret is read from the Kubernetes API at KUBERNETES_SERVICE_HOST and _PORT, with token and
 * ca.crt of the service account in KSERVE_SERVICEACCOUNT_DIR (default
 * /var/run/secrets/kubernetes.io/serviceaccount). A KUBERNETES_SERVICE_HOST that starts with
 * http:// or https:// is the whole URL.
 */
#ifndef RUNNER_ENDPOINT_H
#define RUNNER_ENDPOINT_H

#include "base/json.h"
#include "runner/http.h"
#include "runner/report.h"

struct endpoint {
	char *url;
	char *authorization; /* the value of the header, or NULL */
	struct http_peer peer;
};

/* secret is the object of the API. Messages name keys, never values. */
int endpoint_from_secret(const struct json *secret, struct endpoint *out, struct err *err);

/* An empty namespace is that of the service account. */
int endpoint_load(const char *namespace, const char *name, struct endpoint *out,
		  struct fault *fault);

/* The URL of a path, which may hold a query; yours. */
char *endpoint_join(const struct endpoint *endpoint, const char *path);

/* Overwrites what is secret. */
void endpoint_done(struct endpoint *endpoint);
#define auto_endpoint __attribute__((cleanup(endpoint_done)))

#endif
