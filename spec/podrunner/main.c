/*
 * main.c - podrunner: a kubelet in small. It runs the containers of Pods as local processes.
 *
 * It watches the Pods of any API server and takes care of those of its node; see pod.h for what
 * becomes of one, layout.h for what a container finds, process.h for how it is started.
 * restartPolicy is always taken for Never.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/log.h"
#include "kube/watch.h"
#include "spec/podrunner/pod.h"
#include "spec/podrunner/process.h"
#include "spec/podrunner/status.h"

enum { IMAGES_MAX = 64, VARIABLES_MAX = 64 };

struct options {
	const char *kubeconfig, *root, *node;
	bool no_namespaces;
	struct image images[IMAGES_MAX];
	size_t image_count;
	const char *variables[VARIABLES_MAX + 1];
	size_t variable_count;
};

struct podrunner {
	struct options options;
	struct kube_config config;
	struct loop *loop;
	struct pod_env env;
	struct store *store;
	struct watch *watch;
	struct map *pods; /* by uid */
	char root[PATH_MAX];
};

/* ---- Pods ---- */

static void free_pod(void *value)
{
	pod_free(value);
}

static void on_over(void *arg, const char *uid)
{
	struct podrunner *runner = arg;

	map_del(runner->pods, uid);
}

static bool is_ours(const struct podrunner *runner, const struct json *object)
{
	const char *node = json_get_str(json_get(object, "spec"), "nodeName", "");

	return *node == '\0' || runner->options.node == NULL || streq(node, runner->options.node);
}

static void meet(struct podrunner *runner, const char *uid, const struct json *object)
{
	const char *phase = json_get_str(json_get(object, "status"), "phase", "");
	struct pod *pod;

	if (!is_ours(runner, object) || status_is_final(object))
		return;
	if (streq(phase, "Running") && !watch_synced(runner->watch))
		pod = pod_new_lost(&runner->env, object);
	else
		pod = pod_new(&runner->env, object);
	map_put(runner->pods, uid, pod);
	pod_update(pod, object);
}

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
		     const struct json *object)
{
	struct podrunner *runner = arg;
	struct pod *pod = map_get(runner->pods, meta->uid);

	if (type == WATCH_DELETED) {
		if (pod != NULL)
			pod_gone(pod);
	} else if (pod == NULL) {
		meet(runner, meta->uid, object);
	} else {
		pod_update(pod, object);
	}
}

static void on_trouble(void *arg UNUSED, const struct err *err)
{
	log_warn("watch interrupted", "error", err->msg);
}

/* ---- the command line ---- */

static const char help[] =
    "podrunner - run the containers of Pods as local processes\n"
    "\n"
    "  --kubeconfig FILE     how to reach the API server\n"
    "  --root DIR            where pods and their logs go: NAMESPACE_POD.log\n"
    "  --image NAME=PROGRAM  what to run for an image of this name (without tag); may be given\n"
    "                        again. NAME *: any image; no PROGRAM: the Pod has a command\n"
    "  --env NAME=VALUE      a variable that every image brings, unless the Pod says otherwise;\n"
    "                        may be given again\n"
    "  --node NAME           take care of the Pods of this node alone, and bind those without\n"
    "                        one to it (default: of every node; bind to podrunner)\n"
    "  --no-namespaces yes   do not give processes a root folder of their own; they find their\n"
    "                        files by KSERVE_CONTRACT and others, see process.h\n";

static int add_image(struct options *options, const char *value, struct err *err)
{
	const char *equals = strrchr(value, '=');

	if (equals == NULL || equals == value || options->image_count == IMAGES_MAX)
		return err_set(err, ERR_INVALID,
			       "--image %s: expected NAME=PROGRAM, at most %d times", value,
			       IMAGES_MAX);
	/* Lives as long as the program. */
	options->images[options->image_count].name = xstrndup(value, (size_t)(equals - value));
	options->images[options->image_count].binary = equals + 1;
	options->image_count++;
	return 0;
}

