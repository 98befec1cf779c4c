/* The options belong to the program, not to a floor's archive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "options.h"

#include "base/buf.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* The environment of a test: one variable. */
static const char *env_name, *env_value;

static const char *environment(const char *name)
{
	return env_name != NULL && streq(name, env_name) ? env_value : NULL;
}

/* Options from --flag value and VARIABLE=value; NULL leaves either out. */
static int parsed(const char *flag, const char *value, const char *variable,
		  const char *variable_value, struct options *out, struct err *err)
{
	char *argv[] = {(char *)"program", (char *)flag, (char *)value, NULL};
	enum options_action action;
	int argc = flag == NULL ? 1 : value == NULL ? 2 : 3;

	env_name = variable;
	env_value = variable_value;
	*err = (struct err)ERR_INIT;
	return options_parse(argc, argv, environment, out, &action, err);
}

/* ---- what is refused ---- */

static const struct {
	const char *flag, *variable, *value, *message;
} bad[] = {
    {"--polling-interval", "POLLING_INTERVAL", "soon", "expected a duration such as 30s"},
    {"--pending-timeout", "PENDING_TIMEOUT", "-1s", "expected a duration such as 30s"},
    {"--polling-interval", "POLLING_INTERVAL", "-1m", "expected a duration such as 30s"},
    {"--polling-interval", "POLLING_INTERVAL", "0", "expected at least 1s"},
    {"--polling-interval", "POLLING_INTERVAL", "999ms", "expected at least 1s"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "0", "a whole number from 1 to 1000"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "1001", "a whole number from 1 to 1000"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "-1", "a whole number from 1 to 1000"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "1.5", "a whole number from 1 to 1000"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "0x10", "a whole number from 1 to 1000"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "ten", "a whole number from 1 to 1000"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "99999999999999999999", "from 1 to 1000"},
    {"--namespace", "POD_NAMESPACE", "Upper", "expected a namespace"},
    {"--namespace", "POD_NAMESPACE", "a.b", "expected a namespace"},
    {"--namespace", "POD_NAMESPACE", "-a", "expected a namespace"},
    {"--namespace", "POD_NAMESPACE", "a-", "expected a namespace"},
    {"--namespace", "POD_NAMESPACE", "a/b", "expected a namespace"},
    {"--namespace", "POD_NAMESPACE", "a ", "expected a namespace"},
    {"--namespace", "POD_NAMESPACE", SIXTY "abcd", "expected a namespace"},
    {"--watch-namespace", "WATCH_NAMESPACE", "a,B", "expected namespaces with commas"},
    {"--watch-namespace", "WATCH_NAMESPACE", ",", "expected namespaces with commas"},
    {"--watch-namespace", "WATCH_NAMESPACE", "a,,b", "expected namespaces with commas"},
    {"--watch-namespace", "WATCH_NAMESPACE", "a b", "expected namespaces with commas"},
    {"--watch-namespace", "WATCH_NAMESPACE", " ", "expected namespaces with commas"},
    {"--watch-namespace", "WATCH_NAMESPACE", "a;b", "expected namespaces with commas"},
    {"--watch-namespace", "WATCH_NAMESPACE", "*", "expected namespaces with commas"},
    {"--sa-runner", "SA_RUNNER", "run_ner", "expected a name of lower-case letters"},
    {"--sa-runner", "SA_RUNNER", ".a", "expected a name of lower-case letters"},
    {"--sa-runner", "SA_RUNNER", "a.", "expected a name of lower-case letters"},
    {"--sa-runner", "SA_RUNNER", "a..b", "expected a name of lower-case letters"},
    {"--sa-runner", "SA_RUNNER", "a.-b", "expected a name of lower-case letters"},
    {"--sa-runner", "SA_RUNNER", "caf\xC3\xA9", "expected a name of lower-case letters"},
    {"--policy-configmap", "POLICY_CONFIGMAP", "a/b", "expected a name of lower-case letters"},
    {"--lease", "LEASE", "A", "expected a name of lower-case letters"},
    {"--listen", "LISTEN", "8080", "expected host:port or :port"},
    {"--listen", "LISTEN", "localhost:", "expected host:port or :port"},
    {"--listen", "LISTEN", ":http", "expected host:port or :port"},
    {"--listen", "LISTEN", ":65536", "expected host:port or :port"},
    {"--listen", "LISTEN", ":000080", "expected host:port or :port"},
    {"--listen", "LISTEN", ":-1", "expected host:port or :port"},
    {"--config-policies", "CONFIG_POLICIES", "on", "expected true or false"},
    {"--leader-elect", "LEADER_ELECT", "yes", "expected true or false"},
    {"--leader-elect", "LEADER_ELECT", "TRUE", "expected true or false"},
    {"--leader-elect", "LEADER_ELECT", "1", "expected true or false"},
    {"--log-level", "LOG_LEVEL", "INFO", "expected debug, info, warn or error"},
    {"--log-level", "LOG_LEVEL", "trace", "expected debug, info, warn or error"},
    {"--log-format", "LOG_FORMAT", "yaml", "expected json or text"},
};

