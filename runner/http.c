#include "runner/http.h"

#include <curl/curl.h>

#include "base/log.h"
#include "runner/http_try.h"
#include "runner/retry.h"

bool http_status_passing(int status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static void log_retry(const struct http_request *request, const struct http_reply *reply,
		      int64_t wait, const struct err *err)
{
	auto_free char *url = http_url_safe(request->url);
	bool answered = reply->status != 0;

	log_warn("call failed, trying again", "method", request->method, "url", url, "status",
		 answered ? log_num(reply->status) : NULL, "error", answered ? NULL : err->msg,
		 "wait_ms", log_num(wait));
}

int http_call(const struct http_request *request, struct http_reply *reply, struct err *err)
{
	for (int tries = 1;; tries++) {
		struct http_try try;
		bool again;
		int64_t wait;
		int rc;

		http_try_begin(&try, request, reply);
		rc = http_try_end(&try, curl_easy_perform(try.easy), &again, err);
		if (!again || tries == HTTP_TRIES || request->single)
			return rc;
		wait = retry_wait(http_retry_delay(), tries, reply->retry_ms);
		log_retry(request, reply, wait, err);
		http_wait(wait);
		if (http_stop)
			return http_try_interrupted(request, reply, err);
	}
}

void http_reply_done(struct http_reply *reply)
{
	buf_done(&reply->body);
	buf_done(&reply->headers);
}
