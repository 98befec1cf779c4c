#include "runner/pool.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "runner/http_try.h"
#include "runner/protocol.h"
#include "runner/work.h"

enum { PROGRESS_MS = 10 * 1000, WAIT_MS = 1000 };

/* ---- chunks ---- */

static void append(struct work *w, struct chunk *chunk)
{
	struct chunk **at = &w->chunks;

	while (*at != NULL)
		at = &(*at)->next;
	*at = chunk;
	w->held++;
	work_weigh(w, chunk);
}

/* ---- reading ---- */

static void set_sizes(const struct pool *pool, size_t *rows, size_t *bytes)
{
	const struct contract *contract = pool->contract;
	const struct model *model = &contract->model;
	bool whole = contract->input.provider->whole || contract->output.provider->whole;

	*rows = model->rows > 0 ? model->rows : whole ? SIZE_MAX : BATCH_ROWS;
	*bytes = model->bytes > 0 ? model->bytes : whole ? SIZE_MAX : BATCH_BYTES;
	if (model->inputs[0].shape.rank > 0 && model->inputs[0].shape.dims[0] > 0)
		*rows = (size_t)model->inputs[0].shape.dims[0];
	if (model->protocol->one_row)
		*rows = 1;
}

static int fill(const struct pool *pool, size_t max_rows, size_t max_bytes, struct rows *rows,
		struct fault *fault)
{
	size_t before = rows->count;
	int rc;

	report_enter(pool->report, PHASE_INPUT);
	rc = reader_fill(pool->reader, rows, max_rows, max_bytes, fault);
	pool->report->rows_in += (int64_t)(rows->count - before);
	pool->report->bytes_in = pool->reader->bytes;
	if (rc == 0)
		report_enter(pool->report, PHASE_INFERENCE);
	return rc;
}

int pool_first(const struct pool *pool, struct rows *rows, struct fault *fault)
{
	size_t max_rows, max_bytes;

	set_sizes(pool, &max_rows, &max_bytes);
	return fill(pool, max_rows, max_bytes, rows, fault);
}

/* rows is the one that grows; a chunk takes what is in it. */
static int read_chunks(struct work *w, struct rows *rows, struct fault *fault)
{
	while (w->held < work_room(w, 2 * w->model->parallel)) {
		struct rows taken;

		if (rows->count == 0 && fill(w->pool, w->max_rows, w->max_bytes, rows, fault) < 0)
			return -1;
		if (rows->count == 0)
			return 0;
		rows_take(rows, &taken);
		append(w, chunk_new(&taken));
	}
	return 0;
}

/* ---- asking ---- */

static int ask(struct work *w, struct chunk *chunk, struct fault *fault)
{
	if (chunk->body.len == 0 &&
	    w->model->protocol->request(w->model, &chunk->rows, 0, chunk->rows.count, &chunk->body,
					fault) < 0) {
		if (fault->reason == REASON_INPUT_INVALID)
			report_enter(w->report, PHASE_INPUT);
		return -1;
	}
	chunk->request = (struct http_request){.method = "POST",
					       .url = w->model->url,
					       .peer = &w->model->endpoint.peer,
					       .headers = &w->model->headers,
					       .body = chunk->body.data,
					       .body_len = chunk->body.len,
					       .timeout_ms = w->model->timeout_ms};
	chunk->state = CHUNK_ASKED;
	w->asked++;
	w->budget.calls++;
	w->report->requests++;
	http_multi_add(w->multi, &chunk->request, &chunk->reply, chunk);
	return 0;
}

/* Ask for what is ready; *wait becomes the time until more is. */
static int ask_ready(struct work *w, int64_t *wait, struct fault *fault)
{
	size_t most = w->started && !w->probing ? work_room(w, w->model->parallel) : 1;
	int64_t now = time_mono_ms();

	*wait = WAIT_MS;
	for (struct chunk *c = w->chunks; c != NULL && w->asked < most; c = c->next) {
		if (c->state != CHUNK_READY)
			continue;
		if (c->due <= now) {
			if (ask(w, c, fault) < 0)
				return -1;
		} else if (c->due - now < *wait) {
			*wait = c->due - now;
		}
	}
	return 0;
}