/* The message begins with where the value is from, and tells what is right and what was found. */
static void assert_names(const struct err *err, const char *source, size_t row)
{
	const char *value = bad[row].value, *last = strrchr(value, ',');
	size_t len = strlen(source);

	assert_int_equal(err->kind, ERR_INVALID);
	if (strncmp(err->msg, source, len) != 0 || strncmp(err->msg + len, ": ", 2) != 0)
		fail_msg("\"%s\" does not name %s", err->msg, source);
	if (strstr(err->msg, bad[row].message) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", err->msg, bad[row].message);
	if (last == NULL && !streq(value, " ") && strstr(err->msg, value) == NULL)
		fail_msg("\"%s\" does not hold the value \"%s\"", err->msg, value);
	assert_non_null(strstr(err->msg, "found \""));
}

static void bad_values_name_their_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct options options = {.listen = "untouched"};
		auto_free char *joined = xasprintf("%s=%s", bad[i].flag, bad[i].value);
		struct err err;

		if (parsed(NULL, NULL, bad[i].variable, bad[i].value, &options, &err) == 0)
			fail_msg("%s=%s was accepted", bad[i].variable, bad[i].value);
		assert_names(&err, bad[i].variable, i);
		assert_int_equal(parsed(bad[i].flag, bad[i].value, NULL, NULL, &options, &err), -1);
		assert_names(&err, bad[i].flag, i);
		assert_int_equal(parsed(joined, NULL, NULL, NULL, &options, &err), -1);
		assert_names(&err, bad[i].flag, i);
		assert_string_equal(options.listen, "untouched");
	}
}

static void a_bad_variable_is_told_though_a_flag_would_win(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(parsed("--log-level", "warn", "LOG_LEVEL", "loud", &options, &err), -1);
	assert_non_null(strstr(err.msg, "LOG_LEVEL: expected debug"));
}

