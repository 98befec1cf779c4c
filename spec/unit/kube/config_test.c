#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "base/base64.h"
#include "base/buf.h"
#include "kube/config.h"

#define PEM "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"

static char folder[] = "/tmp/config_test.XXXXXX";

static void write_file(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", folder, name);
	auto_file FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static char *encoded(const char *text)
{
	struct buf out = BUF_INIT(10000);

	base64_encode(text, strlen(text), &out);
	return buf_steal(&out);
}

/* A kubeconfig with one context "a": the lines of its cluster and its user. */
static char *kubeconfig(const char *cluster, const char *user)
{
	return xasprintf("current-context: a\n"
			 "contexts: [{name: a, context: {cluster: c, user: u, namespace: n}}]\n"
			 "clusters: [{name: c, cluster: {%s}}]\n"
			 "users: [{name: u, user: {%s}}]\n",
			 cluster, user);
}

static int parse(const char *text, struct kube_config *out, struct err *err)
{
	return kube_config_parse(text, strlen(text), folder, NULL, out, err);
}

/* ---- what is refused ---- */

static void broken_structure(void **state)
{
	static const struct {
		const char *text, *message;
	} table[] = {
	    {"", ""},
	    {"[]", "the document: expected an object, found array"},
	    {"{", "line "},
	    {"a: &x 1", "line "},
	    {"kind: Config", "current-context: expected the name"},
	    {"current-context: a", "contexts: expected one called \"a\", found: none"},
	    {"{current-context: a, contexts: {}}", "contexts: expected an array, found object"},
	    {"{current-context: a, contexts: [1, null, {name: 1}]}", "found: none"},
	    {"{current-context: a, contexts: [{name: b}, {name: c}]}", "found: b, c"},
	    {"{current-context: a, contexts: [{name: a}]}",
	     "contexts[a].context: expected an object, found nothing"},
	    {"{current-context: a, contexts: [{name: a, context: {}}]}",
	     "contexts[a].context.cluster: expected a name"},
	    {"{current-context: a, contexts: [{name: a, context: {cluster: 7}}]}",
	     "contexts[a].context.cluster: expected a string, found number"},
	    {"{current-context: a, contexts: [{name: a, context: {cluster: c}}]}",
	     "clusters: expected one called \"c\", found: none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct kube_config config = {.insecure = true};
		struct err err = ERR_INIT;

		assert_int_equal(parse(table[i].text, &config, &err), -1);
		assert_int_equal(err.kind, ERR_INVALID);
		if (strstr(err.msg, table[i].message) == NULL)
			fail_msg("found \"%s\"", err.msg);
		assert_true(config.insecure); /* untouched */
		assert_null(config.server);
	}
}

static void broken_fields(void **state)
{
	static const char server[] = "server: 'https://h'";
	static const struct {
		const char *cluster, *user, *message;
	} table[] = {
	    {"", "", "clusters[c].cluster.server: expected an http or https URL, found nothing"},
	    {"server: 'ftp://h'", "", "clusters[c].cluster.server"},
	    {"server: 1", "", "clusters[c].cluster.server: expected a string, found number"},
	    {"server: 'https://h', insecure-skip-tls-verify: 'yes'", "",
	     "insecure-skip-tls-verify: expected a boolean, found string"},
	    {"server: 'https://h', certificate-authority-data: '!'", "",
	     "clusters[c].cluster.certificate-authority-data: expected base64"},
	    {"server: 'https://h', certificate-authority-data: Zm9v", "", "expected a PEM text"},
	    {"server: 'https://h', certificate-authority: missing.pem", "", "missing.pem"},
	    {"server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: ca.pem",
	     "", "found both"},
	    {server, "token: 12", "users[u].user.token: expected a string, found number"},
	    {server, "client-certificate: ca.pem", "found only one"},
	    {server, "client-key: ca.pem", "found only one"},
	    {server, "auth-provider: {name: gcp}", "expected an exec plugin"},
	    {server, "as: root", "expected no impersonation, found as"},
	    {server, "as-groups: [a]", "expected no impersonation, found as-groups"},
	    {server, "exec: 1", "users[u].user.exec: expected an object, found number"},
	    {server, "exec: {}", "users[u].user.exec.command: expected a program"},
	    {server, "exec: {command: a}", "users[u].user.exec.apiVersion: expected"},
	    {server, "exec: {command: a, apiVersion: client.authentication.k8s.io/v1alpha1}",
	     "found client.authentication.k8s.io/v1alpha1"},
	    {server, "exec: {command: a, args: b}", "exec.args: expected an array, found string"},
	    {server, "exec: {command: a, args: [1]}", "exec.args: expected a string, found number"},
	    {server, "exec: {command: a, env: [1]}", "exec.env: expected objects"},
	    {server, "exec: {command: a, env: [{name: A}]}", "exec.env: expected objects"},
	    {server, "exec: {command: a, env: [{name: A=B, value: c}]}",
	     "exec.env: expected objects"},
	    {server,
	     "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: "
	     "Always}",
	     "exec.interactiveMode: expected Never or IfAvailable"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_free char *text = kubeconfig(table[i].cluster, table[i].user);
		struct kube_config config = {0};
		struct err err = ERR_INIT;

		assert_int_equal(parse(text, &config, &err), -1);
		if (strstr(err.msg, table[i].message) == NULL)
			fail_msg("found \"%s\"", err.msg);
	}
}

static void unknown_context_lists_what_exists(void **state)
{
	static const char text[] = "{contexts: [{name: one}, {name: two}]}";
	struct kube_config config = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(kube_config_parse(text, strlen(text), ".", "three", &config, &err), -1);
	assert_non_null(strstr(err.msg, "\"three\", found: one, two"));
	assert_int_equal(parse(text, &config, &err), -1);
	assert_non_null(strstr(err.msg, "give one of: one, two"));
}

static void very_many_names_are_cut(void **state)
{
	auto_buf struct buf text = BUF_INIT(1 << 20);
	struct kube_config config = {0};
	struct err err = ERR_INIT;

	(void)state;
	buf_adds(&text, "{current-context: a, contexts: [{name: ''}");
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, ", {name: name-%d}", i);
	buf_adds(&text, "]}");
	assert_int_equal(parse(text.data, &config, &err), -1);
	assert_true(strlen(err.msg) < 700);
}

static void secrets_stay_out_of_messages(void **state)
{
	auto_free char *text =
	    kubeconfig("server: 'https://h'", "token: hunter2, client-key-data: 'aHVudGVyMg!='");
	struct kube_config config = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(text, &config, &err), -1);
	assert_null(strstr(err.msg, "hunter2"));
	assert_null(strstr(err.msg, "aHVu"));
}

/* ---- what is read ---- */

static void every_field(void **state)
{
	auto_free char *data = encoded(PEM "inline");
	auto_free char *cluster = xasprintf(
	    "server: 'https://h:6443/base//', certificate-authority: missing.pem, "
	    "certificate-authority-data: %s, tls-server-name: kube, proxy-url: 'http://p:1', "
	    "unknown: {}",
	    data);
	auto_free char *text = kubeconfig(
	    cluster, "client-certificate: ca.pem, client-key: ./ca.pem, token: t, tokenFile: tok, "
		     "username: u, password: p, exec: null, as: null");
	auto_free char *token_file = path_of("tok");
	struct kube_config c = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(text, &c, &err), 0);
	assert_string_equal(c.server, "https://h:6443/base");
	assert_string_equal(c.namespace, "n");
	assert_string_equal(c.ca, PEM "inline");
	assert_string_equal(c.cert, PEM);
	assert_string_equal(c.key, PEM);
	assert_string_equal(c.server_name, "kube");
	assert_string_equal(c.proxy, "http://p:1");
	assert_string_equal(c.token, "t");
	assert_string_equal(c.token_file, token_file);
	assert_string_equal(c.username, "u");
	assert_string_equal(c.password, "p");
	assert_null(c.exec.argv);
	kube_config_done(&c);
	assert_null(c.server);
}

