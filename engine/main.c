/*
 * kserve-controller: reads its options, connects to the API server, takes the lease, and runs the
 * controller until SIGTERM. The same program is the policy worker (see policy/host.h), and the
 * tools for policies (tools/tools.h).
 */
#include <signal.h>

#include "base/log.h"
#include "control/controller.h"
#include "kube/lease.h"
#include "net/serve.h"
#include "options.h"
#include "tools/tools.h"

enum { EXIT_WRONG_USE = 2, STUCK_MS = 5 * 60 * 1000 };

struct app {
	struct options options;
	struct kube_config config;
	struct loop *loop;
	struct client *client;
	struct events *events;
	struct policy_host *host;
	struct metrics *metrics;
	struct controller *controller;
	struct lease *lease; /* NULL without leader election */
	struct serve *serve;
	char *identity; /* in the lease and in Events */
	bool stopping;
	int status;
};

/* ---- the end ---- */

static void end(void *arg)
{
	struct app *app = arg;

	loop_stop(app->loop);
}

static void passes_ended(void *arg)
{
	struct app *app = arg;

	if (app->lease != NULL)
		lease_release(app->lease, end, app);
	else
		end(app);
}

static void on_signal(void *arg, int signo)
{
	struct app *app = arg;

	if (app->stopping)
		return;
	app->stopping = true;
	log_info("stopping", "signal", signo == SIGINT ? "SIGINT" : "SIGTERM");
	controller_stop(app->controller, passes_ended, app);
}

/* ---- the lease ---- */

static void lead(void *arg)
{
	struct app *app = arg;

	log_info("leading");
	metrics_set(app->metrics, METRIC_LEADER, "name=\"kserve-controller\"", 1);
	controller_lead(app->controller);
}

/* Another may lead already: end at once, in the middle of whatever is under way. */
static void lost(void *arg)
{
	struct app *app = arg;

	log_error("the lease is lost, ending");
	app->status = EXIT_FAILURE;
	loop_stop(app->loop);
}

static void lease_waiting(void *arg UNUSED, const char *holder)
{
	log_info("another controller leads, waiting", "holder", holder);
}

static void lease_trouble(void *arg UNUSED, const struct err *err)
{
	log_warn("lease", "kind", err_kind_name(err->kind), "error", err->msg);
}

static bool may_write(void *arg)
{
	const struct app *app = arg;

	return app->lease == NULL || lease_fresh(app->lease);
}

/* ---- health and metrics ---- */

/* Labels as client-go has them. */
static void observe_request(void *arg, const char *method, int status, int64_t duration_ms)
{
	struct app *app = arg;
	char labels[96], code[12];

	snprintf(code, sizeof(code), "%d", status);
	snprintf(labels, sizeof(labels), "code=\"%s\",method=\"%s\"",
		 status != 0 ? code : "<error>", method);
	metrics_add(app->metrics, METRIC_REQUESTS_TOTAL, labels, 1);
	snprintf(labels, sizeof(labels), "verb=\"%s\"", method);
	metrics_observe(app->metrics, METRIC_REQUEST_SECONDS, labels, (double)duration_ms / 1000);
}

static void reply_text(struct serve_request *request, int status, const char *text)
{
	serve_reply(request, status, "text/plain; charset=utf-8", NULL, text, strlen(text));
}

static void on_request(void *arg, struct serve_request *request)
{
	struct app *app = arg;
	const char *path = serve_path(request);
	auto_free char *text = NULL;

	if (streq(path, "/healthz")) {
		bool stuck = controller_oldest_ms(app->controller) > STUCK_MS;

		reply_text(request, stuck ? 503 : 200,
			   stuck ? "a run has been ready for a pass for over 5 minutes\n" : "ok\n");
	} else if (streq(path, "/readyz")) {
		bool ready = controller_ready(app->controller);

		reply_text(request, ready ? 200 : 503,
			   ready ? "ok\n" : "the caches are not full yet\n");
	} else if (streq(path, "/metrics")) {
		controller_measure(app->controller);
		text = metrics_text(app->metrics);
		serve_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, text,
			    strlen(text));
	} else {
		reply_text(request, 404, "expected /healthz, /readyz or /metrics\n");
	}
}

/* ---- the start ---- */

