/* s3_upload_test.c - multipart uploads: what a server may answer to each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/contract.h"
#include "runner/s3_upload.h"
#include "spec/unit/runner/scripted.h"

#define BEGUN                                                                                      \
	ANSWER("200 OK", "",                                                                       \
	       "<InitiateMultipartUploadResult><UploadId>a/b=</UploadId>"                          \
	       "</InitiateMultipartUploadResult>")
#define PIECE ANSWER("200 OK", "ETag: \"e&1\"\r\n", "")
#define COMPLETE ANSWER("200 OK", "", "<CompleteMultipartUploadResult/>")
#define GONE ANSWER("404 Not Found", "", "<Error><Code>NoSuchUpload</Code></Error>")
#define EXISTS ANSWER("412 Precondition Failed", "", "")
#define STRANGER ANSWER("200 OK", "Content-Length: 1\r\n", "")
#define OWN ANSWER("200 OK", "x-amz-meta-kserve-run: 0123\r\nx-amz-meta-kserve-rows: 0\r\n", "")
#define FAILED_LATE ANSWER("200 OK", "", "<Error><Code>InternalError</Code></Error>")
#define DONE ANSWER("204 No Content", "", "")

/* The answers: to the beginning, a piece, its tail, the end, and what follows. */
static const struct {
	const char *answers[7], *message; /* NULL: it is stored */
	enum reason reason;
	bool given_up;
} table[] = {
    {{BEGUN, PIECE, PIECE, COMPLETE}, NULL, REASON_COMPLETED, false},
    {{BEGUN, SCRIPT_RESET, PIECE, PIECE, COMPLETE}, NULL, REASON_COMPLETED, false},
    {{BEGUN, PIECE, PIECE, EXISTS, OWN}, NULL, REASON_COMPLETED, false},
    {{BEGUN, PIECE, PIECE, SCRIPT_RESET, GONE, OWN},
     NULL,
     REASON_COMPLETED,
     false}, /* the answer got lost */
    {{BEGUN, PIECE, PIECE, EXISTS, STRANGER, DONE},
     "not of this run",
     REASON_OUTPUT_CONFLICT,
     true},
    {{BEGUN, PIECE, PIECE, FAILED_LATE, DONE}, "InternalError", REASON_OUTPUT_UNAVAILABLE, true},
    {{BEGUN, PIECE, ANSWER("200 OK", "", ""), DONE},
     "expected an ETag",
     REASON_OUTPUT_REJECTED,
     true},
    {{BEGUN, ANSWER("403 Forbidden", "", ""), DONE},
     "upload a piece of s3://b/k",
     REASON_OUTPUT_REJECTED,
     true},
    {{ANSWER("200 OK", "", "<html/>")}, "expected an UploadId", REASON_OUTPUT_REJECTED, false},
    {{ANSWER("200 OK", "", "")}, "expected an UploadId", REASON_OUTPUT_REJECTED, false},
    {{ANSWER("403 Forbidden", "", "")},
     "begin the upload of s3://b/k",
     REASON_OUTPUT_REJECTED,
     false},
};

static int store(struct s3_upload *upload, struct fault *fault)
{
	size_t len = S3_UPLOAD_PIECE;
	auto_free char *bytes = xcalloc(1, len + 1);

	memset(bytes, 'x', len);
	if (s3_upload_write(upload, bytes, len - 1, 1, fault) < 0 ||
	    s3_upload_write(upload, "\n", 1, 1, fault) < 0 ||
	    s3_upload_write(upload, "tail\n", 5, 1, fault) < 0)
		return -1;
	return s3_upload_commit(upload, fault);
}

static void check_requests(const struct scripted *s, size_t i)
{
	const char *last;
	int given_up = scripted_seen(s, "DELETE /b/k?uploadId=a%2Fb%3D ", NULL);

	if ((given_up == 1) != table[i].given_up)
		fail_msg("case %zu: given up %d times", i, given_up);
	if (scripted_seen(s, "POST /b/k?uploadId=a%2Fb%3D ", &last) == 0)
		return;
	assert_non_null(strcasestr(last, "\r\nIf-None-Match: *\r\n"));
	assert_string_equal(scripted_body(last),
			    "<CompleteMultipartUpload><Part><ETag>\"e&#38;1\"</ETag>"
			    "<PartNumber>1</PartNumber></Part><Part><ETag>\"e&#38;1\"</ETag>"
			    "<PartNumber>2</PartNumber></Part></CompleteMultipartUpload>");
}

static void check_case(size_t i)
{
	struct scripted s = {.routes = {{.path = "/b/k"}}};
	struct s3_client client = {.bucket = "b", .side = SIDE_OUTPUT};
	struct s3_upload upload = {.client = &client,
				   .key = "k",
				   .type = "text/csv",
				   .mark = {.run = "0123"},
				   .held = BUF_INIT(SIZE_MAX / 2),
				   .finished = BUF_INIT(SIZE_MAX / 2)};
	struct fault fault = FAULT_INIT;
	int rc;

	memcpy(s.routes[0].answers, table[i].answers, sizeof(table[i].answers));
	scripted_start(&s);
	client.base = xasprintf("http://127.0.0.1:%d/b", s.port);
	rc = store(&upload, &fault);
	s3_upload_done(&upload);
	scripted_stop(&s);
	if ((rc == 0) != (table[i].message == NULL) ||
	    (rc < 0 &&
	     (strstr(fault.err.msg, table[i].message) == NULL || fault.reason != table[i].reason)))
		fail_msg("case %zu: %s", i, fault.err.msg);
	check_requests(&s, i);
	scripted_done(&s);
	s3_client_done(&client);
}

static void test_uploads(void **state UNUSED)
{
	struct err err = ERR_INIT;

	setenv("KSERVE_RETRY_DELAY", "1ms", 1);
	assert_int_equal(http_setup(&err), 0);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		check_case(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_uploads)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
