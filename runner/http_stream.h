/*
 * http_stream.h - a reply of any length, read as fast as its reader asks for it: what is not asked
 * for stays in the socket. At most STREAM_HELD bytes and one read of libcurl are held.
 *
 *	stream = http_stream_open(&request, &reply, &err);
 *	if (stream == NULL)
 *		return judge_no_answer(&reply, ...);
 *	if (judge_status(&reply, ...) == 0)
 *		while (http_stream_read(stream, &bytes, &err) == 0 && bytes.len > 0)
 *			...
 *	http_stream_close(stream);
 */
#ifndef RUNNER_HTTP_STREAM_H
#define RUNNER_HTTP_STREAM_H

#include "runner/http.h"

enum { STREAM_HELD = 64 << 10 };

struct http_stream;

/*
 * Send the request and wait for the header of the answer; tried again as http_call does. The reply
 * has status and headers then; unless the status is 2xx its body is there too, as much as fits.
 * NULL if no answer came. request and reply stay in use until the stream is closed.
 */
struct http_stream *http_stream_open(const struct http_request *request, struct http_reply *reply,
				     struct err *err);

/*
 * Append the next bytes of the body to out; at the end none, and 0. It fails when the connection
 * breaks, when nothing comes for the time that a call may take, and when http_stop is set
 * (reply->interrupted). The number of bytes that have come tells where another request, with the
 * header Range, would have to go on.
 */
int http_stream_read(struct http_stream *stream, struct buf *out, struct err *err);

void http_stream_close(struct http_stream *stream);

#endif