static void exec_plugin(void **state)
{
	auto_free char *text = kubeconfig(
	    "server: 'http://h'",
	    "exec: {command: bin/plugin, args: ['', -x], env: [{name: A, value: ''}, {name: B, "
	    "value: b=c}], apiVersion: client.authentication.k8s.io/v1beta1, interactiveMode: "
	    "IfAvailable, provideClusterInfo: true}");
	auto_free char *program = path_of("bin/plugin");
	struct kube_config c = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(text, &c, &err), 0);
	assert_string_equal(c.exec.argv[0], program);
	assert_string_equal(c.exec.argv[1], "");
	assert_string_equal(c.exec.argv[2], "-x");
	assert_null(c.exec.argv[3]);
	assert_string_equal(c.exec.env[0], "A=");
	assert_string_equal(c.exec.env[1], "B=b=c");
	assert_null(c.exec.env[2]);
	assert_true(c.exec.cluster_info);
	kube_config_done(&c);
}

static void the_least(void **state)
{
	static const char text[] = "{contexts: [{name: a, context: {cluster: c}}],"
				   " clusters: [{name: c, cluster: {server: 'http://h'}}]}";
	struct kube_config c = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(kube_config_parse(text, strlen(text), ".", "a", &c, &err), 0);
	assert_null(c.namespace);
	assert_null(c.token);
	kube_config_done(&c);
}

/* ---- where it is looked for ---- */

