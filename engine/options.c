#include "options.h"

#include <ctype.h>
#include <errno.h>

#include "base/timefmt.h"

/* One row a setting: help, parser and documentation all come from here. */
struct setting {
	const char *flag, *variable, *value, *help;
	int (*parse)(const char *text, struct options *out, struct err *err);
};

static int parse_kubeconfig(const char *text, struct options *out, struct err *err UNUSED)
{
	out->kubeconfig = text;
	return 0;
}

static int parse_context(const char *text, struct options *out, struct err *err UNUSED)
{
	out->context = text;
	return 0;
}

/* Of lower-case letters, digits and inner hyphens. */
static bool is_word(const char *text, size_t len)
{
	if (len == 0 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
		    text[i] != '-')
			return false;
	return true;
}

/* RFC 1123 label, as namespaces are. */
static bool is_label(const char *text, size_t len)
{
	return len <= 63 && is_word(text, len);
}

/* RFC 1123 subdomain, as most objects' names are. */
static int expect_name(const char *text, const char **out, struct err *err)
{
	size_t len = strlen(text), word;

	if (len > 253)
		return err_set(err, ERR_INVALID,
			       "expected a name of at most 253 characters, found %zu", len);
	for (const char *part = text;; part += word + 1) {
		word = strcspn(part, ".");
		if (!is_word(part, word))
			return err_set(err, ERR_INVALID,
				       "expected a name of lower-case letters, digits, '-' and "
				       "'.', found \"%s\"",
				       text);
		if (part[word] == '\0')
			break;
	}
	*out = text;
	return 0;
}

static int parse_namespace(const char *text, struct options *out, struct err *err)
{
	if (!is_label(text, strlen(text)))
		return err_set(
		    err, ERR_INVALID,
		    "expected a namespace: at most 63 lower-case letters, digits and '-', "
		    "found \"%s\"",
		    text);
	out->namespace = text;
	return 0;
}

static int parse_service_account(const char *text, struct options *out, struct err *err)
{
	return expect_name(text, &out->service_account, err);
}

static int parse_policy_configmap(const char *text, struct options *out, struct err *err)
{
	return expect_name(text, &out->policy_configmap, err);
}

static int parse_lease(const char *text, struct options *out, struct err *err)
{
	return expect_name(text, &out->lease, err);
}

static bool is_watched(const struct options *options, const char *name, size_t len)
{
	for (char *const *n = options->namespaces; *n != NULL; n++)
		if (strlen(*n) == len && memcmp(*n, name, len) == 0)
			return true;
	return false;
}

static int parse_watch(const char *text, struct options *out, struct err *err)
{
	size_t count = 0;

	options_done(out);
	while (*text != '\0') {
		size_t len = strcspn(text, ","), skip = strspn(text, " ");
		const char *name = text + skip;
		size_t n = len - skip;

		while (n > 0 && name[n - 1] == ' ')
			n--;
		if (!is_label(name, n))
			return err_set(
			    err, ERR_INVALID,
			    "expected namespaces with commas between them, found \"%.*s\"", (int)n,
			    name);
		text += len + (text[len] == ',');
		if (is_watched(out, name, n))
			continue;
		if (count == NAMESPACES_MAX)
			return err_set(err, ERR_LIMIT,
				       "expected at most %d namespaces, found more: watch "
				       "all of them instead",
				       NAMESPACES_MAX);
		out->namespaces[count++] = xstrndup(name, n);
	}
	return 0;
}

static int parse_polling(const char *text, struct options *out, struct err *err)
{
	if (duration_parse(text, &out->polling_ms, err) < 0)
		return -1;
	if (out->polling_ms < 1000)
		return err_set(err, ERR_INVALID, "expected at least 1s, found \"%s\"", text);
	return 0;
}

static int parse_pending(const char *text, struct options *out, struct err *err)
{
	return duration_parse(text, &out->pending_ms, err);
}

static int parse_rate(const char *text, struct options *out, struct err *err)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 1 || n > 1000)
		return err_set(err, ERR_INVALID,
			       "expected a whole number from 1 to 1000, found \"%s\"", text);
	out->max_in_flight = n;
	return 0;
}

static int parse_listen(const char *text, struct options *out, struct err *err)
{
	const char *port = strrchr(text, ':');

	if (port == NULL || port[1] == '\0' || strspn(port + 1, "0123456789") != strlen(port + 1) ||
	    strlen(port + 1) > 5 || atoi(port + 1) > 65535)
		return err_set(err, ERR_INVALID, "expected host:port or :port, found \"%s\"", text);
	out->listen = text;
	return 0;
}

static int expect_bool(const char *text, bool *out, struct err *err)
{
	if (!streq(text, "true") && !streq(text, "false"))
		return err_set(err, ERR_INVALID, "expected true or false, found \"%s\"", text);
	*out = streq(text, "true");
	return 0;
}

static int parse_config_policies(const char *text, struct options *out, struct err *err)
{
	return expect_bool(text, &out->config_policies, err);
}

static int parse_leader_elect(const char *text, struct options *out, struct err *err)
{
	return expect_bool(text, &out->leader_elect, err);
}

static int parse_log_level(const char *text, struct options *out, struct err *err)
{
	if (!log_level_parse(text, &out->log_level))
		return err_set(err, ERR_INVALID,
			       "expected debug, info, warn or error, found \"%s\"", text);
	return 0;
}

static int parse_log_format(const char *text, struct options *out, struct err *err)
{
	if (!streq(text, "json") && !streq(text, "text"))
		return err_set(err, ERR_INVALID, "expected json or text, found \"%s\"", text);
	out->log_format = streq(text, "json") ? LOG_JSON : LOG_TEXT;
	return 0;
}