static void unknown_arguments_are_refused(void **state)
{
	static const struct {
		const char *word, *message;
	} rows[] = {
	    {"run", "unknown argument \"run\": see --help"},
	    {"", "unknown argument \"\""},
	    {"-", "unknown argument"},
	    {"--", "unknown argument"},
	    {"-v", "unknown argument"},
	    {"--log", "unknown argument"},
	    {"--log-levels", "unknown argument"},
	    {"--LOG-LEVEL=info", "unknown argument"},
	    {"-log-level=info", "unknown argument"},
	    {"--=x", "unknown argument"},
	    {"--log-level", "--log-level: expected a value (LEVEL), found none"},
	    {"--namespace=", "--namespace: expected a namespace"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct options options;
		struct err err;

		assert_int_equal(parsed(rows[i].word, NULL, NULL, NULL, &options, &err), -1);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: %s", rows[i].word, err.msg);
	}
}

static void lengths_have_a_limit(void **state)
{
	static const char label63[] = SIXTY "abc";
	auto_free char *name253 = xasprintf("%s%s%s%s" TEN "abc", SIXTY, SIXTY, SIXTY, SIXTY);
	auto_free char *name254 = xasprintf("%sd", name253);
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(parsed("--namespace", label63, NULL, NULL, &options, &err), 0);
	assert_int_equal(parsed("--lease", name253, NULL, NULL, &options, &err), 0);
	assert_string_equal(options.lease, name253);
	assert_int_equal(parsed("--lease", name254, NULL, NULL, &options, &err), -1);
	assert_string_equal(err.msg,
			    "--lease: expected a name of at most 253 characters, found 254");
}

static void namespaces_have_a_limit(void **state)
{
	auto_buf struct buf list = BUF_INIT(4096);
	struct options options;
	struct err err;

	(void)state;
	for (int i = 0; i < NAMESPACES_MAX; i++)
		buf_addf(&list, "%sns-%d", i > 0 ? "," : "", i);
	assert_int_equal(parsed(NULL, NULL, "WATCH_NAMESPACE", list.data, &options, &err), 0);
	assert_string_equal(options.namespaces[NAMESPACES_MAX - 1], "ns-63");
	assert_null(options.namespaces[NAMESPACES_MAX]);
	options_done(&options);
	buf_adds(&list, ",ns-0"); /* again: not one more */
	assert_int_equal(parsed(NULL, NULL, "WATCH_NAMESPACE", list.data, &options, &err), 0);
	options_done(&options);
	buf_adds(&list, ",ns-64");
	assert_int_equal(parsed(NULL, NULL, "WATCH_NAMESPACE", list.data, &options, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "WATCH_NAMESPACE: expected at most 64 namespaces"));
}

/* ---- what is accepted ---- */

/* Every setting in one line, in the order of the header. */
static char *shown(const struct options *o)
{
	struct buf out = BUF_INIT(4096);
	char *const *name;

	buf_addf(&out, "%s %s %s [", o->kubeconfig != NULL ? o->kubeconfig : "-",
		 o->context != NULL ? o->context : "-", o->namespace != NULL ? o->namespace : "-");
	for (name = o->namespaces; *name != NULL; name++)
		buf_addf(&out, "%s%s", name == o->namespaces ? "" : "|", *name);
	buf_addf(&out, "] %s %s %d %s %s %lld %lld %lld %d %d %d",
		 o->service_account != NULL ? o->service_account : "-", o->policy_configmap,
		 o->config_policies, o->listen, o->lease, (long long)o->polling_ms,
		 (long long)o->pending_ms, (long long)o->max_in_flight, o->leader_elect,
		 (int)o->log_level, (int)o->log_format);
	return buf_steal(&out);
}

/* What comes behind the first options, and before the later ones, when they are not set. */
#define REST " 0 :8080 kserve-controller 300000 600000 10 1 1 0"
#define BEFORE_LISTEN "- - - [] - kserve-controller-policies 0 "
#define DEFAULTS "- - - [] - kserve-controller-policies" REST

static const struct {
	const char *flag, *variable, *value, *shown;
} good[] = {
    {"--kubeconfig", NULL, "/x=y", "/x=y - - [] - kserve-controller-policies" REST},
    {"--context", NULL, "My/Dev", "- My/Dev - [] - kserve-controller-policies" REST},
    {"--namespace", "POD_NAMESPACE", "sys-1", "- - sys-1 [] - kserve-controller-policies" REST},
    {"--watch-namespace", "WATCH_NAMESPACE", "b, a ,b,c,",
     "- - - [b|a|c] - kserve-controller-policies" REST},
    {"--sa-runner", "SA_RUNNER", "run.ner-1", "- - - [] run.ner-1 kserve-controller-policies" REST},
    {"--policy-configmap", "POLICY_CONFIGMAP", "p", "- - - [] - p" REST},
    {"--config-policies", "CONFIG_POLICIES", "true",
     "- - - [] - kserve-controller-policies 1 :8080 kserve-controller 300000 600000 10 1 1 0"},
    {"--polling-interval", "POLLING_INTERVAL", "1m30s",
     BEFORE_LISTEN ":8080 kserve-controller 90000 600000 10 1 1 0"},
    {"--polling-interval", "POLLING_INTERVAL", "1",
     BEFORE_LISTEN ":8080 kserve-controller 1000 600000 10 1 1 0"},
    {"--pending-timeout", "PENDING_TIMEOUT", "0",
     BEFORE_LISTEN ":8080 kserve-controller 300000 0 10 1 1 0"},
    {"--pending-timeout", "PENDING_TIMEOUT", "1h",
     BEFORE_LISTEN ":8080 kserve-controller 300000 3600000 10 1 1 0"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "1",
     BEFORE_LISTEN ":8080 kserve-controller 300000 600000 1 1 1 0"},
    {"--max-reconcile-rate", "MAX_RECONCILE_RATE", "1000",
     BEFORE_LISTEN ":8080 kserve-controller 300000 600000 1000 1 1 0"},
    {"--listen", "LISTEN", "127.0.0.1:0",
     BEFORE_LISTEN "127.0.0.1:0 kserve-controller 300000 600000 10 1 1 0"},
    {"--listen", "LISTEN", "[::1]:65535",
     BEFORE_LISTEN "[::1]:65535 kserve-controller 300000 600000 10 1 1 0"},
    {"--leader-elect", "LEADER_ELECT", "false",
     BEFORE_LISTEN ":8080 kserve-controller 300000 600000 10 0 1 0"},
    {"--lease", "LEASE", "l", BEFORE_LISTEN ":8080 l 300000 600000 10 1 1 0"},
    {"--log-level", "LOG_LEVEL", "error",
     BEFORE_LISTEN ":8080 kserve-controller 300000 600000 10 1 3 0"},
    {"--log-format", "LOG_FORMAT", "text",
     BEFORE_LISTEN ":8080 kserve-controller 300000 600000 10 1 1 1"},
};

static void assert_gives(const char *flag, const char *value, const char *variable,
			 const char *variable_value, const char *expected)
{
	auto_free char *text = NULL;
	struct options options;
	struct err err;

	if (parsed(flag, value, variable, variable_value, &options, &err) < 0)
		fail_msg("%s", err.msg);
	text = shown(&options);
	options_done(&options);
	assert_string_equal(text, expected);
}

static void every_flag_and_variable_sets_its_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_free char *joined = xasprintf("%s=%s", good[i].flag, good[i].value);

		assert_gives(good[i].flag, good[i].value, NULL, NULL, good[i].shown);
		assert_gives(joined, NULL, NULL, NULL, good[i].shown);
		if (good[i].variable != NULL)
			assert_gives(NULL, NULL, good[i].variable, good[i].value, good[i].shown);
	}
}

