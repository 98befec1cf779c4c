/*
 * bench-policy: how long a policy evaluation takes, and where the time goes.
 *
 *	bench-policy PROGRAM OBJECTS        the worker's program; run, config, job, pods as JSON
 *
 * Asks what the engine asks (control/decide.c). Prints one JSON object. policy_eval_p50_us and _p99_us are those of one hook of the default
 * bundle, from policy_eval() to its answer: validate and contract asked together, status alone.
 * policy_eval_parts are the parts of a status, each measured alone in this process; wait is what
 * they leave of the whole: two processes that wake each other. policy_hung_other_ms is how long a
 * run waits for its answer while those of three others hang.
 */
#include "base/file.h"
#include "policy/eval.h"
#include "policy/frame.h"
#include "policy/host.h"

enum { ROUNDS = 2000, PART_ROUNDS = 1000, HUNG = 3 };

static const char bomb[] =
    "return {contract = function() string.find(('a'):rep(30000), ('.-'):rep(6) .. 'b') end}";

struct bench {
	struct loop *loop;
	struct policy_host *host;
	struct json *objects;
	bool failed;
};

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static struct json *request(const struct json *objects, const char *hooks)
{
	struct json *r = json_copy(objects);
	struct err err = ERR_INIT;

	json_set(r, "hooks", json_parse(hooks, strlen(hooks), &err));
	json_set_str(r, "now", "2026-11-24T10:00:05Z");
	return r;
}

/* ---- the whole ---- */

static void on_done(void *arg, const struct json *reply, const struct err *err)
{
	struct bench *b = arg;

	for (const struct json *r = json_first(json_get(reply, "results")); r; r = json_next(r))
		b->failed = b->failed || json_get(r, "ok") == NULL;
	b->failed = b->failed || err != NULL;
	loop_stop(b->loop);
}

static double time_eval(struct bench *b, const struct json *question)
{
	double began = now_us();

	policy_eval(b->host, "", question, on_done, b);
	loop_run(b->loop);
	return now_us() - began;
}

static struct json *start_question(const struct json *objects)
{
	struct json *question = request(objects, "[\"validate\", \"contract\"]");

	json_remove(question, "pods");
	json_set(question, "job", json_build("{'id': '6f0a3c52', 'name': 'iris'}"));
	return question;
}

static struct json *status_question(const struct json *objects)
{
	struct json *question = request(objects, "[\"status\"]");

	json_remove(question, "config");
	return question;
}

static double *time_hooks(struct bench *b)
{
	auto_json struct json *start = start_question(b->objects);
	auto_json struct json *status = status_question(b->objects);
	double *took = xcalloc(2 * ROUNDS, sizeof(*took));

	for (int i = -100; i < ROUNDS; i++) { /* the first ones warm caches */
		double of_start = time_eval(b, start) / 2, of_status = time_eval(b, status);

		if (i < 0)
			continue;
		took[2 * i] = of_start;
		took[2 * i + 1] = of_status;
	}
	qsort(took, 2 * ROUNDS, sizeof(*took), ascending);
	return took;
}

static void ignore(void *arg, const struct json *reply, const struct err *err)
{
	(void)arg, (void)reply, (void)err;
}

static double time_beside_hung(struct bench *b)
{
	auto_json struct json *files = json_build("{'contract.lua': %s}", bomb);
	auto_json struct json *question = request(b->objects, "[\"contract\"]");
	auto_json struct json *other = request(b->objects, "[\"status\"]");

	for (int i = 0; i < HUNG; i++) {
		auto_free char *name = xasprintf("hung-%d", i);

		policy_load(b->host, name, false, files, on_done, b);
		loop_run(b->loop);
	}
	for (int i = 0; i < HUNG; i++) {
		auto_free char *name = xasprintf("hung-%d", i);

		policy_eval(b->host, name, question, ignore, NULL);
	}
	return time_eval(b, other) / 1000;
}

/* ---- the parts ---- */

typedef void part_fn(const void *arg);

static double median(part_fn *part, const void *arg)
{
	static double took[PART_ROUNDS];

	for (int i = 0; i < PART_ROUNDS; i++) {
		double began = now_us();

		part(arg);
		took[i] = now_us() - began;
	}
	qsort(took, PART_ROUNDS, sizeof(*took), ascending);
	return took[PART_ROUNDS / 2];
}

static void pack(const void *message)
{
	auto_buf struct buf out = BUF_INIT(FRAME_HEADER + FRAME_MAX);
	struct err err = ERR_INIT;

	frame_pack(message, NULL, &out, &err);
}

static void unpack(const void *arg)
{
	const struct buf *frame = arg;
	struct err err = ERR_INIT;

	json_free(frame_unpack(frame->data + FRAME_HEADER, frame->len - FRAME_HEADER, &err));
}

