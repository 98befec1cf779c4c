#include "control/shadowdiff.h"

#include "base/diff.h"
#include "base/utf8.h"

struct comparison {
	const char *run, *hook;
	struct json *differences;
	bool differs;
};

/* ---- one value as text ---- */

static bool looks_secret(const char *path, const char *text)
{
	static const char *const words[] = {"pass", "token",    "secret", "key",
					    "cred", "authoriz", "cookie"};
	const char *address = strstr(text, "://");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(path, words[i]) != NULL)
			return true;
	return address != NULL && strchr(address, '@') != NULL;
}

static char *value_text(const char *path, const struct json *value)
{
	auto_free char *text = NULL;

	if (value == NULL)
		return xstrdup("(nothing)");
	if (json_type(value) == JSON_OBJECT)
		return xasprintf("{%zu members}", json_len(value));
	if (json_type(value) == JSON_ARRAY)
		return xasprintf("[%zu items]", json_len(value));
	text = json_print(value);
	if (looks_secret(path, text))
		return xstrdup("(hidden)");
	return xstrndup(text, utf8_prefix(text, strlen(text), SHADOW_VALUE_MAX));
}

/* ---- comparing ---- */

/* The first place is enough; the rest often follows from it. */
static bool note(void *arg, const char *path, const struct json *a, const struct json *b)
{
	struct comparison *c = arg;
	auto_free char *active = value_text(path, a), *shadow = value_text(path, b);

	c->differs = true;
	if (json_len(c->differences) < SHADOW_DIFFERENCES_MAX)
		json_append(c->differences,
			    json_build("{'run': %s, 'hook': %s, 'path': %s, 'active': %s,"
				       " 'shadow': %s}",
				       c->run, c->hook, path, active, shadow));
	return false;
}

/* What a result comes to: the answer, or "rejected: MESSAGE", or "error: MESSAGE"; yours. */
static struct json *outcome(const struct json *result, const struct json *otherwise)
{
	const struct json *error = json_get(result, "error");
	bool rejected = streq(json_get_str(error, "kind", ""), "reject");
	auto_free char *text = NULL;

	if (error == NULL)
		return json_copy(result != NULL ? json_get(result, "ok") : otherwise);
	text = xasprintf("%s: %s", rejected ? "rejected" : "error",
			 json_get_str(error, "message", ""));
	return json_string(text);
}

static bool failed(const struct json *result)
{
	const struct json *error = json_get(result, "error");

	return error != NULL && !streq(json_get_str(error, "kind", ""), "reject");
}

enum shadow_result shadow_compare(const char *run, const struct json *active,
				  const struct json *shadow, const struct json *manifest,
				  struct json *differences)
{
	struct comparison c = {.run = run, .differences = differences};
	bool any_failed = false;

	for (const struct json *s = json_first(shadow); s != NULL; s = json_next(s)) {
		auto_json struct json *is = NULL, *would_be = NULL;

		c.hook = json_key(s);
		is = outcome(json_get(active, c.hook), streq(c.hook, "shape") ? manifest : NULL);
		would_be = outcome(s, NULL);
		diff_each(is, would_be, note, &c);
		any_failed = any_failed || failed(s);
	}
	return any_failed ? SHADOW_FAILED : c.differs ? SHADOW_DIFFERS : SHADOW_SAME;
}