static void file_limit(void **state)
{
	auto_free char *path = path_of("big");
	auto_free char *text = xmalloc((4 << 20) + 2);
	struct kube_config c = {0};
	struct err err = ERR_INIT;

	(void)state;
	memset(text, '#', (4 << 20) + 1);
	text[(4 << 20) + 1] = '\0';
	write_file("big", text);
	assert_int_equal(kube_config_load(path, NULL, &c, &err), -1);
	assert_non_null(strstr(err.msg, "expected at most 4194304 bytes"));
	text[4 << 20] = '\0'; /* fits, and is one long comment */
	write_file("big", text);
	assert_int_equal(kube_config_load(path, NULL, &c, &err), -1);
	assert_null(strstr(err.msg, "expected at most"));
}

static void order_of_places(void **state)
{
	auto_free char *flag = path_of("flag"), *listed = path_of("env");
	auto_free char *list = xasprintf("::%s:/missing", listed);
	struct kube_config c = {0};
	struct err err = ERR_INIT;
	static const char *const names[] = {"flag", "env", "home/.kube/config"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *server = xasprintf("server: 'http://from-%zu'", i);
		auto_free char *text = kubeconfig(server, "");

		write_file(names[i], text);
	}
	setenv("KUBECONFIG", list, 1);
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	assert_int_equal(kube_config_load(flag, NULL, &c, &err), 0);
	assert_string_equal(c.server, "http://from-0");
	kube_config_done(&c);
	assert_int_equal(kube_config_load(NULL, "a", &c, &err), 0);
	assert_string_equal(c.server, "http://from-1");
	kube_config_done(&c);
	setenv("KUBECONFIG", ":", 1);
	assert_int_equal(kube_config_load(NULL, NULL, &c, &err), -1); /* the pod's account */
	assert_non_null(strstr(err.msg, "KUBERNETES_SERVICE_PORT"));
	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_int_equal(kube_config_load(NULL, NULL, &c, &err), 0);
	assert_string_equal(c.server, "http://from-2");
	kube_config_done(&c);
	unsetenv("HOME");
	assert_int_equal(kube_config_load(NULL, NULL, &c, &err), -1);
	assert_int_equal(kube_config_load("/missing", NULL, &c, &err), -1);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.msg, "/missing"));
}

static void in_cluster(void **state)
{
	static const struct {
		const char *host, *server;
	} table[] = {{"10.0.0.1", "https://10.0.0.1:443"}, {"fd00::1", "https://[fd00::1]:443"}};
	auto_free char *token_file = path_of("token");
	auto_free char *ca_file = path_of("ca.crt");
	struct err err = ERR_INIT;
	struct kube_config c = {0};

	(void)state;
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(kube_config_in_cluster(folder, &c, &err), -1);
	assert_non_null(strstr(err.msg, "automountServiceAccountToken"));
	write_file("token", "secret\n");
	write_file("ca.crt", PEM);
	write_file("namespace", "");
	assert_int_equal(kube_config_in_cluster(folder, &c, &err), -1);
	assert_non_null(strstr(err.msg, "namespace: expected a text"));
	write_file("namespace", "mine\n");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		setenv("KUBERNETES_SERVICE_HOST", table[i].host, 1);
		assert_int_equal(kube_config_in_cluster(folder, &c, &err), 0);
		assert_string_equal(c.server, table[i].server);
		assert_string_equal(c.namespace, "mine");
		assert_string_equal(c.token_file, token_file);
		assert_null(c.token); /* read when it is needed */
		assert_non_null(strstr(c.ca, "BEGIN"));
		kube_config_done(&c);
	}
	unlink(ca_file);
	assert_int_equal(kube_config_in_cluster(folder, &c, &err), -1);
	assert_non_null(strstr(err.msg, "ca.crt"));
	assert_null(c.server);
}

static int make_folder(void **state)
{
	auto_free char *home = NULL, *kube = NULL;

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	home = path_of("home");
	kube = path_of("home/.kube");
	if (mkdir(home, 0700) < 0 || mkdir(kube, 0700) < 0)
		return -1;
	write_file("ca.pem", PEM);
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_PORT");
	return setenv("HOME", home, 1);
}

static int remove_folder(void **state)
{
	auto_free char *command = xasprintf("rm -r %s", folder);

	(void)state;
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(broken_structure),
	    cmocka_unit_test(broken_fields),
	    cmocka_unit_test(unknown_context_lists_what_exists),
	    cmocka_unit_test(very_many_names_are_cut),
	    cmocka_unit_test(secrets_stay_out_of_messages),
	    cmocka_unit_test(every_field),
	    cmocka_unit_test(exec_plugin),
	    cmocka_unit_test(the_least),
	    cmocka_unit_test(file_limit),
	    cmocka_unit_test(order_of_places),
	    cmocka_unit_test(in_cluster),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
