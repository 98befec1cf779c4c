#include "spec/standins/parts/standin.h"

#include <signal.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "spec/standins/parts/faults.h"

enum { LOG_ENTRIES = 256, LOG_BODY_MAX = 1 << 20, REPLY_MAX = 1 << 30 };

struct program {
	const struct standin *standin;
	struct loop *loop;
	struct serve *serve;
	struct faults *faults;
	char
	    *requests[LOG_ENTRIES]; /* a ring of JSON texts; the next one goes to [logged % size] */
	size_t logged;
	struct work *waiting, **waiting_end; /* in line */
	struct work *working;                /* answered, but not sent yet */
	size_t busy;
	const char *listen, *port_file;
	int64_t latency_ms;
};

/* One request, from its arrival to its answer. */
struct work {
	struct program *program;
	struct work *next;
	struct serve_request *request;
	struct json *fault;
	struct standin_reply reply;
	struct timer *timer;
};

/* ---- replies ---- */

void standin_json(struct standin_reply *reply, int status, const struct json *value)
{
	auto_free char *text = json_print(value);

	reply->status = status;
	reply->content_type = "application/json";
	buf_clear(&reply->body);
	buf_adds(&reply->body, text);
	buf_addc(&reply->body, '\n');
}

void standin_error(struct standin_reply *reply, int status, const char *fmt, ...)
{
	auto_json struct json *body = json_object();
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	json_set_str(body, "error", message);
	standin_json(reply, status, body);
}

void standin_text(struct standin_reply *reply, int status, const char *text)
{
	reply->status = status;
	reply->content_type = "text/html; charset=utf-8"; /* what Flask calls any text */
	buf_clear(&reply->body);
	buf_adds(&reply->body, text);
}

/* ---- the log of requests ---- */

static void log_request(struct program *program, const struct serve_request *request)
{
	const char *authorization = serve_header(request, "Authorization");
	size_t len;
	const char *body = serve_body(request, &len);
	auto_free char *scheme = NULL;
	auto_free char *text = xstrndup(body, utf8_prefix(body, len, LOG_BODY_MAX));
	auto_json struct json *entry = NULL;
	size_t slot = program->logged++ % LOG_ENTRIES;

	if (authorization != NULL)
		scheme = xstrndup(authorization, strcspn(authorization, " "));
	entry = json_build("{'method': %s, 'path': %s, 'query': %s, 'accept': %s,"
			   " 'content_type': %s, 'authorization': %s, 'body': %s}",
			   serve_method(request), serve_path(request), serve_query(request),
			   serve_header(request, "Accept"), serve_header(request, "Content-Type"),
			   scheme, utf8_valid(text, strlen(text)) ? text : NULL);
	free(program->requests[slot]);
	program->requests[slot] = json_print(entry);
}

static void forget_requests(struct program *program)
{
	for (size_t i = 0; i < LOG_ENTRIES; i++) {
		free(program->requests[i]);
		program->requests[i] = NULL;
	}
	program->logged = 0;
}

static void list_requests(const struct program *program, struct standin_reply *reply)
{
	size_t i = program->logged < LOG_ENTRIES ? 0 : program->logged - LOG_ENTRIES;

	reply->status = 200;
	reply->content_type = "application/json";
	buf_adds(&reply->body, "[");
	for (const char *comma = ""; i < program->logged; i++, comma = ",\n")
		buf_addf(&reply->body, "%s%s", comma, program->requests[i % LOG_ENTRIES]);
	buf_adds(&reply->body, "]\n");
}

/* ---- the paths of standin.h ---- */

static void answer_requests(struct program *program, const char *method,
			    struct standin_reply *reply)
{
	if (streq(method, "DELETE"))
		forget_requests(program);
	list_requests(program, reply);
}

static void answer_faults(struct program *program, const struct serve_request *request,
			  struct standin_reply *reply)
{
	struct err err = ERR_INIT;
	auto_json struct json *left = NULL;
	size_t len;
	const char *body = serve_body(request, &len);