static const struct setting settings[] = {
    {"kubeconfig", NULL, "FILE", "kubeconfig to use (default: as kubectl, else the pod's account)",
     parse_kubeconfig},
    {"context", NULL, "NAME", "context of the kubeconfig (default: its current one)",
     parse_context},
    {"namespace", "POD_NAMESPACE", "NAME", "the controller's own namespace", parse_namespace},
    {"watch-namespace", "WATCH_NAMESPACE", "LIST",
     "namespaces to watch, with commas (default: all)", parse_watch},
    {"sa-runner", "SA_RUNNER", "NAME", "service account of runner pods (default: the namespace's)",
     parse_service_account},
    {"policy-configmap", "POLICY_CONFIGMAP", "NAME",
     "ConfigMap with the policies (default: kserve-controller-policies)", parse_policy_configmap},
    {"config-policies", "CONFIG_POLICIES", "BOOL",
     "configs may have policies of their own (default: false)", parse_config_policies},
    {"polling-interval", "POLLING_INTERVAL", "DURATION",
     "look at every live run again after so long (default: 5m)", parse_polling},
    {"pending-timeout", "PENDING_TIMEOUT", "DURATION",
     "end a run whose Pod cannot start by itself after so long; 0: never (default: 10m)",
     parse_pending},
    {"max-reconcile-rate", "MAX_RECONCILE_RATE", "N", "passes in flight at once (default: 10)",
     parse_rate},
    {"listen", "LISTEN", "HOST:PORT", "health and metrics (default: :8080)", parse_listen},
    {"leader-elect", "LEADER_ELECT", "BOOL", "hold a Lease while working (default: true)",
     parse_leader_elect},
    {"lease", "LEASE", "NAME", "the Lease (default: kserve-controller)", parse_lease},
    {"log-level", "LOG_LEVEL", "LEVEL", "debug, info, warn or error (default: info)",
     parse_log_level},
    {"log-format", "LOG_FORMAT", "FORMAT", "json or text (default: json)", parse_log_format},
};

static int from_environment(options_env_fn *env, struct options *out, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const char *text = settings[i].variable != NULL ? env(settings[i].variable) : NULL;

		if (text != NULL && *text != '\0' && settings[i].parse(text, out, err) < 0)
			return err_wrap(err, "%s", settings[i].variable);
	}
	return 0;
}

/* The setting of "--flag" or "--flag=value"; *value points behind '=' or is NULL. */
static const struct setting *find_flag(const char *word, const char **value)
{
	size_t len = strcspn(word, "=");

	*value = word[len] == '=' ? word + len + 1 : NULL;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (strlen(settings[i].flag) == len && strncmp(settings[i].flag, word, len) == 0)
			return &settings[i];
	return NULL;
}

static int from_flags(int argc, char *const *argv, struct options *out, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		const struct setting *setting = NULL;
		const char *value;

		if (has_prefix(argv[i], "--"))
			setting = find_flag(argv[i] + 2, &value);
		if (setting == NULL)
			return err_set(err, ERR_INVALID, "unknown argument \"%s\": see --help",
				       argv[i]);
		if (value == NULL)
			value = ++i < argc ? argv[i] : NULL;
		if (value == NULL)
			return err_set(err, ERR_INVALID, "--%s: expected a value (%s), found none",
				       setting->flag, setting->value);
		if (setting->parse(value, out, err) < 0)
			return err_wrap(err, "--%s", setting->flag);
	}
	return 0;
}

int options_parse(int argc, char *const *argv, options_env_fn *env, struct options *out,
		  enum options_action *action, struct err *err)
{
	struct options options = {
	    .policy_configmap = "kserve-controller-policies",
	    .listen = ":8080",
	    .lease = "kserve-controller",
	    .polling_ms = 300000,
	    .pending_ms = 600000,
	    .max_in_flight = 10,
	    .leader_elect = true,
	    .log_level = LOG_INFO,
	    .log_format = LOG_JSON,
	};

	*action = OPTIONS_RUN;
	for (int i = 1; i < argc; i++) {
		if (streq(argv[i], "--help") || streq(argv[i], "-h"))
			*action = OPTIONS_HELP;
		else if (streq(argv[i], "--version"))
			*action = OPTIONS_VERSION;
	}
	if (*action != OPTIONS_RUN)
		return 0;
	if (from_environment(env, &options, err) < 0 || from_flags(argc, argv, &options, err) < 0) {
		options_done(&options);
		return -1;
	}
	*out = options;
	return 0;
}

void options_done(struct options *options)
{
	for (char **name = options->namespaces; *name != NULL; name++)
		free(steal(*name));
}

void options_help(FILE *out)
{
	fputs("Usage: kserve-controller [FLAG...]\n\n"
	      "Runs InferenceRuns of ai.krateo.io/v1 as Kubernetes Jobs, by Lua policies.\n\n",
	      out);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		char flag[64];

		snprintf(flag, sizeof(flag), "--%s %s", settings[i].flag, settings[i].value);
		fprintf(out, "  %-30s %s%s%s%s\n", flag, settings[i].help,
			settings[i].variable != NULL ? " [" : "",
			settings[i].variable != NULL ? settings[i].variable : "",
			settings[i].variable != NULL ? "]" : "");
	}
	fputs("  --help                         this text\n"
	      "  --version                      the version\n\n"
	      "A variable in brackets sets the same; the flag wins. Logs go to stderr.\n"
	      "Exit status: 0 after SIGTERM or SIGINT, 1 on failure, 2 on wrong usage.\n",
	      out);
}
