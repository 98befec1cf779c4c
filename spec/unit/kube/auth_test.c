#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "base/buf.h"
#include "kube/auth.h"

#define API "client.authentication.k8s.io/v1"

static char folder[] = "/tmp/auth_test.XXXXXX";

struct scene {
	struct loop *loop;
	struct http *http;
	struct auth *auth;
	struct kube_config config; /* borrows everything */
	char *argv[4];
	char *env[2];
	char *script;
	struct auth_call *other;
	int calls, failures;
	char header[2048];
	struct err err;
};

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
	auto_free char *path = path_of(name);
	auto_file FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	s->loop = loop_new();
	s->http = http_new(s->loop);
	s->config.server = (char *)"https://host:6443";
	s->auth = auth_new(s->loop, s->http, &s->config);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	auto_free char *command = xasprintf("rm -rf %s/*", folder);

	auth_free(s->auth);
	http_free(s->http);
	loop_free(s->loop);
	free(s->script);
	free(s);
	return system(command);
}

static void use_plugin(struct scene *s, const char *script)
{
	free(s->script);
	s->script = xasprintf("cd %s\n%s", folder, script);
	s->argv[0] = (char *)"sh";
	s->argv[1] = (char *)"-c";
	s->argv[2] = s->script;
	s->env[0] = (char *)"EXTRA=yes";
	s->config.exec.argv = s->argv;
	s->config.exec.env = s->env;
	s->config.exec.api_version = (char *)API;
}

static void done(void *arg, const char *header, const struct err *err)
{
	struct scene *s = arg;

	s->calls++;
	s->failures += err != NULL;
	if (err != NULL)
		s->err = *err;
	assert_true(err == NULL || header == NULL);
	snprintf(s->header, sizeof(s->header), "%s", header == NULL ? "none" : header);
	loop_stop(s->loop);
}

static void never(void *arg UNUSED, const char *header UNUSED, const struct err *err UNUSED)
{
	fail_msg("called after it was cancelled");
}

/* One header, or "none"; the failure in s->err. */
static const char *ask(struct scene *s)
{
	int calls = s->calls;

	s->err.kind = ERR_NONE;
	auth_start(s->auth, done, s);
	assert_int_equal(s->calls, calls);
	loop_run(s->loop);
	assert_int_equal(s->calls, calls + 1);
	return s->header;
}

/* A credential that a script prints with cat. */
static void write_credential(const char *name, const char *status)
{
	auto_free char *text = xasprintf(
	    "{\"apiVersion\": \"" API "\", \"kind\": \"ExecCredential\", \"status\": %s}", status);

	write_file(name, text);
}

/* How often the plugin ran: each run adds a line. */
static int count_runs(void)
{
	auto_free char *path = path_of("runs");
	auto_file FILE *file = fopen(path, "re");
	int lines = 0;

	for (int c; file != NULL && (c = fgetc(file)) != EOF;)
		lines += c == '\n';
	return lines;
}

/* ---- what is refused ---- */

static void broken_output(void **state)
{
	static const struct {
		const char *output, *message;
	} table[] = {
	    {"", "line 1"},
	    {"not json", "line 1"},
	    {"{}", "expected an ExecCredential"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": "
	     "\"client.authentication.k8s.io/v1beta1\"}",
	     "expected an ExecCredential of " API},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API "\"}", "status.token"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API "\", \"status\": []}",
	     "status.token"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API
	     "\", \"status\": {\"token\": 1}}",
	     "status.token"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API
	     "\", \"status\": {\"token\": \"\"}}",
	     "expected a token, found nothing"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API
	     "\", \"status\": {\"token\": \"hunter2\\r\\nX: y\"}}",
	     "at position 8"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API
	     "\", \"status\": {\"token\": \"hunter2\", \"expirationTimestamp\": \"soon\"}}",
	     "status.expirationTimestamp"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API
	     "\", \"status\": {\"clientCertificateData\": \"hunter2\"}}",
	     "found only one"},
	    {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" API
	     "\", \"status\": {\"token\": \"t\", \"clientKeyData\": \"hunter2\"}}",
	     "found only one"},
	};
	struct scene *s = *state;

	use_plugin(s, "cat out");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		write_file("out", table[i].output);
		assert_string_equal(ask(s), "none");
		assert_int_equal(s->err.kind, ERR_RETRY);
		assert_non_null(strstr(s->err.msg, "exec plugin: sh: "));
		if (strstr(s->err.msg, table[i].message) == NULL)
			fail_msg("found \"%s\"", s->err.msg);
		assert_null(strstr(s->err.msg, "hunter2"));
	}
	write_credential("out", "{\"token\": \"good\"}"); /* and then it recovers */
	assert_string_equal(ask(s), "Authorization: Bearer good");
}

static void broken_plugin(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "exit 3");
	ask(s);
	assert_non_null(strstr(s->err.msg, "expected exit code 0, found 3"));
	s->argv[0] = (char *)"/missing/plugin";
	ask(s);
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_non_null(strstr(s->err.msg, "/missing/plugin"));
}