	if (streq(serve_method(request), "DELETE"))
		faults_clear(program->faults);
	if (streq(serve_method(request), "POST") &&
	    faults_add(program->faults, body, len, &err) < 0) {
		standin_error(reply, 400, "fault: %s", err.msg);
		return;
	}
	left = faults_list(program->faults);
	standin_json(reply, 200, left);
}

static bool answer_control(struct program *program, struct serve_request *request)
{
	struct standin_reply reply = {.body = BUF_INIT(REPLY_MAX)};

	if (streq(serve_path(request), "/requests"))
		answer_requests(program, serve_method(request), &reply);
	else if (streq(serve_path(request), "/faults"))
		answer_faults(program, request, &reply);
	else
		return false;
	serve_reply(request, reply.status, reply.content_type, NULL, reply.body.data,
		    reply.body.len);
	buf_done(&reply.body);
	return true;
}

/* ---- from arrival to answer ---- */

static void work_free(struct work *work)
{
	timer_free(work->timer);
	json_free(work->fault);
	buf_done(&work->reply.body);
	free(work);
}

/* Send the reply with the fault's headers and, to truncate it, half of what they announce. */
static void send_reply(struct work *work)
{
	const struct json *extra = json_get(work->fault, "headers");
	auto_free const char **headers = xcalloc(json_len(extra) + 3, sizeof(*headers));
	size_t count = 0, len = work->reply.body.len;
	char announced[48];

	for (const struct json *c = json_first(extra); c != NULL; c = json_next(c))
		headers[count++] = json_str(c);
	if (json_is_true(json_get(work->fault, "truncate"))) {
		snprintf(announced, sizeof(announced), "Content-Length: %zu", len + 1);
		headers[count++] = announced;
		headers[count] = "Connection: close";
		len /= 2;
	}
	serve_reply(work->request, work->reply.status, work->reply.content_type, headers,
		    work->reply.body.data, len);
}

static void pump(void *arg);

static void finish(void *arg)
{
	struct work *work = arg;
	struct program *program = work->program;
	struct work **link = &program->working;

	while (*link != work)
		link = &(*link)->next;
	*link = work->next;
	program->busy--;
	if (json_is_true(json_get(work->fault, "drop")))
		serve_drop(work->request);
	else
		send_reply(work);
	work_free(work);
	if (program->waiting != NULL)
		loop_defer(program->loop, pump, program);
}

static void answer(struct work *work)
{
	const struct standin *standin = work->program->standin;
	const struct json *fault = work->fault;

	if (!fault_answers(fault) || json_is_true(json_get(fault, "after")))
		standin->answer(standin->arg, work->request, &work->reply);
	if (!fault_answers(fault))
		return;
	work->reply.status = (int)json_get_int(fault, "status", 200);
	work->reply.content_type = json_get_str(fault, "content_type", "text/plain");
	buf_clear(&work->reply.body);
	buf_adds(&work->reply.body, json_get_str(fault, "body", ""));
}

/* Take requests out of the line while there is somebody to work on them. */
static void pump(void *arg)
{
	struct program *program = arg;
	size_t parallel = program->standin->parallel;

	while (program->waiting != NULL && (parallel == 0 || program->busy < parallel)) {
		struct work *work = program->waiting;
		int64_t delay = program->latency_ms;

		program->waiting = work->next;
		if (program->waiting == NULL)
			program->waiting_end = &program->waiting;
		work->next = program->working;
		program->working = work;
		program->busy++;
		work->fault = faults_strike(program->faults, serve_method(work->request),
					    serve_path(work->request));
		answer(work);
		delay += json_get_int(work->fault, "delay_ms", 0);
		work->timer = timer_new(program->loop, finish, work);
		timer_set(work->timer, delay);
	}
}

