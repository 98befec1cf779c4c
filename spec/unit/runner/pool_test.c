/*
 * pool_test.c - chunks of rows through a model that refuses some of them, or all for a while. The
 * rows are [1], [2], ...; the model answers with the same numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "base/log.h"
#include "runner/pool.h"
#include "runner/protocol.h"
#include "runner/work.h"
#include "spec/unit/runner/scripted.h"

/* ---- a model that thinks ---- */

struct mind {
	size_t most; /* rows of a request; more get `too_many`; 0: any number */
	const char *too_many;
	const char *poison; /* "[7]": a request with this row gets `refusal` */
	const char *refusal;
	int busy; /* so many requests get `excuse` first */
	const char *excuse;
	int requests, signal_at; /* a signal comes with that request; 0: none */
	size_t largest;          /* the most rows that were answered well */
};

static size_t count_rows(const char *data)
{
	size_t count = 0;

	for (const char *p = strstr(data, "[["); p != NULL && *p != ']'; p = strchr(p + 1, ']') + 1)
		count++;
	return count;
}

static char *think(struct scripted *s, const char *request)
{
	struct mind *mind = s->arg;
	const char *start = strstr(scripted_body(request), "[[");
	auto_free char *data = xstrndup(start, (size_t)(strstr(start, "]]") + 2 - start));
	size_t rows = count_rows(data);

	mind->requests++;
	if (mind->requests == mind->signal_at) {
		http_stop = 1;
		return xstrdup(SCRIPT_HANG);
	}
	if (mind->busy > 0 && mind->busy-- > 0)
		return xstrdup(mind->excuse);
	if (mind->most > 0 && rows > mind->most)
		return xstrdup(mind->too_many);
	if (mind->poison != NULL && strstr(data, mind->poison) != NULL)
		return xstrdup(mind->refusal);
	mind->largest = rows > mind->largest ? rows : mind->largest;
	return xasprintf(OK("{\"outputs\":[{\"name\":\"y\",\"data\":%s}]}"), data);
}

/* ---- an input of numbers, an output in memory ---- */

struct storage {
	int64_t next, last; /* of the input */
	int digits;         /* of a number behind its point */
	struct buf written; /* of the output */
	bool forget;        /* keep nothing of it */
	int64_t rows;
};

static int read_numbers(struct storage *storage, struct buf *out, struct fault *fault UNUSED)
{
	for (int i = 0; i < 10 && storage->next <= storage->last; i++)
		buf_addf(out, storage->digits > 0 ? "[%lld.%0*d]\n" : "[%lld]\n",
			 (long long)storage->next++, storage->digits, 0);
	return 0;
}

static int write_memory(struct storage *storage, const char *bytes, size_t len, int64_t rows,
			struct fault *fault UNUSED)
{
	storage->rows += rows;
	return storage->forget ? 0 : buf_add(&storage->written, bytes, len);
}

static const struct provider memory = {
    .name = "memory", .read = read_numbers, .write = write_memory};

struct flow {
	const char *name;
	struct mind mind;
	int64_t rows, allowed; /* of the input; that may fail */
	size_t batch, parallel;
	enum layout layout;
	int max_requests;

	/* what comes of it */
	const char *reason; /* NULL: all goes well */
	int64_t failed;
	size_t largest;
	const char *written; /* NULL: do not look */
};

static void flow_start(struct flow *flow, struct scripted *s)
{
	*s = (struct scripted){.think = think, .arg = &flow->mind};
	scripted_start(s);
}

static int flow_run(struct flow *flow, int port, struct storage *input, struct storage *output,
		    struct report *report, struct fault *fault)
{
	struct contract contract = {
	    .model = {.protocol = &v2_protocol,
		      .inputs = {{.name = "x", .datatype = "INT64"}},
		      .input_count = 1,
		      .rows = flow->batch,
		      .parallel = flow->parallel},
	    .input = {.provider = &memory, .format = &jsonl_format},
	    .output = {.provider = &memory, .format = &jsonl_format, .layout = flow->layout},
	    .max_failed_rows = flow->allowed};
	struct rows rows = ROWS_INIT(v2_protocol.rule(&contract.model));
	struct reader reader;
	struct pool pool = {
	    .contract = &contract, .reader = &reader, .output = output, .report = report};
	int rc;

