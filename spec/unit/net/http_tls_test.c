#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/file.h"
#include "net/http.h"

/* HTTPS against `openssl s_server -www`, whose page tells about the connection. */

enum { SAFETY_MS = 60000 };

static char folder[] = "/tmp/http_tls_test.XXXXXX";
static char *ca, *other_ca, *cert, *key, *other_cert, *other_key;

struct scene {
	struct loop *loop;
	struct http *http;
	struct timer *safety;
	struct http_tls tls;
	pid_t server;
	char *url;
	int status;
	struct buf body;
	struct err err;
};

static const char make_certificates[] =
    "exec >/dev/null 2>&1; cd %s || exit 1\n"
    "ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    " -subj /CN=$1 -keyout $1.key -out $1.pem; }\n"
    "leaf() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$1"
    " -keyout $1.key -out $1.csr && echo \"subjectAltName=$2\" >ext &&"
    " openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
    " -extfile ext -out $1.pem; }\n"
    "ca ca && ca other-ca && leaf server IP:127.0.0.1 && leaf named DNS:kube.test &&"
    " leaf client-one DNS:one && leaf client-two DNS:two\n";

static char *load(const char *name)
{
	auto_free char *path = xasprintf("%s/%s", folder, name);
	auto_buf struct buf text = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	assert_int_equal(file_read(path, &text, &err), 0);
	return buf_steal(&text);
}