static void start_lease(struct app *app, const char *namespace)
{
	metrics_set(app->metrics, METRIC_LEADER, "name=\"kserve-controller\"", 0);
	app->lease = lease_start(app->loop, app->client,
				 &(struct lease_spec){.namespace = namespace,
						      .name = app->options.lease,
						      .identity = app->identity,
						      .started = lead,
						      .lost = lost,
						      .waiting = lease_waiting,
						      .trouble = lease_trouble,
						      .arg = app});
}

static void build_controller(struct app *app, const char *namespace)
{
	app->controller = controller_new(
	    &(struct controller_deps){app->loop, app->client, app->host, app->events, app->metrics},
	    &(struct controller_spec){.namespaces = (const char *const *)app->options.namespaces,
				      .policy_namespace = namespace,
				      .policy_name = app->options.policy_configmap,
				      .config_policies = app->options.config_policies,
				      .service_account = app->options.service_account,
				      .pending_ms = app->options.pending_ms,
				      .max_in_flight = (int)app->options.max_in_flight,
				      .resync_ms = app->options.polling_ms,
				      .may_write = may_write,
				      .arg = app});
}

static int start(struct app *app, struct err *err)
{
	const char *namespace;

	if (kube_config_load(app->options.kubeconfig, app->options.context, &app->config, err) < 0)
		return -1;
	namespace = app->options.namespace != NULL  ? app->options.namespace
		    : app->config.namespace != NULL ? app->config.namespace
						    : "default";
	app->loop = loop_new();
	app->client = client_new(app->loop, &app->config, err);
	if (app->client == NULL)
		return -1;
	app->serve = serve_new(app->loop, app->options.listen, 0, on_request, app, err);
	if (app->serve == NULL)
		return err_wrap(err, "--listen");
	client_observe(app->client, observe_request, app);
	app->identity = lease_identity();
	app->events = events_new(
	    app->loop, app->client,
	    &(struct events_spec){.component = "kserve-controller", .instance = app->identity});
	app->host = policy_host_new(app->loop, &(struct policy_options){0});
	build_controller(app, namespace);
	loop_signal(app->loop, SIGTERM, on_signal, app);
	loop_signal(app->loop, SIGINT, on_signal, app);
	if (app->options.leader_elect)
		start_lease(app, namespace);
	else
		lead(app);
	log_info("started", "version", VERSION, "server", app->config.server, "namespace",
		 namespace, "port", log_num(serve_port(app->serve)));
	return 0;
}

/* Everything may be half built. */
static void finish(struct app *app)
{
	lease_free(app->lease);
	controller_free(app->controller);
	policy_host_free(app->host);
	events_free(app->events);
	serve_free(app->serve);
	client_free(app->client);
	metrics_free(app->metrics);
	if (app->loop != NULL)
		loop_free(app->loop);
	free(app->identity);
	kube_config_done(&app->config);
	options_done(&app->options);
}

static int run(struct app *app)
{
	struct err err = ERR_INIT;

	log_setup(app->options.log_level, app->options.log_format);
	app->metrics = metrics_new();
	if (start(app, &err) < 0) {
		log_error("cannot start", "error", err.msg);
		app->status = EXIT_FAILURE;
	} else {
		loop_run(app->loop);
		log_info("stopped");
	}
	finish(app);
	return app->status;
}

static const char *environment(const char *name)
{
	return getenv(name);
}

int main(int argc, char **argv)
{
	struct app app = {.status = EXIT_SUCCESS};
	struct err err = ERR_INIT;
	enum options_action action;

	if (argc == 2 && streq(argv[1], "policy-worker"))
		policy_worker_main();
	if (argc >= 2 && tools_know(argv[1]))
		return tools_main(argc, argv);
	if (options_parse(argc, argv, environment, &app.options, &action, &err) < 0) {
		fprintf(stderr, "kserve-controller: %s\n", err.msg);
		return EXIT_WRONG_USE;
	}
	switch (action) {
	case OPTIONS_HELP:
		options_help(stdout);
		fputs("\nTools for policies, which need no cluster (--help behind one tells "
		      "more):\n\n",
		      stdout);
		tools_help(stdout);
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		puts("kserve-controller " VERSION);
		return EXIT_SUCCESS;
	case OPTIONS_RUN:
		break;
	}
	return run(&app);
}