	contract.model.url = xasprintf("http://127.0.0.1:%d/x", port);
	reader_init(&reader, &contract.input, input);
	rc = pool_first(&pool, &rows, fault);
	if (rc == 0)
		rc = pool_run(&pool, &rows, fault);
	reader_done(&reader);
	rows_done(&rows);
	free(contract.model.url);
	return rc;
}

static void check_flow(struct flow *flow)
{
	struct storage input = {.next = 1, .last = flow->rows},
		       output = {.written = BUF_INIT(1 << 20)};
	struct report report = {.phase = PHASE_INPUT};
	struct fault fault = FAULT_INIT;
	struct scripted s;
	int rc;

	flow_start(flow, &s);
	rc = flow_run(flow, s.port, &input, &output, &report, &fault);
	scripted_stop(&s);
	if ((rc == 0) != (flow->reason == NULL) ||
	    (rc < 0 && !streq(reason_name(fault.reason), flow->reason)))
		fail_msg("%s: expected %s, found %d %s: %s", flow->name,
			 flow->reason != NULL ? flow->reason : "success", rc,
			 reason_name(fault.reason), fault.err.msg);
	if (report.rows_failed != flow->failed)
		fail_msg("%s: %lld rows failed", flow->name, (long long)report.rows_failed);
	if (flow->mind.requests > flow->max_requests)
		fail_msg("%s: %d requests", flow->name, flow->mind.requests);
	if (flow->largest > 0 && flow->mind.largest != flow->largest)
		fail_msg("%s: %zu rows in a request", flow->name, flow->mind.largest);
	if (rc == 0)
		assert_int_equal(output.rows, flow->rows);
	if (flow->written != NULL && !streq(output.written.data, flow->written))
		fail_msg("%s: expected %s, found %s", flow->name, flow->written,
			 output.written.data);
	buf_done(&output.written);
}

#define TOO_LARGE ANSWER("413 Payload Too Large", "", "")
#define GATEWAY ANSWER("504 Gateway Timeout", "", "")
#define BAD ANSWER("400 Bad Request", JSON_TYPE, "{\"error\": \"bad\"}")
#define BROKEN ANSWER("500 Internal Server Error", JSON_TYPE, "{\"error\": \"oops\"}")
#define NO_ROUTE ANSWER("404 Not Found", "", "")
#define NO_MODEL ANSWER("404 Not Found", JSON_TYPE, "{\"error\": \"no model\"}")
#define FAILED(row, status)                                                                        \
	"{\"row\":" row ",\"error\":{\"status\":" status                                           \
	",\"message\":\"the model: expected HTTP "                                                 \
	"status 2xx, found " status ", which says: "

