/*
 * options.h - flags and environment of the controller. Pure: the environment is an argument.
 *
 * Every setting has a flag and a variable of the same name; the flag wins. A value that does not
 * parse is an error that names where it came from, what was found and what would be right.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/err.h"
#include "base/log.h"

enum { NAMESPACES_MAX = 64 };

struct options {
	const char *kubeconfig, *context;     /* NULL: as kubectl finds them */
	const char *namespace;                /* our own; NULL: the kubeconfig's or the pod's */
	char *namespaces[NAMESPACES_MAX + 1]; /* to watch, NULL-terminated; empty: all; owned */
	const char *service_account;          /* of runner pods; NULL: none */
	const char *policy_configmap;
	bool config_policies; /* InferenceConfigs may have policies of their own */
	const char *listen;   /* of health and metrics: host:port */
	const char *lease;    /* name of the Lease */
	int64_t polling_ms;
	int64_t pending_ms; /* 0: no limit */
	int64_t max_in_flight;
	bool leader_elect;
	enum log_level log_level;
	enum log_format log_format;
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

typedef const char *options_env_fn(const char *name); /* getenv(3) */

/* Strings are borrowed from argv and the environment. */
int options_parse(int argc, char *const *argv, options_env_fn *env, struct options *out,
		  enum options_action *action, struct err *err);
void options_done(struct options *options);

/* The text of --help. */
void options_help(FILE *out);

#endif