static void plugin_output_limit(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "cat out; head -c $((1048576 - $(wc -c <out))) /dev/zero | tr '\\0' ' '");
	write_credential("out", "{\"token\": \"t\"}");
	assert_string_equal(ask(s), "Authorization: Bearer t");
	use_plugin(s, "cat out; head -c $((1048577 - $(wc -c <out))) /dev/zero | tr '\\0' ' '");
	auth_refused(s->auth);
	ask(s);
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_non_null(strstr(s->err.msg, "1048576"));
}

static void broken_token_files(void **state)
{
	static const struct {
		const char *text, *message;
	} table[] = {
	    {"", "found nothing"},
	    {" \n", "found nothing"},
	    {"hunter2\nhunter2", "position 8"},
	    {"hunter2\x80", "position 8"},
	};
	struct scene *s = *state;
	auto_free char *path = path_of("token");

	s->config.token_file = path;
	assert_string_equal(ask(s), "none");
	assert_int_equal(s->err.kind, ERR_RETRY); /* not NOT_FOUND: that means an object */
	assert_non_null(strstr(s->err.msg, path));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		write_file("token", table[i].text);
		assert_string_equal(ask(s), "none");
		assert_int_equal(s->err.kind, ERR_RETRY);
		assert_non_null(strstr(s->err.msg, table[i].message));
		assert_non_null(strstr(s->err.msg, path));
		assert_null(strstr(s->err.msg, "hunter2"));
	}
	write_file("token", "fine");
	assert_string_equal(ask(s), "Authorization: Bearer fine");
}

static void static_token_must_be_one_word(void **state)
{
	struct scene *s = *state;

	s->config.token = (char *)"a\nX-Admin: yes";
	assert_string_equal(ask(s), "none");
	assert_int_equal(s->err.kind, ERR_RETRY);
}

/* ---- cancelling and freeing ---- */

static void cancels_the_other(void *arg, const char *header, const struct err *err)
{
	struct scene *s = arg;

	auth_cancel(s->other);
	done(arg, header, err);
}

static void a_callback_may_cancel_another_that_is_due(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "cat out");
	write_credential("out", "{\"token\": \"t\"}");
	auth_start(s->auth, cancels_the_other, s);
	s->other = auth_start(s->auth, never, s);
	loop_run(s->loop);
	ask(s);
	assert_int_equal(s->calls, 2);
}

static void frees_auth(void *arg, const char *header, const struct err *err)
{
	struct scene *s = arg;

	auth_free(s->auth);
	s->auth = NULL;
	done(arg, header, err);
}

static void a_callback_may_free_all(void **state)
{
	struct scene *s = *state;

	s->config.token = (char *)"t";
	auth_start(s->auth, frees_auth, s);
	auth_start(s->auth, never, s);
	loop_run(s->loop);
	assert_string_equal(s->header, "Authorization: Bearer t"); /* it outlived auth */
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static void free_while_the_plugin_runs(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "sleep 1000");
	auth_start(s->auth, never, s);
	auth_cancel(auth_start(s->auth, never, s));
	loop_defer(s->loop, stop, s->loop);
	loop_run(s->loop);
}

static void asks_again(void *arg, const char *header UNUSED, const struct err *err UNUSED)
{
	struct scene *s = arg;

	auth_start(s->auth, done, s);
}

static void a_callback_may_ask_again(void **state)
{
	struct scene *s = *state;

	s->config.token = (char *)"t";
	auth_start(s->auth, asks_again, s);
	loop_run(s->loop);
	assert_int_equal(s->calls, 1);
}

/* ---- sources ---- */

static void no_credentials_no_header(void **state)
{
	assert_string_equal(ask(*state), "none");
	assert_int_equal(((struct scene *)*state)->failures, 0);
}