static void test_faults(void **state UNUSED)
{
	struct flow flows[] = {
	    {.name = "nothing may fail",
	     .rows = 10,
	     .batch = 4,
	     .parallel = 1,
	     .mind = {.poison = "[7]", .refusal = BAD},
	     .reason = "ModelRejected",
	     .max_requests = 2,
	     .written = "1\n2\n3\n4\n"},
	    {.name = "one row too many",
	     .rows = 1,
	     .batch = 1,
	     .parallel = 1,
	     .allowed = 1,
	     .layout = LAYOUT_ROWS,
	     .mind = {.most = 1, .poison = "[1]", .refusal = TOO_LARGE},
	     .max_requests = 1,
	     .failed = 1},
	    {.name = "unauthorized",
	     .rows = 10,
	     .batch = 4,
	     .parallel = 4,
	     .allowed = 5,
	     .layout = LAYOUT_ROWS,
	     .mind = {.busy = 1, .excuse = ANSWER("401 Unauthorized", "", "")},
	     .reason = "ModelRejected",
	     .max_requests = 1},
	    {.name = "no such model",
	     .rows = 10,
	     .batch = 4,
	     .parallel = 1,
	     .mind = {.busy = 1, .excuse = NO_MODEL},
	     .reason = "ModelRejected",
	     .max_requests = 1},
	    {.name = "all rows refused",
	     .rows = 100,
	     .batch = 10,
	     .parallel = 1,
	     .allowed = 3,
	     .layout = LAYOUT_ROWS,
	     .mind = {.poison = "[", .refusal = BAD},
	     .reason = "ModelRejected",
	     .failed = 4,
	     .max_requests = 14},
	    {.name = "a model that never answers 500 well",
	     .rows = 2,
	     .batch = 2,
	     .parallel = 1,
	     .mind = {.poison = "[", .refusal = BROKEN},
	     .reason = "ModelRejected",
	     .max_requests = 3},

	    {.name = "413 makes chunks smaller",
	     .rows = 100,
	     .batch = 32,
	     .parallel = 1,
	     .mind = {.most = 5, .too_many = TOO_LARGE},
	     .largest = 4,
	     .max_requests = 60},
	    {.name = "504, too, and in parallel",
	     .rows = 100,
	     .batch = 32,
	     .parallel = 4,
	     .mind = {.most = 5, .too_many = GATEWAY},
	     .largest = 4,
	     .max_requests = 90},
	    {.name = "down to one row",
	     .rows = 9,
	     .batch = 9,
	     .parallel = 2,
	     .mind = {.most = 1, .too_many = TOO_LARGE},
	     .largest = 1,
	     .max_requests = 20,
	     .written = "1\n2\n3\n4\n5\n6\n7\n8\n9\n"},
	    {.name = "a row at fault is found",
	     .rows = 5,
	     .batch = 5,
	     .parallel = 1,
	     .allowed = 1,
	     .layout = LAYOUT_ROWS,
	     .mind = {.poison = "[3]", .refusal = BAD},
	     .failed = 1,
	     .max_requests = 6,
	     .written = "{\"row\":1,\"y\":1}\n{\"row\":2,\"y\":2}\n" FAILED(
		 "3", "400") "bad\"}}\n{\"row\":4,\"y\":4}\n{\"row\":5,\"y\":5}\n"},
	    {.name = "also behind a 500",
	     .rows = 40,
	     .batch = 8,
	     .parallel = 4,
	     .allowed = 1,
	     .layout = LAYOUT_ROWS,
	     .mind = {.poison = "[33]", .refusal = BROKEN},
	     .failed = 1,
	     .max_requests = 30},
	    {.name = "more rows fail than may",
	     .rows = 20,
	     .batch = 4,
	     .parallel = 1,
	     .allowed = 2,
	     .layout = LAYOUT_ROWS,
	     .mind = {.poison = "[1", .refusal = BAD},
	     .failed = 12,
	     .max_requests = 20},
	    {.name = "a cold start",
	     .rows = 40,
	     .batch = 4,
	     .parallel = 8,
	     .mind = {.busy = 9, .excuse = ANSWER("503 Service Unavailable", "", "")},
	     .max_requests = 19},
	    {.name = "time-outs of a gateway while the model starts leave later chunks whole",
	     .rows = 40,
	     .batch = 8,
	     .parallel = 1,
	     .mind = {.busy = 3, .excuse = GATEWAY},
	     .largest = 8,
	     .max_requests = 11},
	    {.name = "a route that is not there yet",
	     .rows = 4,
	     .batch = 4,
	     .parallel = 1,
	     .mind = {.busy = 3, .excuse = NO_ROUTE},
	     .max_requests = 4},
	    {.name = "not ready, says MLServer",
	     .rows = 4,
	     .batch = 4,
	     .parallel = 1,
	     .mind = {.busy = 2,
		      .excuse = ANSWER("400 Bad Request", JSON_TYPE,
				       "{\"error\": \"Model is not ready yet.\"}")},
	     .max_requests = 3},
	    {.name = "resets",
	     .rows = 8,
	     .batch = 1,
	     .parallel = 2,
	     .mind = {.busy = 4, .excuse = SCRIPT_RESET},
	     .max_requests = 12,
	     .written = "1\n2\n3\n4\n5\n6\n7\n8\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(flows); i++)
		check_flow(&flows[i]);
}

/* Whatever happens to the chunks, what is written is in the order of the input. */
static void test_order(void **state UNUSED)
{
	enum { ROWS = 500 };
	auto_buf struct buf expected = BUF_INIT(1 << 20);

	for (int i = 1; i <= ROWS; i++)
		buf_addf(&expected, "%d\n", i);
	for (size_t parallel = 1; parallel <= PARALLEL_MAX; parallel *= 4) {
		struct flow flow = {
		    .name = "order",
		    .rows = ROWS,
		    .batch = 7,
		    .parallel = parallel,
		    .max_requests = 400,
		    .mind = {.most = 6, .too_many = GATEWAY, .busy = 5, .excuse = SCRIPT_CLOSE},
		    .written = expected.data};

		check_flow(&flow);
	}
}

/* A model that has gone is given up when patience is over, not before, and not at once. */
static void test_patience(void **state UNUSED)
{
	struct flow flow = {
	    .name = "gone",
	    .rows = 4,
	    .batch = 1,
	    .parallel = 4,
	    .mind = {.busy = 1000000, .excuse = ANSWER("503 Service Unavailable", "", "")},
	    .reason = "ModelUnavailable",
	    .max_requests = 1000000};
	struct err err = ERR_INIT;

	setenv("KSERVE_PATIENCE", "30ms", 1);
	assert_int_equal(pool_setup(&err), 0);
	check_flow(&flow);
	assert_true(flow.mind.requests > 1);
	setenv("KSERVE_PATIENCE", "soon", 1);
	assert_int_equal(pool_setup(&err), -1);
	assert_non_null(strstr(err.msg, "KSERVE_PATIENCE"));
}

/* What was finished before the signal is written, and nothing that comes behind a gap. */
static void test_signal(void **state UNUSED)
{
	struct flow flow = {.name = "signal",
			    .rows = 100,
			    .batch = 2,
			    .parallel = 1,
			    .mind = {.signal_at = 3},
			    .reason = "Interrupted",
			    .max_requests = 3,
			    .written = "1\n2\n3\n4\n"};

	check_flow(&flow);
	http_stop = 0;
}

/* What a run of 64 MiB of rows takes; a gigabyte takes no more. */
static int64_t peak_kib(struct flow *flow, int port)
{
	struct storage input = {.next = 1, .last = flow->rows, .digits = 1000},
		       output = {.forget = true};
	struct report report = {.phase = PHASE_INPUT};
	struct fault fault = FAULT_INIT;
	struct rusage usage;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(flow_run(flow, port, &input, &output, &report, &fault) == 0 &&
			      output.rows == flow->rows
			  ? 0
			  : 1);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	return usage.ru_maxrss;
}

static void test_memory(void **state UNUSED)
{
	struct flow flow = {.name = "memory", .rows = 64 << 10, .batch = 1000, .parallel = 4};
	struct scripted s;

#if defined(__SANITIZE_ADDRESS__)
	skip();
#endif
	flow_start(&flow, &s);
	assert_in_range(peak_kib(&flow, s.port), 1, 32 << 10);
	scripted_stop(&s);
}

/* How many chunks fit into HELD_BYTES. */
static void test_room(void **state UNUSED)
{
	static const struct {
		size_t heaviest, wanted, room;
	} cases[] = {
	    {0, 32, 32},
	    {1, 32, 32},
	    {HELD_BYTES / 32, 32, 32},
	    {HELD_BYTES / 32 + 1, 32, 31},
	    {HELD_BYTES / 2, 32, 2},
	    {HELD_BYTES / 2 + 1, 32, 1},
	    {HELD_BYTES + 1, 32, 1},
	    {SIZE_MAX, 1, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct work w = {.heaviest = cases[i].heaviest};

		assert_int_equal(work_room(&w, cases[i].wanted), cases[i].room);
	}
}

static int set_up(void **state UNUSED)
{
	struct err err = ERR_INIT;

	setenv("KSERVE_RETRY_DELAY", "1ms", 1);
	setenv("KSERVE_PATIENCE", "60s", 1);
	return http_setup(&err) < 0 || pool_setup(&err) < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_signal),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_room),
	    cmocka_unit_test(test_patience), /* last: it changes the environment */
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