/* Start a server with a certificate and more options; returns its port. */
static int start_server(struct scene *s, const char *name, const char *options)
{
	auto_free char *command = xasprintf(
	    "cd %s && exec openssl s_server -accept 127.0.0.1:0 -www -cert %s.pem -key %s.key "
	    "-CAfile ca.pem %s 2>/dev/null",
	    folder, name, name, options);
	char line[200] = "";
	FILE *out;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	s->server = fork();
	assert_true(s->server >= 0);
	if (s->server == 0) {
		dup2(fds[1], 1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	out = fdopen(fds[0], "r");
	while (strncmp(line, "ACCEPT", 6) != 0 && fgets(line, sizeof(line), out) != NULL)
		;
	fclose(out); /* s_server ignores that nobody reads on */
	assert_non_null(strrchr(line, ':'));
	return (int)strtol(strrchr(line, ':') + 1, NULL, 10);
}

static void serve_with(struct scene *s, const char *name, const char *options)
{
	s->url = xasprintf("https://127.0.0.1:%d/", start_server(s, name, options));
}

static void timed_out(void *arg UNUSED)
{
	fail_msg("nothing happened for too long");
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	s->loop = loop_new();
	s->http = http_new(s->loop);
	s->safety = timer_new(s->loop, timed_out, s);
	timer_set(s->safety, SAFETY_MS);
	s->body = (struct buf)BUF_INIT(1 << 20);
	s->tls.ca = ca;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	http_free(s->http);
	timer_free(s->safety);
	loop_free(s->loop);
	buf_done(&s->body);
	free(s->url);
	kill(s->server, SIGKILL);
	waitpid(s->server, NULL, 0);
	free(s);
	return 0;
}

static void done(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct scene *s = arg;

	buf_clear(&s->body);
	if (err != NULL) {
		s->err = *err;
	} else {
		s->status = reply->status;
		buf_add(&s->body, reply->body, reply->len);
	}
	loop_stop(s->loop);
}

static void run(struct scene *s)
{
	struct http_request request = {.method = "GET", .url = s->url, .max_reply = 1 << 20};

	s->status = 0;
	s->err = (struct err)ERR_INIT;
	http_set_tls(s->http, &s->tls);
	http_start(s->http, &request, done, s);
	loop_run(s->loop);
}

static void assert_refused(const struct scene *s, const char *text)
{
	assert_int_equal(s->err.kind, ERR_RETRY);
	if (strstr(s->err.msg, text) == NULL)
		fail_msg("expected \"%s\", found \"%s\"", text, s->err.msg);
	assert_null(strstr(s->err.msg, "PRIVATE"));
}

static void unknown_authority(void **state)
{
	struct scene *s = *state;

	serve_with(s, "server", "");
	s->tls.ca = NULL;
	run(s);
	assert_refused(s, "certificate");
	s->tls.ca = other_ca;
	run(s);
	assert_refused(s, "certificate");
	s->tls.ca = ca; /* and then it is repaired */
	run(s);
	assert_int_equal(s->status, 200);
}

static void wrong_host(void **state)
{
	struct scene *s = *state;

	serve_with(s, "named", "");
	run(s);
	assert_refused(s, "127.0.0.1");
	s->tls.server_name = "other.test";
	run(s);
	assert_refused(s, "other.test");
	s->tls.server_name = "kube.test";
	run(s);
	assert_int_equal(s->status, 200);
	s->tls.server_name = "not a name";
	run(s);
	assert_int_equal(s->err.kind, ERR_INVALID);
}

static void server_name_does_not_replace_the_authority(void **state)
{
	struct scene *s = *state;

	serve_with(s, "named", "");
	s->tls.server_name = "kube.test";
	s->tls.ca = other_ca;
	run(s);
	assert_refused(s, "certificate");
}

static void insecure_only_when_asked(void **state)
{
	struct scene *s = *state;

	serve_with(s, "named", "");
	s->tls = (struct http_tls){.insecure = true};
	run(s);
	assert_int_equal(s->status, 200);
	s->tls.insecure = false;
	run(s);
	assert_refused(s, "certificate");
}

static void old_protocols_are_refused(void **state)
{
	struct scene *s = *state;

	serve_with(s, "server", "-tls1_1 -cipher DEFAULT@SECLEVEL=0");
	run(s);
	assert_refused(s, "");
}

static void client_certificate(void **state)
{
	struct scene *s = *state;

	serve_with(s, "server", "-Verify 1 -verify_return_error");
	run(s);
	assert_refused(s, "");
	s->tls.cert = cert;
	s->tls.key = key;
	run(s);
	assert_int_equal(s->status, 200);
	assert_non_null(strstr(s->body.data, "client-one"));
	s->tls.cert = other_cert; /* rotated: not a byte goes over the old identity */
	s->tls.key = other_key;
	run(s);
	assert_int_equal(s->status, 200);
	assert_non_null(strstr(s->body.data, "client-two"));
	assert_null(strstr(s->body.data, "client-one"));
}

static void broken_settings(void **state)
{
	struct scene *s = *state;

	serve_with(s, "server", "");
	s->tls.ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	run(s);
	assert_refused(s, "");
	s->tls.ca = ca;
	s->tls.cert = "nonsense";
	s->tls.key = key;
	run(s);
	assert_refused(s, "");
	s->tls.cert = cert;
	s->tls.key = other_key;
	run(s);
	assert_refused(s, "");
}

static int make_folder(void **state UNUSED)
{
	auto_free char *command = NULL;

	if (mkdtemp(folder) == NULL)
		return -1;
	command = xasprintf(make_certificates, folder);
	if (system(command) != 0)
		return -1;
	ca = load("ca.pem");
	other_ca = load("other-ca.pem");
	cert = load("client-one.pem");
	key = load("client-one.key");
	other_cert = load("client-two.pem");
	other_key = load("client-two.key");
	return 0;
}

static int remove_folder(void **state UNUSED)
{
	auto_free char *command = xasprintf("rm -r %s", folder);

	free(ca);
	free(other_ca);
	free(cert);
	free(key);
	free(other_cert);
	free(other_key);
	return system(command);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(unknown_authority),
	    scene_test(wrong_host),
	    scene_test(server_name_does_not_replace_the_authority),
	    scene_test(insecure_only_when_asked),
	    scene_test(old_protocols_are_refused),
	    scene_test(client_certificate),
	    scene_test(broken_settings),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
