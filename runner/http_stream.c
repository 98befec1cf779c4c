#include "runner/http_stream.h"

#include <curl/curl.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "runner/http_try.h"
#include "runner/retry.h"

enum { SLICE_MS = 100 };

struct http_stream {
	struct http_try try;
	CURLM *multi;
	struct buf held; /* come, but not asked for yet */
	bool paused, ended;
	int code; /* of libcurl, once ended */
};

static bool is_good(const struct http_stream *stream)
{
	long status = 0;

	curl_easy_getinfo(stream->try.easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_stream *stream = arg;

	if (!is_good(stream)) {
		buf_add(&stream->try.reply->body, bytes, size * count);
		return size * count;
	}
	if (stream->held.len >= STREAM_HELD) {
		stream->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&stream->held, bytes, size * count);
	return size * count;
}

static bool has_bytes(const struct http_stream *stream)
{
	return stream->held.len > 0;
}

/* Let bytes move until there are some, the reply ends or time is over; false: time is over. */
static bool move(struct http_stream *stream)
{
	int64_t until = time_mono_ms() + http_call_timeout(stream->try.request);
	int running;

	if (stream->paused) {
		stream->paused = false;
		curl_easy_pause(stream->try.easy, CURLPAUSE_CONT);
	}
	while (!stream->ended && !has_bytes(stream) && !http_stop) {
		const CURLMsg *message;

		curl_multi_perform(stream->multi, &running);
		message = curl_multi_info_read(stream->multi, &running);
		if (message != NULL && message->msg == CURLMSG_DONE) {
			stream->ended = true;
			stream->code = message->data.result;
		} else if (!has_bytes(stream)) {
			if (time_mono_ms() >= until)
				return false;
			curl_multi_poll(stream->multi, NULL, 0, SLICE_MS, NULL);
		}
	}
	return true;
}

static struct http_stream *start(const struct http_request *request, struct http_reply *reply)
{
	struct http_stream *stream = xcalloc(1, sizeof(*stream));

	stream->held = (struct buf)BUF_INIT(SIZE_MAX / 2);
	http_try_begin(&stream->try, request, reply);
	curl_easy_setopt(stream->try.easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(stream->try.easy, CURLOPT_WRITEDATA, stream);
	curl_easy_setopt(stream->try.easy, CURLOPT_TIMEOUT_MS, 0L);
	stream->multi = curl_multi_init();
	if (stream->multi == NULL)
		abort();
	curl_multi_add_handle(stream->multi, stream->try.easy);
	return stream;
}

/* Free the stream; -1 with err set unless libcurl's code means an answer. */
static int finish(struct http_stream *stream, int code, bool *again, struct err *err)
{
	int rc;

	curl_multi_remove_handle(stream->multi, stream->try.easy);
	rc = http_try_end(&stream->try, code, again, err);
	curl_multi_cleanup(stream->multi);
	buf_done(&stream->held);
	free(stream);
	return rc;
}

/* Why the reply will not come: libcurl's code. */
static int trouble(const struct http_stream *stream, bool in_time)
{
	if (stream->ended)
		return stream->code;
	return in_time ? CURLE_ABORTED_BY_CALLBACK : CURLE_OPERATION_TIMEDOUT;
}

struct http_stream *http_stream_open(const struct http_request *request, struct http_reply *reply,
				     struct err *err)
{
	for (int tries = 1;; tries++) {
		struct http_stream *stream = start(request, reply);
		bool in_time = move(stream), again;
		int64_t wait;

		if (has_bytes(stream) || (stream->ended && stream->code == CURLE_OK)) {
			long status = 0;

			curl_easy_getinfo(stream->try.easy, CURLINFO_RESPONSE_CODE, &status);
			reply->status = (int)status;
			reply->sent = true;
			if (!http_status_passing(reply->status) || tries == HTTP_TRIES ||
			    request->single)
				return stream;
		}
		finish(stream, trouble(stream, in_time), &again, err);
		if (!again || tries == HTTP_TRIES || request->single)
			return NULL;
		wait = retry_wait(http_retry_delay(), tries, reply->retry_ms);
		log_warn("call failed, trying again", "status", log_num(reply->status), "wait_ms",
			 log_num(wait));
		http_wait(wait);
		if (http_stop) {
			http_try_interrupted(request, reply, err);
			return NULL;
		}
	}
}

int http_stream_read(struct http_stream *stream, struct buf *out, struct err *err)
{
	bool in_time = move(stream);

	if (has_bytes(stream)) {
		buf_add(out, stream->held.data, stream->held.len);
		buf_clear(&stream->held);
		return 0;
	}
	if (stream->ended && stream->code == CURLE_OK)
		return 0;
	return http_try_explain(&stream->try, trouble(stream, in_time), err);
}

void http_stream_close(struct http_stream *stream)
{
	struct err ignored = ERR_INIT;
	bool again;

	finish(stream, CURLE_OK, &again, &ignored);
}