/* --help lists every setting: none may lack a row here. */
static void every_setting_is_in_the_tables(void **state)
{
	char *help = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&help, &len);

	(void)state;
	options_help(out);
	fclose(out);
	for (const char *line = strstr(help, "\n  --"); line != NULL;
	     line = strstr(line + 1, "\n  --")) {
		const char *flag = line + strlen("\n  ");
		size_t n = strcspn(flag, " \n");
		bool found = strncmp(flag, "--help", n) == 0 || strncmp(flag, "--version", n) == 0;

		for (size_t i = 0; i < ARRAY_LEN(good); i++)
			found |= strlen(good[i].flag) == n && strncmp(good[i].flag, flag, n) == 0;
		if (!found)
			fail_msg("%.*s has no row", (int)n, flag);
	}
	free(help);
}

static void an_empty_variable_is_none(void **state)
{
	(void)state;
	assert_gives(NULL, NULL, NULL, NULL, DEFAULTS);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_gives(NULL, NULL, good[i].variable, "", DEFAULTS);
}

static void the_flag_wins_and_the_last_one(void **state)
{
	char *argv[] = {
	    (char *)"program", (char *)"--watch-namespace=a,b", (char *)"--log-level",
	    (char *)"warn",    (char *)"--watch-namespace=c",   (char *)"--log-level=debug"};
	enum options_action action;
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	env_name = "WATCH_NAMESPACE";
	env_value = "x,y,z";
	assert_int_equal(options_parse(ARRAY_LEN(argv), argv, environment, &options, &action, &err),
			 0);
	assert_int_equal(action, OPTIONS_RUN);
	assert_string_equal(options.namespaces[0], "c");
	assert_null(options.namespaces[1]);
	assert_int_equal(options.log_level, LOG_DEBUG);
	options_done(&options);
	assert_gives("--watch-namespace", "", "WATCH_NAMESPACE", "x,y", DEFAULTS); /* all again */
	assert_gives("--polling-interval", "5m", "POLLING_INTERVAL", "1h", DEFAULTS);
}

static void help_and_version_come_first(void **state)
{
	static const struct {
		const char *word;
		enum options_action action;
	} rows[] = {{"--help", OPTIONS_HELP}, {"-h", OPTIONS_HELP}, {"--version", OPTIONS_VERSION}};

	(void)state;
	env_name = "LOG_LEVEL";
	env_value = "loud";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *argv[] = {(char *)"program", (char *)"--unknown", (char *)rows[i].word};
		enum options_action action = OPTIONS_RUN;
		struct options options;
		struct err err = ERR_INIT;

		assert_int_equal(options_parse(3, argv, environment, &options, &action, &err), 0);
		assert_int_equal(action, rows[i].action);
	}
}

static void help_names_every_setting(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	options_help(out);
	fclose(out);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_non_null(strstr(text, good[i].flag));
		if (good[i].variable != NULL)
			assert_non_null(strstr(text, good[i].variable));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_values_name_their_source),
	    cmocka_unit_test(a_bad_variable_is_told_though_a_flag_would_win),
	    cmocka_unit_test(unknown_arguments_are_refused),
	    cmocka_unit_test(lengths_have_a_limit),
	    cmocka_unit_test(namespaces_have_a_limit),
	    cmocka_unit_test(every_flag_and_variable_sets_its_option),
	    cmocka_unit_test(every_setting_is_in_the_tables),
	    cmocka_unit_test(an_empty_variable_is_none),
	    cmocka_unit_test(the_flag_wins_and_the_last_one),
	    cmocka_unit_test(help_and_version_come_first),
	    cmocka_unit_test(help_names_every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