/* ---- writing ---- */

static int write_done(struct work *w, struct fault *fault)
{
	while (w->chunks != NULL && w->chunks->state == CHUNK_DONE) {
		struct chunk *chunk = w->chunks;

		report_enter(w->report, PHASE_OUTPUT);
		if (writer_add(&w->writer, &chunk->header, &chunk->records,
			       (int64_t)chunk->rows.count, fault) < 0)
			return -1;
		w->report->bytes_out = w->writer.bytes;
		report_enter(w->report, PHASE_INFERENCE);
		w->chunks = chunk->next;
		w->held--;
		chunk_free(chunk);
	}
	return 0;
}

/* ---- the loop ---- */

static void log_progress(struct work *w)
{
	int64_t now = time_mono_ms();

	if (now - w->last_progress < PROGRESS_MS)
		return;
	w->last_progress = now;
	log_info("progress", "rows_in", log_num(w->report->rows_in), "values_out",
		 log_num(w->report->rows_out), "failed", log_num(w->report->rows_failed),
		 "requests", log_num(w->report->requests), "retries", log_num(w->report->retries));
}

static int interrupted(struct fault *fault)
{
	return fault_set(fault, REASON_INTERRUPTED, ERR_RETRY, "interrupted by a signal");
}

static int turn(struct work *w, struct rows *rows, struct fault *fault)
{
	struct chunk *chunk;
	int64_t wait;
	bool again;
	int rc;

	if (http_stop)
		return interrupted(fault);
	if (read_chunks(w, rows, fault) < 0 || ask_ready(w, &wait, fault) < 0)
		return -1;
	chunk = http_multi_wait(w->multi, wait, &rc, &again, &fault->err);
	if (chunk != NULL && work_answer(w, chunk, rc, fault) < 0)
		return -1;
	log_progress(w);
	return write_done(w, fault);
}

/* Ask the model what the first request needs; a model that starts is waited for here. */
static int prepare(struct work *w, const struct rows *rows, struct fault *fault)
{
	const struct protocol *protocol = w->model->protocol;

	for (int tries = 1; protocol->prepare != NULL; tries++) {
		int64_t until = 0;

		if (protocol->prepare(w->model, rows, fault) == 0)
			break;
		if (fault->err.kind != ERR_RETRY || fault->reason == REASON_INTERRUPTED ||
		    work_wait(w, tries, fault->err.retry_ms > 0 ? fault->err.retry_ms : -1, &until,
			      fault) < 0)
			return -1;
		http_wait(until - time_mono_ms());
		if (http_stop)
			return interrupted(fault);
	}
	return 0;
}

static int finish(struct work *w, struct fault *fault)
{
	report_enter(w->report, PHASE_OUTPUT);
	if (writer_end(&w->writer, fault) < 0)
		return -1;
	w->report->bytes_out = w->writer.bytes;
	return 0;
}

int pool_run(const struct pool *pool, struct rows *rows, struct fault *fault)
{
	struct work w = {.pool = pool,
			 .model = &pool->contract->model,
			 .report = pool->report,
			 .multi = http_multi_new(),
			 .writer = {.section = &pool->contract->output,
				    .storage = pool->output,
				    .resumed = pool->report->rows_resumed > 0},
			 .last_good = time_mono_ms(),
			 .last_progress = time_mono_ms()};
	int rc;

	set_sizes(pool, &w.max_rows, &w.max_bytes);
	rc = prepare(&w, rows, fault);
	while (rc == 0 && (w.chunks != NULL || rows->count > 0 || !pool->reader->ended))
		rc = turn(&w, rows, fault);
	if (rc == 0)
		rc = finish(&w, fault);
	http_multi_free(w.multi);
	for (struct chunk *next; w.chunks != NULL; w.chunks = next) {
		next = w.chunks->next;
		chunk_free(w.chunks);
	}
	return rc;
}
