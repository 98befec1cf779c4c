/*
 * apisim - an in-memory Kubernetes API server for demos, tests and benchmarks. See README.md.
 */
#include <getopt.h>
#include <signal.h>

#include "base/file.h"
#include "base/log.h"
#include "spec/apisim/api.h"
#include "spec/apisim/cronjobs.h"
#include "spec/apisim/gc.h"
#include "spec/apisim/jobs.h"
#include "spec/apisim/kubelet.h"
#include "spec/apisim/write.h"

enum { HISTORY = 20000, TOKEN_MAX = 8192, BACKOFF_MS = 10000 };

struct options {
	struct front_options front;
	struct api_options api;
	const char *token_file, *port_file, *auto_run;
	int64_t history;
	double backoff_scale;
};

/* Everything that runs, in the order of its making. */
struct parts {
	struct server server;
	struct hub *hub;
	struct gc *gc;
	struct jobs *jobs;
	struct cronjobs *cronjobs;
	struct kubelet *kubelet;
	struct api *api;
	struct front *front;
};

static const char usage[] =
    "usage: apisim [--listen HOST:PORT] [--tls-cert FILE --tls-key FILE] [--client-ca FILE]\n"
    "              [--token FILE] [--port-file FILE] [--latency MS] [--history EVENTS]\n"
    "              [--auto-run MS[,fail=RE][,exit=CODE]] [--backoff-scale X]\n";

static int64_t number(const char *name, const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (*end == '\0' && end != text && n >= 0)
		return n;
	fprintf(stderr, "apisim: --%s: expected a number, found \"%s\"\n", name, text);
	exit(2);
}

static void read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	    {"listen", required_argument, NULL, 'l'},
	    {"tls-cert", required_argument, NULL, 'c'},
	    {"tls-key", required_argument, NULL, 'k'},
	    {"client-ca", required_argument, NULL, 'a'},
	    {"token", required_argument, NULL, 't'},
	    {"port-file", required_argument, NULL, 'p'},
	    {"latency", required_argument, NULL, 'd'},
	    {"history", required_argument, NULL, 'h'},
	    {"auto-run", required_argument, NULL, 'r'},
	    {"backoff-scale", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'l')
			o->front.listen = optarg;
		else if (c == 'c')
			o->front.cert = optarg;
		else if (c == 'k')
			o->front.key = optarg;
		else if (c == 'a')
			o->front.client_ca = optarg;
		else if (c == 't')
			o->token_file = optarg;
		else if (c == 'p')
			o->port_file = optarg;
		else if (c == 'd')
			o->api.latency_ms = number("latency", optarg);
		else if (c == 'h')
			o->history = number("history", optarg);
		else if (c == 'r')
			o->auto_run = optarg;
		else if (c == 's')
			o->backoff_scale = strtod(optarg, NULL);
		else
			c = '?';
		if (c == '?') {
			fputs(usage, stderr);
			exit(2);
		}
	}
}

static void stop(void *arg, int signo UNUSED)
{
	loop_stop(arg);
}

static void preset_namespaces(struct server *server)
{
	static const char *const names[] = {"default", "kube-system"};
	const struct write_options options = {.dry_run = false};
	struct target target = {.namespace = "", .name = "", .subresource = ""};

	target.resource = kinds_find(server->kinds, "", "v1", "namespaces");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct blob *blob = NULL;

		json_free(write_create(server, &target,
				       json_build("{'metadata':{'name':%s}}", names[i]), &options,
				       &blob));
		blob_unref(blob);
	}
}

static char *read_token(const char *path)
{
	auto_buf struct buf text = BUF_INIT(TOKEN_MAX);
	struct err err = ERR_INIT;

	if (path == NULL)
		return NULL;
	if (file_read(path, &text, &err) < 0) {
		fprintf(stderr, "apisim: --token: %s\n", err.msg);
		exit(2);
	}
	return xstrndup(text.data, strcspn(text.data, "\r\n"));
}

static void announce(const struct options *o, const struct front *front)
{
	size_t host = strcspn(o->front.listen, ":");
	const char *scheme = o->front.cert != NULL ? "https" : "http";
	auto_file FILE *file = NULL;

	printf("%s://%.*s:%d\n", scheme, host > 0 ? (int)host : 9,
	       host > 0 ? o->front.listen : "127.0.0.1", front_port(front));
	fflush(stdout);
	if (o->port_file == NULL)
		return;
	file = fopen(o->port_file, "w");
	if (file != NULL)
		fprintf(file, "%d\n", front_port(front));
}

/* 0, or -1 with err set; what has been made is to be freed in either case. */
static int parts_make(struct parts *parts, const struct options *o, struct err *err)
{
	struct server *server = &parts->server;

	server->loop = loop_new();
	server->store = store_new((size_t)(o->history > 0 ? o->history : 1));
	server->kinds = kinds_new();
	parts->hub = hub_new(server);
	parts->gc = gc_new(server);
	parts->jobs = jobs_new(server, (int64_t)(BACKOFF_MS * o->backoff_scale));
	parts->cronjobs = cronjobs_new(server);
	parts->api = api_new(server, parts->hub, &o->api);
	preset_namespaces(server);
	if (o->auto_run != NULL) {
		parts->kubelet = kubelet_new(server, o->auto_run, err);
		if (parts->kubelet == NULL)
			return err_wrap(err, "--auto-run");
	}
	parts->front = front_new(server->loop, &o->front, api_handle, parts->api, err);
	return parts->front != NULL ? 0 : -1;
}

static void parts_free(struct parts *parts)
{
	front_free(parts->front);
	api_free(parts->api);
	kubelet_free(parts->kubelet);
	cronjobs_free(parts->cronjobs);
	jobs_free(parts->jobs);
	gc_free(parts->gc);
	hub_free(parts->hub);
	store_free(parts->server.store);
	kinds_free(parts->server.kinds);
	loop_free(parts->server.loop);
}

int main(int argc, char **argv)
{
	struct options o = {.front.listen = "127.0.0.1:0", .history = HISTORY, .backoff_scale = 1};
	struct parts parts = {.front = NULL};
	auto_free char *token = NULL;
	struct err err = ERR_INIT;

	read_options(argc, argv, &o);
	o.api.token = token = read_token(o.token_file);
	o.api.client_certs = o.front.client_ca != NULL;
	if (parts_make(&parts, &o, &err) == 0) {
		loop_signal(parts.server.loop, SIGTERM, stop, parts.server.loop);
		loop_signal(parts.server.loop, SIGINT, stop, parts.server.loop);
		announce(&o, parts.front);
		loop_run(parts.server.loop);
	} else {
		fprintf(stderr, "apisim: %s\n", err.msg);
	}
	parts_free(&parts);
	return err.kind == ERR_NONE ? 0 : 1;
}