/* Pack the message, and read it again. */
static double transport(const struct json *message, double *packing)
{
	auto_buf struct buf frame = BUF_INIT(FRAME_HEADER + FRAME_MAX);
	struct err err = ERR_INIT;

	frame_pack(message, NULL, &frame, &err);
	*packing = median(pack, message);
	return median(unpack, &frame);
}

struct script {
	const char *text; /* of status.lua; NULL: the default one */
	enum sandbox_want want;
	const struct json *request;
	struct bundle *bundle;
};

static void evaluate(const void *arg)
{
	static const char *const names[] = {"run", "job", "pods", "now"};
	const struct script *script = arg;
	auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&(struct sandbox_options){.bundle = script->bundle});
	struct sandbox_call call = {
	    .file = "status.lua", .function = "status", .want = script->want};
	struct policy_fault fault;

	for (; script->request != NULL && call.arg_count < SANDBOX_ARGS_MAX; call.arg_count++)
		call.args[call.arg_count] = json_get(script->request, names[call.arg_count]);
	sandbox_call(box, &call, &out, &fault);
	sandbox_free(box);
}

static double time_script(const char *text, enum sandbox_want want, const struct json *inputs)
{
	auto_json struct json *files = json_object();
	struct err err = ERR_INIT;
	struct script script = {.text = text, .want = want, .request = inputs};
	double took;

	if (text != NULL)
		json_set_str(files, "status.lua", text);
	script.bundle = bundle_new(files, &err);
	took = median(evaluate, &script);
	bundle_free(script.bundle);
	return took;
}

static void set_part(struct json *parts, const char *name, double us)
{
	auto_free char *text = xasprintf("%.1f", us > 0 ? us : 0);

	json_set(parts, name, json_number(text));
}

static struct json *time_parts(const struct json *objects, double whole)
{
	static const char idle[] = "return {status = function() end}";
	static const char answer[] = "return {status = function() return {phase = 'Running', "
				     "reason = 'Running', message = 'The runner is at work.'} end}";
	auto_json struct json *question = status_question(objects);
	auto_json struct json *reply =
	    json_build("{'ok': {'phase': 'Running', 'reason': 'Running', "
		       "'message': 'The runner is at work.'}, 'hook': 'status'}");
	struct json *parts = json_object();
	double state = time_script("return {}", SANDBOX_MODULE, NULL);
	double load = time_script(NULL, SANDBOX_MODULE, NULL) - state;
	double called = time_script(idle, SANDBOX_RESULT, NULL);
	double convert_in = time_script(idle, SANDBOX_RESULT, question) - called;
	double convert_out = time_script(answer, SANDBOX_RESULT, NULL) - called;
	double all = time_script(NULL, SANDBOX_RESULT, question);
	double frame, parse = transport(question, &frame);
	double pack_reply, reply_us = transport(reply, &pack_reply) + pack_reply;

	set_part(parts, "frame", frame);
	set_part(parts, "parse", parse);
	set_part(parts, "state", state);
	set_part(parts, "load", load);
	set_part(parts, "convert_in", convert_in);
	set_part(parts, "run", all - state - load - convert_in - convert_out);
	set_part(parts, "convert_out", convert_out);
	set_part(parts, "reply", reply_us);
	set_part(parts, "wait", whole - frame - parse - all - reply_us);
	return parts;
}

/* ---- the program ---- */

static struct json *read_objects(const char *path)
{
	auto_buf struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct json *objects = NULL;

	if (file_read(path, &text, &err) == 0)
		objects = json_parse(text.data, text.len, &err);
	if (objects == NULL)
		fprintf(stderr, "bench-policy: %s\n", err.msg);
	return objects;
}

static void measure(struct bench *b)
{
	auto_free double *took = time_hooks(b);
	double p50 = took[ROUNDS], p99 = took[2 * ROUNDS * 99 / 100];
	auto_json struct json *parts = time_parts(b->objects, p50);
	auto_free char *text = json_print(parts);

	printf("{\"policy_eval_p50_us\": %.1f, \"policy_eval_p99_us\": %.1f, "
	       "\"policy_eval_parts\": %s, \"policy_hung_other_ms\": %.1f}\n",
	       p50, p99, text, time_beside_hung(b));
}

int main(int argc, char **argv)
{
	struct bench b = {.failed = false};

	if (argc != 3) {
		fprintf(stderr, "usage: bench-policy PROGRAM OBJECTS\n");
		return 2;
	}
	b.objects = read_objects(argv[2]);
	if (b.objects == NULL)
		return 1;
	b.loop = loop_new();
	sandbox_prepare(); /* as the worker does */
	b.host = policy_host_new(b.loop, &(struct policy_options){.program = argv[1]});
	measure(&b);
	policy_host_free(b.host);
	loop_free(b.loop);
	json_free(b.objects);
	return b.failed ? 1 : 0;
}
