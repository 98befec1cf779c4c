#include "runner/work.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "runner/http_try.h"
#include "runner/judge.h"
#include "runner/nonfinite.h"
#include "runner/protocol.h"

enum { STORM_TRIES = 64 };

static int64_t default_patience_ms = 300 * 1000;

int pool_setup(struct err *err)
{
	const char *text = getenv("KSERVE_PATIENCE");

	if (text == NULL || *text == '\0' || duration_parse(text, &default_patience_ms, err) == 0)
		return 0;
	return err_wrap(err, "environment variable KSERVE_PATIENCE");
}

void work_weigh(struct work *w, const struct chunk *chunk)
{
	size_t weight = chunk_weight(chunk);

	w->heaviest = weight > w->heaviest ? weight : w->heaviest;
}

size_t work_room(const struct work *w, size_t wanted)
{
	size_t fit = w->heaviest > 0 ? HELD_BYTES / w->heaviest : wanted;

	return fit >= wanted ? wanted : fit > 0 ? fit : 1;
}

static int64_t patience(const struct work *w)
{
	return w->model->patience_ms > 0 ? w->model->patience_ms : default_patience_ms;
}

int work_wait(struct work *w, int tries, int64_t wanted, int64_t *until, const struct fault *fault)
{
	int64_t now = time_mono_ms(), end = w->last_good + patience(w), wait;
	bool storm = !retry_take(&w->budget);

	if (now >= end)
		return -1;
	wait = retry_wait(http_retry_delay(), storm ? STORM_TRIES : tries, wanted);
	*until = now + wait < end ? now + wait : end;
	w->report->retries++;
	log_warn("the model did not answer well, trying again", "error", fault->err.msg, "wait_ms",
		 log_num(*until - now));
	return 0;
}

static void divide(struct work *w, struct chunk *chunk)
{
	chunk_split(chunk);
	w->held++;
}

static void fail_rows(struct work *w, struct chunk *chunk, const struct fault *fault)
{
	const struct section *section = &w->pool->contract->output;

	for (size_t i = 0; i < chunk->rows.count; i++) {
		int64_t row = chunk->rows.first + (int64_t)i;

		if (i > 0 && chunk->records.len > 0)
			buf_adds(&chunk->records, section->format->between);
		results_encode_failed(section, row, &fault->err, &chunk->records);
		report_failure(w->report, row, &fault->err);
	}
	log_warn("rows without a prediction", "row", log_num(chunk->rows.first + 1), "rows",
		 log_num(chunk->rows.count), "error", fault->err.msg);
	chunk->state = CHUNK_DONE;
}

/* These rows are at fault. */
static int refuse(struct work *w, struct chunk *chunk, const struct fault *fault)
{
	int64_t allowed = w->pool->contract->max_failed_rows;
	bool many = w->report->rows_failed > allowed;

	if (allowed == 0 || (many && w->report->rows_out == 0))
		return -1;
	if (chunk->rows.count > 1 && !many)
		divide(w, chunk);
	else
		fail_rows(w, chunk, fault);
	return 0;
}

static void warn_of_outputs(struct work *w, const struct results *results)
{
	if (w->warned || results->count == 1 || w->pool->contract->output.layout != LAYOUT_FLAT)
		return;
	w->warned = true;
	log_warn("the model has more outputs than one: only the first is stored", "outputs",
		 log_num(results->count));
}

static int accept(struct work *w, struct chunk *chunk, struct fault *fault)
{
	const struct section *section = &w->pool->contract->output;
	auto_results struct results results = {.count = 0};
	struct buf *body = &chunk->reply.body;

	if (nonfinite_clean(body, w->model->nonfinite, fault) < 0 ||
	    w->model->protocol->reply(w->model, body->data, body->len, chunk->rows.count, &results,
				      fault) < 0 ||
	    results_encode(&results, section, chunk->rows.first, &chunk->records, &chunk->header,
			   fault) < 0)
		return -1;
	warn_of_outputs(w, &results);
	chunk->state = CHUNK_DONE;
	w->report->rows_out += (int64_t)results.outputs[0].values;
	return 0;
}

static void well(struct work *w)
{
	w->started = true;
	w->probing = false;
	w->last_good = time_mono_ms();
}

/* Fewer rows in this request, and in those to come; but a time-out while the model starts tells
 * nothing of these. */
static void shrink(struct work *w, struct chunk *chunk, const struct fault *fault)
{
	size_t half = (chunk->rows.count + 1) / 2;

	if (w->started || chunk->reply.status == 413)
		w->max_rows = half;
	log_warn("requests become smaller", "error", fault->err.msg, "rows",
		 log_num((int64_t)half));
	divide(w, chunk);
}

int work_answer(struct work *w, struct chunk *chunk, int rc, struct fault *fault)
{
	size_t rows = chunk->rows.count;
	enum verdict verdict =
	    judge_model(rc, &chunk->reply, w->started, chunk->errors_500, rows, fault);

	w->asked--;
	chunk->state = CHUNK_READY;
	chunk->errors_500 += chunk->reply.status == 500;
	switch (verdict) {
	case VERDICT_GOOD:
		well(w);
		rc = accept(w, chunk, fault) == 0 ? 0 : refuse(w, chunk, fault);
		break;
	case VERDICT_AGAIN:
		w->probing = true;
		rc = work_wait(w, ++chunk->tries, chunk->reply.retry_ms, &chunk->due, fault);
		break;
	case VERDICT_SMALLER:
		shrink(w, chunk, fault);
		rc = 0;
		break;
	case VERDICT_ROWS:
		well(w);
		rc = refuse(w, chunk, fault);
		break;
	case VERDICT_OVER:
		rc = -1;
		break;
	}
	work_weigh(w, chunk);
	if (chunk->state == CHUNK_DONE)
		chunk_forget(chunk);
	return rc;
}
