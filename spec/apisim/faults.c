#include "spec/apisim/faults.h"

#include <regex.h>

#include "base/map.h"

struct rule {
	char *verb, *resource, *namespace; /* "": any */
	regex_t name, client;
	int64_t skip, times; /* to let pass, and to hit (0: for ever) */
	enum fault fault;
	int64_t value;
};

struct faults {
	struct rule *rules[FAULTS_MAX];
	size_t count;
	struct map *counters; /* "client\nverb\nresource" to int64_t */
	int64_t total, writes;
};

struct faults *faults_new(void)
{
	struct faults *faults = xcalloc(1, sizeof(*faults));

	faults->counters = map_new(free);
	return faults;
}

static void rule_free(struct rule *rule)
{
	regfree(&rule->name);
	regfree(&rule->client);
	free(rule->verb);
	free(rule->resource);
	free(rule->namespace);
	free(rule);
}

void faults_clear(struct faults *faults)
{
	while (faults->count > 0)
		rule_free(faults->rules[--faults->count]);
}

void faults_free(struct faults *faults)
{
	if (faults == NULL)
		return;
	faults_clear(faults);
	map_free(faults->counters);
	free(faults);
}

static int parse_fault(const char *word, enum fault *fault, int64_t *value, struct err *err)
{
	static const struct {
		const char *word;
		enum fault fault;
	} words[] = {
	    {"reset", FAULT_RESET},       {"commit-reset", FAULT_COMMIT_RESET},
	    {"timeout", FAULT_TIMEOUT},   {"commit-timeout", FAULT_COMMIT_TIMEOUT},
	    {"truncate", FAULT_TRUNCATE},
	};
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (streq(words[i].word, word)) {
			*fault = words[i].fault;
			return 0;
		}
	*fault = has_prefix(word, "delay:") ? FAULT_DELAY : FAULT_STATUS;
	word += *fault == FAULT_DELAY ? strlen("delay:") : 0;
	*value = strtoll(word, &end, 10);
	if (*end == '\0' && end != word && *value >= (*fault == FAULT_STATUS ? 400 : 0) &&
	    (*fault == FAULT_DELAY || *value < 600))
		return 0;
	return err_set(err, ERR_INVALID,
		       "fault: expected reset, commit-reset, timeout, commit-timeout, truncate, "
		       "delay:MS or a status from 400, found \"%s\"",
		       word);
}

int faults_add(struct faults *faults, const struct json *fault, struct err *err)
{
	const struct json *match = json_get(fault, "match");
	auto_free char *word = NULL;
	struct rule *rule;
	int64_t status;

	if (faults->count == FAULTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d faults: DELETE /apisim/faults",
			       FAULTS_MAX);
	word = json_int64(json_get(fault, "fault"), &status)
		   ? xasprintf("%lld", (long long)status)
		   : xstrdup(json_get_str(fault, "fault", ""));
	rule = xcalloc(1, sizeof(*rule));
	if (parse_fault(word, &rule->fault, &rule->value, err) < 0) {
		free(rule);
		return -1;
	}
	if (regcomp(&rule->name, json_get_str(match, "name", ""), REG_EXTENDED | REG_NOSUB) != 0) {
		free(rule);
		return err_set(err, ERR_INVALID, "match.name: not a regular expression");
	}
	if (regcomp(&rule->client, json_get_str(match, "client", ""), REG_EXTENDED | REG_NOSUB)) {
		regfree(&rule->name);
		free(rule);
		return err_set(err, ERR_INVALID, "match.client: not a regular expression");
	}
	rule->verb = xstrdup(json_get_str(match, "verb", ""));
	rule->resource = xstrdup(json_get_str(match, "resource", ""));
	rule->namespace = xstrdup(json_get_str(match, "namespace", ""));
	rule->skip = json_get_int(match, "nth", 1) - 1;
	rule->times = json_get_int(fault, "times", 1);
	faults->rules[faults->count++] = rule;
	return 0;
}

static bool matches(const struct rule *rule, const struct request_facts *facts)
{
	return (rule->verb[0] == '\0' || streq(rule->verb, facts->verb)) &&
	       (rule->resource[0] == '\0' || streq(rule->resource, facts->resource)) &&
	       (rule->namespace[0] == '\0' || streq(rule->namespace, facts->namespace)) &&
	       regexec(&rule->name, facts->name, 0, NULL, 0) == 0 &&
	       regexec(&rule->client, facts->client, 0, NULL, 0) == 0;
}

static void drop_rule(struct faults *faults, size_t at)
{
	rule_free(faults->rules[at]);
	faults->count--;
	memmove(&faults->rules[at], &faults->rules[at + 1],
		(faults->count - at) * sizeof(faults->rules[0]));
}

enum fault faults_take(struct faults *faults, const struct request_facts *facts, int64_t *value)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct rule *rule = faults->rules[i];
		enum fault fault = rule->fault;

		if (!matches(rule, facts))
			continue;
		if (rule->skip > 0) {
			rule->skip--;
			continue;
		}
		*value = rule->value;
		if (rule->times > 0 && --rule->times == 0)
			drop_rule(faults, i);
		return fault;
	}
	return FAULT_NONE;
}

static bool is_write(const char *verb)
{
	return streq(verb, "create") || streq(verb, "update") || streq(verb, "patch") ||
	       has_prefix(verb, "delete");
}

void faults_count(struct faults *faults, const struct request_facts *facts)
{
	auto_free char *key = xasprintf("%s\n%s\n%s", facts->client, facts->verb, facts->resource);
	int64_t *counter = map_get(faults->counters, key);

	faults->total++;
	faults->writes += is_write(facts->verb);
	if (counter == NULL && map_len(faults->counters) < COUNTERS_MAX) {
		counter = xcalloc(1, sizeof(*counter));
		map_put(faults->counters, key, counter);
	}
	if (counter != NULL)
		++*counter;
}

struct json *faults_report(const struct faults *faults)
{
	struct json *report =
	    json_build("{'total':%d,'writes':%d,'requests':[]}", faults->total, faults->writes);
	struct json *requests = json_mut(report, "requests");
	const char *key;
	void *value;

	for (size_t i = 0; map_next(faults->counters, &i, &key, &value);) {
		size_t client = strcspn(key, "\n"), verb = strcspn(key + client + 1, "\n");
		auto_free char *name = xstrndup(key, client);
		auto_free char *what = xstrndup(key + client + 1, verb);

		json_append(requests,
			    json_build("{'client':%s,'verb':%s,'resource':%s,'count':%d}", name,
				       what, key + client + verb + 2, *(int64_t *)value));
	}
	return report;
}

void faults_reset_counters(struct faults *faults)
{
	map_free(faults->counters);
	faults->counters = map_new(free);
	faults->total = faults->writes = 0;
}
