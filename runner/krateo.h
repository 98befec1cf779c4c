/*
 * krateo.h - the provider "krateo": notebooks of the finops-database-handler.
 *
 *	"krateo": {"api": {"endpointRef": {"name": "...", "namespace": "..."},
 *	                   "path": "/compute/notebook", "verb": "POST",
 *	                   "headers": ["Accept: application/json"]}}
 *
 * fetch sends the parameters as an object and expects {"result": [[...], ...]}. store sends
 * job_uid, pod_uid (from the environment), predictions (an array as text) and the parameters, and
 * expects an empty body or JSON. Both send exactly "Accept: application/json", which the handler
 * compares byte by byte, unless the headers of the contract say otherwise. api.payload is ignored,
 * as ever. Before the first inference the handler is asked at PATH/info whether the notebook
 * exists.
 *
 * "upsert": true, beside api of an output, says that the notebook stores a row that comes again in
 * the place of the first, as those of our chart do. Then a store is repeated when its answer is
 * lost, and what is too long for one argument goes in pieces: with job_name, what names the run;
 * offset, how many values came before; and total, how many there are in all, so that rows behind
 * them can go. The pure parts are here for their tests.
 */
#ifndef RUNNER_KRATEO_H
#define RUNNER_KRATEO_H

#include "runner/contract.h"
#include "runner/http.h"

/* ---- bodies ---- */

/*
 * The handler passes each value to the notebook as one argument "key=value", and Linux limits an
 * argument to 128 KiB with its NUL (MAX_ARG_STRLEN) and all of them to 2 MiB.
 */
enum { KRATEO_ARG_MAX = (128 << 10) - 1, KRATEO_ARGS_MAX = (2 << 20) - (64 << 10) };

/* The bodies; reason ArgTooLong. Parameters that are called like a reserved key are left out. */
int krateo_input_body(const struct contract *contract, struct buf *out, struct fault *fault);
int krateo_output_body(const struct contract *contract, const char *pod_uid,
		       const char *predictions, struct buf *out, struct fault *fault);

/* A list of predictions in pieces, each as large as one argument takes. */
struct krateo_cut {
	struct buf text;       /* the piece: "[...]" */
	int64_t offset, count; /* values in front of it, and in it */
	int64_t total;         /* in all pieces */

	/* private */
	bool ended;
	struct scan scan;
	const char *value;
	size_t value_len;
};

/* predictions is a JSON array and outlives the cut. */
void krateo_cut_init(struct krateo_cut *cut, const char *predictions, size_t len);
void krateo_cut_done(struct krateo_cut *cut);

/* True if there is a piece more; of an empty list there is one. A value is never cut: one that is
 * too long makes a body that is refused. */
bool krateo_cut_next(struct krateo_cut *cut);

int krateo_chunk_body(const struct contract *contract, const char *pod_uid,
		      const struct krateo_cut *chunk, struct buf *out, struct fault *fault);

/* ---- the rest ---- */

/* Where the handler tells about the notebook at url (".../compute/NAME"); NULL for other paths. */
char *krateo_info_url(const char *url);

/* Its answer says that there is no such notebook. */
bool krateo_info_missing(const struct http_reply *reply);

/* 0 if the answer means success, whatever the rows in it. */
int krateo_judge_fetch(const struct http_reply *reply, struct fault *fault);

/* The headers that the section asks for, and those that go with every call. */
void krateo_headers(const struct json *section, const char *authorization,
		    struct http_headers *out);

#endif