static void arrive(void *arg, struct serve_request *request)
{
	struct program *program = arg;
	struct work *work;

	if (answer_control(program, request))
		return;
	log_request(program, request);
	work = xcalloc(1, sizeof(*work));
	work->program = program;
	work->request = request;
	work->reply = (struct standin_reply){.body = BUF_INIT(REPLY_MAX)};
	*program->waiting_end = work;
	program->waiting_end = &work->next;
	pump(program);
}

/* ---- the program ---- */

static void stop(void *arg, int signo UNUSED)
{
	struct program *program = arg;

	loop_stop(program->loop);
}

static int set_option(struct program *program, const char *name, const char *value, struct err *err)
{
	if (streq(name, "--listen"))
		program->listen = value;
	else if (streq(name, "--port-file"))
		program->port_file = value;
	else if (streq(name, "--latency"))
		return duration_parse(value, &program->latency_ms, err);
	else
		return program->standin->option(program->standin->arg, name, value, err);
	return 0;
}

static int read_options(struct program *program, int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return err_set(err, ERR_INVALID, "%s: expected a value behind it", argv[i]);
		if (set_option(program, argv[i], argv[i + 1], err) < 0)
			return -1;
	}
	return 0;
}

static void print_help(const struct standin *standin)
{
	printf("%s - a stand-in for tests and the demo\n\n"
	       "  --listen HOST:PORT  where to serve (127.0.0.1:0, any free port)\n"
	       "  --port-file FILE    write the port there once it is served\n"
	       "  --latency DURATION  answer so much later (0)\n%s",
	       standin->name, standin->options);
}

/* Renamed into place, so that whoever waits for the file never reads half a number. */
static int write_port(const char *path, int port, struct err *err)
{
	auto_free char *unfinished = xasprintf("%s.new", path);
	auto_file FILE *file = fopen(unfinished, "we");

	if (file == NULL || fprintf(file, "%d\n", port) < 0 || fflush(file) != 0 ||
	    rename(unfinished, path) < 0)
		return err_set(err, ERR_RETRY, "%s: expected to write the port there: %m", path);
	return 0;
}

static int start(struct program *program, int argc, char **argv, struct err *err)
{
	if (read_options(program, argc, argv, err) < 0)
		return -1;
	program->serve =
	    serve_new(program->loop, program->listen, STANDIN_BODY_MAX, arrive, program, err);
	if (program->serve == NULL)
		return -1;
	if (program->port_file != NULL &&
	    write_port(program->port_file, serve_port(program->serve), err) < 0)
		return -1;
	log_info("listening", "address", program->listen, "port",
		 log_num(serve_port(program->serve)));
	return 0;
}

static void drop_all(struct work *work)
{
	while (work != NULL) {
		struct work *next = work->next;

		serve_drop(work->request);
		work_free(work);
		work = next;
	}
}

int standin_main(const struct standin *standin, int argc, char **argv)
{
	struct program program = {.standin = standin, .listen = "127.0.0.1:0"};
	struct err err = ERR_INIT;
	bool ok;

	if (argc == 2 && streq(argv[1], "--help")) {
		print_help(standin);
		return 0;
	}
	log_setup(LOG_INFO, LOG_TEXT);
	program.waiting_end = &program.waiting;
	program.faults = faults_new();
	program.loop = loop_new();
	loop_signal(program.loop, SIGTERM, stop, &program);
	loop_signal(program.loop, SIGINT, stop, &program);
	ok = start(&program, argc, argv, &err) == 0;
	if (ok)
		loop_run(program.loop);
	else
		fprintf(stderr, "%s: %s\n", standin->name, err.msg);
	loop_undefer(program.loop, &program);
	drop_all(program.waiting);
	drop_all(program.working);
	if (program.serve != NULL)
		serve_free(program.serve);
	loop_free(program.loop);
	faults_free(program.faults);
	forget_requests(&program);
	return ok ? 0 : 2;
}