static int add_variable(struct options *options, const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value || options->variable_count == VARIABLES_MAX)
		return err_set(err, ERR_INVALID, "--env %s: expected NAME=VALUE, at most %d times",
			       value, VARIABLES_MAX);
	options->variables[options->variable_count++] = value;
	return 0;
}

static int set_option(struct options *options, const char *name, const char *value, struct err *err)
{
	if (streq(name, "--kubeconfig"))
		options->kubeconfig = value;
	else if (streq(name, "--root"))
		options->root = value;
	else if (streq(name, "--node"))
		options->node = value;
	else if (streq(name, "--no-namespaces"))
		options->no_namespaces = streq(value, "yes");
	else if (streq(name, "--image"))
		return add_image(options, value, err);
	else if (streq(name, "--env"))
		return add_variable(options, value, err);
	else
		return err_set(err, ERR_INVALID, "%s: unknown option; see --help", name);
	return 0;
}

static int read_options(struct options *options, int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return err_set(err, ERR_INVALID, "%s: expected a value behind it", argv[i]);
		if (set_option(options, argv[i], argv[i + 1], err) < 0)
			return -1;
	}
	if (options->root == NULL)
		return err_set(err, ERR_INVALID, "--root: expected a folder, found none");
	return 0;
}

/* ---- the program ---- */

static void on_signal(void *arg, int signo UNUSED)
{
	struct podrunner *runner = arg;

	loop_stop(runner->loop);
}

static int prepare(struct podrunner *runner, struct err *err)
{
	const struct options *options = &runner->options;

	if ((mkdir(options->root, 0755) < 0 && errno != EEXIST) ||
	    realpath(options->root, runner->root) == NULL)
		return err_set(err, ERR_INVALID, "--root %s: %m", options->root);
	if (kube_config_load(options->kubeconfig, NULL, &runner->config, err) < 0)
		return -1;
	runner->env = (struct pod_env){
	    .loop = runner->loop,
	    .client = client_new(runner->loop, &runner->config, err),
	    .config = &runner->config,
	    .root = runner->root,
	    .node = options->node == NULL ? "podrunner" : options->node,
	    .images = options->images,
	    .image_count = options->image_count,
	    .variables = options->variables,
	    .namespaces = !options->no_namespaces && process_can_isolate(runner->root),
	    .over = on_over,
	    .arg = runner,
	};
	return runner->env.client == NULL ? -1 : 0;
}

static void run(struct podrunner *runner)
{
	static const struct kind kind_pod = {"", "v1", "pods", "Pod"};
	const struct watch_spec spec = {
	    .kind = &kind_pod,
	    .store = runner->store,
	    .event = on_event,
	    .trouble = on_trouble,
	    .arg = runner,
	};

	log_info("podrunner runs", "server", runner->config.server, "root", runner->root,
		 "namespaces", runner->env.namespaces ? "yes" : "no");
	runner->watch = watch_start(runner->loop, runner->env.client, &spec);
	loop_run(runner->loop);
	watch_free(runner->watch);
}

int main(int argc, char **argv)
{
	static struct podrunner runner;
	struct err err = ERR_INIT;
	bool ok;

	if (argc == 2 && streq(argv[1], "--help")) {
		fputs(help, stdout);
		return 0;
	}
	log_setup(LOG_INFO, LOG_TEXT);
	runner.loop = loop_new();
	runner.store = store_new(NULL);
	runner.pods = map_new(free_pod);
	loop_signal(runner.loop, SIGTERM, on_signal, &runner);
	loop_signal(runner.loop, SIGINT, on_signal, &runner);
	ok = read_options(&runner.options, argc, argv, &err) == 0 && prepare(&runner, &err) == 0;
	if (ok)
		run(&runner);
	else
		fprintf(stderr, "podrunner: %s\n", err.msg);
	loop_undefer(runner.loop, &runner.env);
	map_free(runner.pods);
	store_free(runner.store);
	if (runner.env.client != NULL)
		client_free(runner.env.client);
	loop_free(runner.loop);
	kube_config_done(&runner.config);
	for (size_t i = 0; i < runner.options.image_count; i++)
		free((char *)runner.options.images[i].name);
	return ok ? 0 : 2;
}