static void order_of_sources(void **state)
{
	struct scene *s = *state;
	auto_free char *path = path_of("token");

	write_file("token", "from-file\n");
	write_credential("out", "{\"token\": \"from-plugin\"}");
	s->config.username = (char *)"Aladdin"; /* RFC 7617 section 2 */
	s->config.password = (char *)"open sesame";
	assert_string_equal(ask(s), "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	s->config.token = (char *)"from-text";
	auth_refused(s->auth);
	assert_string_equal(ask(s), "Authorization: Bearer from-text");
	use_plugin(s, "cat out");
	auth_refused(s->auth);
	assert_string_equal(ask(s), "Authorization: Bearer from-plugin");
	s->config.token_file = path;
	auth_refused(s->auth);
	assert_string_equal(ask(s), "Authorization: Bearer from-file");
	assert_int_equal(s->failures, 0);
}

static void token_file_is_read_again_after_a_401(void **state)
{
	struct scene *s = *state;
	auto_free char *path = path_of("token");

	s->config.token_file = path;
	write_file("token", "one");
	assert_string_equal(ask(s), "Authorization: Bearer one");
	write_file("token", "two");
	assert_string_equal(ask(s), "Authorization: Bearer one"); /* not yet 60 s */
	auth_refused(s->auth);
	assert_string_equal(ask(s), "Authorization: Bearer two");
	unlink(path);
	assert_string_equal(ask(s), "Authorization: Bearer two");
	auth_refused(s->auth);
	assert_string_equal(ask(s), "none"); /* the last one is known to be wrong */
	assert_int_equal(s->failures, 1);
}

static void calls_wait_for_one_plugin_run(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "echo >>runs; sleep 0.1; cat out");
	write_credential("out", "{\"token\": \"t\"}");
	for (int i = 0; i < 5; i++)
		auth_start(s->auth, done, s);
	while (s->calls < 5)
		loop_run(s->loop);
	assert_int_equal(s->failures, 0);
	assert_string_equal(ask(s), "Authorization: Bearer t");
	assert_int_equal(count_runs(), 1);
	auth_refused(s->auth);
	ask(s);
	assert_int_equal(count_runs(), 2);
}

static void failure_reaches_every_waiting_call(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "echo >>runs; sleep 0.1; exit 1");
	for (int i = 0; i < 3; i++)
		auth_start(s->auth, done, s);
	while (s->calls < 3)
		loop_run(s->loop);
	assert_int_equal(s->failures, 3);
	assert_int_equal(count_runs(), 1);
}

static void credential_is_kept_to_its_expiry(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "echo >>runs; cat out");
	write_credential("out",
			 "{\"token\": \"old\", \"expirationTimestamp\": \"2001-01-01T00:00:00Z\"}");
	assert_string_equal(ask(s), "Authorization: Bearer old"); /* what we got we pass on */
	assert_string_equal(ask(s), "Authorization: Bearer old");
	assert_int_equal(count_runs(), 2);
	write_credential("out",
			 "{\"token\": \"new\", \"expirationTimestamp\": \"2999-01-01T00:00:00Z\"}");
	ask(s);
	assert_string_equal(ask(s), "Authorization: Bearer new");
	assert_int_equal(count_runs(), 3);
}

static void certificate_of_the_plugin(void **state)
{
	struct scene *s = *state;

	use_plugin(s, "cat out");
	write_credential("out", "{\"clientCertificateData\": \"c\", \"clientKeyData\": \"k\"}");
	assert_string_equal(ask(s), "none");
	assert_int_equal(s->failures, 0);
	auth_refused(s->auth);
	write_credential("out", "{\"token\": \"t\", \"clientCertificateData\": \"c2\","
				" \"clientKeyData\": \"k2\"}");
	assert_string_equal(ask(s), "Authorization: Bearer t");
}

static void plugin_is_told(void **state)
{
	static const char script[] =
	    "printf '%s' \"$KUBERNETES_EXEC_INFO\" >info; echo $EXTRA >extra; cat out";
	struct scene *s = *state;
	auto_free char *check = xasprintf(
	    "grep -q '^yes$' %s/extra && grep -q '\"interactive\":false' %s/info", folder, folder);
	auto_free char *no_cluster = xasprintf("! grep -q cluster %s/info", folder);
	auto_free char *cluster =
	    xasprintf("grep -q '\"server\":\"https://host:6443\"' %s/info && "
		      "grep -q '\"certificate-authority-data\":\"Zm9v\"' %s/info && "
		      "grep -q '\"tls-server-name\":\"kube\"' %s/info",
		      folder, folder, folder);

	use_plugin(s, script);
	write_credential("out", "{\"token\": \"t\"}");
	s->config.ca = (char *)"foo";
	s->config.server_name = (char *)"kube";
	assert_string_equal(ask(s), "Authorization: Bearer t");
	assert_int_equal(system(check), 0);
	assert_int_equal(system(no_cluster), 0);
	s->config.exec.cluster_info = true;
	auth_refused(s->auth);
	ask(s);
	assert_int_equal(system(cluster), 0);
}

static int make_folder(void **state UNUSED)
{
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state UNUSED)
{
	return rmdir(folder);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(broken_output),
	    scene_test(broken_plugin),
	    scene_test(plugin_output_limit),
	    scene_test(broken_token_files),
	    scene_test(static_token_must_be_one_word),
	    scene_test(a_callback_may_cancel_another_that_is_due),
	    scene_test(a_callback_may_free_all),
	    scene_test(free_while_the_plugin_runs),
	    scene_test(a_callback_may_ask_again),
	    scene_test(no_credentials_no_header),
	    scene_test(order_of_sources),
	    scene_test(token_file_is_read_again_after_a_401),
	    scene_test(calls_wait_for_one_plugin_run),
	    scene_test(failure_reaches_every_waiting_call),
	    scene_test(credential_is_kept_to_its_expiry),
	    scene_test(certificate_of_the_plugin),
	    scene_test(plugin_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
