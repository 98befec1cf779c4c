#include "runner/http_multi.h"

#include <curl/curl.h>

#include "base/timefmt.h"
#include "runner/http_try.h"

enum { SLICE_MS = 100 };

struct call {
	struct http_try try;
	void *arg;
	struct call *next;
};

struct http_multi {
	CURLM *curl;
	struct call *calls;
};

struct http_multi *http_multi_new(void)
{
	struct http_multi *multi = xcalloc(1, sizeof(*multi));

	multi->curl = curl_multi_init();
	if (multi->curl == NULL)
		abort();
	return multi;
}

/* Take the call that a handle belongs to off the list. */
static struct call *take(struct http_multi *multi, const CURL *easy)
{
	struct call **at = &multi->calls, *call;

	while ((*at)->try.easy != easy)
		at = &(*at)->next;
	call = *at;
	*at = call->next;
	curl_multi_remove_handle(multi->curl, call->try.easy);
	return call;
}

static void *end(struct call *call, int code, int *rc, bool *again, struct err *err)
{
	void *arg = call->arg;

	*rc = http_try_end(&call->try, code, again, err);
	free(call);
	return arg;
}

void http_multi_free(struct http_multi *multi)
{
	while (multi->calls != NULL) {
		struct err ignored = ERR_INIT;
		bool again;
		int rc;

		end(take(multi, multi->calls->try.easy), CURLE_ABORTED_BY_CALLBACK, &rc, &again,
		    &ignored);
	}
	curl_multi_cleanup(multi->curl);
	free(multi);
}

void http_multi_add(struct http_multi *multi, const struct http_request *request,
		    struct http_reply *reply, void *arg)
{
	struct call *call = xcalloc(1, sizeof(*call));

	http_try_begin(&call->try, request, reply);
	call->arg = arg;
	call->next = multi->calls;
	multi->calls = call;
	curl_multi_add_handle(multi->curl, call->try.easy);
}

/* A call that has ended, or NULL. */
static struct call *find_ended(struct http_multi *multi, int *code)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		return take(multi, message->easy_handle);
	}
	return NULL;
}

void *http_multi_wait(struct http_multi *multi, int64_t ms, int *rc, bool *again, struct err *err)
{
	int64_t until = time_mono_ms() + ms, left = ms;

	for (;;) {
		struct call *call;
		int running, code;

		curl_multi_perform(multi->curl, &running);
		call = find_ended(multi, &code);
		if (call != NULL)
			return end(call, code, rc, again, err);
		left = until - time_mono_ms();
		if (left <= 0 || (http_stop && multi->calls == NULL))
			return NULL;
		curl_multi_poll(multi->curl, NULL, 0, left < SLICE_MS ? (int)left : SLICE_MS, NULL);
	}
}
