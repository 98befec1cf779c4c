#include "spec/standins/parts/faults.h"

enum { FAULTS_MAX = 1000 };

struct faults {
	struct json *list[FAULTS_MAX];
	size_t count;
};

static const struct {
	const char *name;
	enum json_type type;
} fields[] = {
    {"path", JSON_STRING},   {"method", JSON_STRING},   {"times", JSON_NUMBER},
    {"status", JSON_NUMBER}, {"body", JSON_STRING},     {"content_type", JSON_STRING},
    {"headers", JSON_ARRAY}, {"drop", JSON_BOOL},       {"truncate", JSON_BOOL},
    {"after", JSON_BOOL},    {"delay_ms", JSON_NUMBER},
};

struct faults *faults_new(void)
{
	return xcalloc(1, sizeof(struct faults));
}

void faults_clear(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		json_free(faults->list[i]);
	faults->count = 0;
}

void faults_free(struct faults *faults)
{
	faults_clear(faults);
	free(faults);
}

static int check_field(const struct json *value, struct err *err)
{
	const char *name = json_key(value);

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!streq(name, fields[i].name))
			continue;
		if (json_type(value) == fields[i].type)
			return 0;
		return err_set(err, ERR_INVALID, "%s: expected %s, found %s", name,
			       json_type_name(fields[i].type), json_type_name(json_type(value)));
	}
	return err_set(err, ERR_INVALID,
		       "unknown field \"%s\"; a fault has path, method, times, status, body, "
		       "content_type, headers, drop, truncate, after and delay_ms",
		       name);
}

static int check_fault(const struct json *fault, struct err *err)
{
	int64_t status = json_get_int(fault, "status", 200);

	if (json_type(fault) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "expected an object, found %s",
			       json_type_name(json_type(fault)));
	for (const struct json *c = json_first(fault); c != NULL; c = json_next(c))
		if (check_field(c, err) < 0)
			return -1;
	if (json_get(fault, "path") == NULL)
		return err_set(err, ERR_INVALID, "expected the field \"path\"");
	if (status < 200 || status > 599)
		return err_set(err, ERR_INVALID, "status: expected 200 to 599, found %lld",
			       (long long)status);
	for (const struct json *c = json_first(json_get(fault, "headers")); c; c = json_next(c))
		if (json_str(c) == NULL || strchr(json_str(c), ':') == NULL)
			return err_set(err, ERR_INVALID, "headers: expected \"Name: value\"");
	return 0;
}

int faults_add(struct faults *faults, const char *text, size_t len, struct err *err)
{
	auto_json struct json *fault = json_parse(text, len, err);

	if (fault == NULL || check_fault(fault, err) < 0)
		return -1;
	if (faults->count == FAULTS_MAX)
		return err_set(err, ERR_LIMIT, "expected at most %d faults, found one more",
			       FAULTS_MAX);
	faults->list[faults->count++] = steal(fault);
	return 0;
}

struct json *faults_list(const struct faults *faults)
{
	struct json *list = json_array();

	for (size_t i = 0; i < faults->count; i++)
		json_append(list, json_copy(faults->list[i]));
	return list;
}

static bool matches(const struct json *fault, const char *method, const char *path)
{
	const char *pattern = json_get_str(fault, "path", "");
	size_t len = strlen(pattern);

	if (!streq(json_get_str(fault, "method", method), method))
		return false;
	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, path, len - 1) == 0;
	return streq(pattern, path);
}

struct json *faults_strike(struct faults *faults, const char *method, const char *path)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct json *fault = faults->list[i];
		int64_t times = json_get_int(fault, "times", 1);

		if (!matches(fault, method, path))
			continue;
		if (times > 1) {
			json_set(fault, "times", json_int(times - 1));
			return json_copy(fault);
		}
		faults->count--;
		memmove(&faults->list[i], &faults->list[i + 1],
			(faults->count - i) * sizeof(struct json *));
		return fault;
	}
	return NULL;
}

bool fault_answers(const struct json *fault)
{
	return json_get(fault, "status") != NULL || json_get(fault, "body") != NULL ||
	       json_is_true(json_get(fault, "drop"));
}
