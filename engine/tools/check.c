#include "policy/lint.h"
#include "tools/commands.h"

/* A finding of the sandbox that lint has told already. */
static bool is_told(const struct json *findings, const struct json *finding)
{
	for (const struct json *f = json_first(findings); f != NULL; f = json_next(f))
		if (json_equal(json_get(f, "file"), json_get(finding, "file")) &&
		    json_equal(json_get(f, "line"), json_get(finding, "line")))
			return true;
	return false;
}

/* "file:line: message" or "file: message" of a bundle. */
static struct json *finding_of(const struct source *source, const char *message)
{
	size_t len = strcspn(message, ":");
	auto_free char *file = xstrndup(message, len);
	const char *text = message + len;
	char *end;
	long line;

	if (json_get(source->files, file) == NULL || *text == '\0')
		return json_build("{'file': '', 'line': 0, 'message': %s}", message);
	line = strtol(++text, &end, 10);
	if (end > text && *end == ':')
		text = end + 1;
	else
		line = 0;
	return json_build("{'file': %s, 'line': %d, 'message': %s}", file, (int64_t)line,
			  text + strspn(text, " "));
}

/* Everything that is wrong with a bundle; *digest is its digest if nothing is. */
static struct json *findings_of(const struct source *source, char **digest)
{
	struct json *findings = lint_files(source->files), *finding;
	struct asker *asker = asker_new();
	struct err err = ERR_INIT;

	if (asker_load(asker, "", source->files, &err) == 0) {
		*digest = xstrdup(asker_digest(asker, ""));
	} else {
		finding = finding_of(source, err.msg);
		if (is_told(findings, finding))
			json_free(finding);
		else
			json_append(findings, finding);
	}
	asker_free(asker);
	return findings;
}

static void print_findings(const struct source *source, const struct json *findings)
{
	for (const struct json *f = json_first(findings); f != NULL; f = json_next(f)) {
		const char *path =
		    json_get_str(source->paths, json_get_str(f, "file", ""), source->name);
		auto_free char *line = xasprintf(":%lld", (long long)json_get_int(f, "line", 0));

		fprintf(stderr, "%s%s: %s\n", path, streq(line, ":0") ? "" : line,
			json_get_str(f, "message", ""));
	}
}

static int check(const char *const *paths, size_t count, const struct args *args)
{
	auto_json struct json *findings = NULL, *report = NULL;
	auto_free char *digest = NULL;
	struct err err = ERR_INIT;
	struct source source;
	bool good;

	if (source_read(paths, count, &source, &err) < 0)
		return complain(TOOL_FAILED, "%s", err.msg);
	findings = findings_of(&source, &digest);
	good = json_first(findings) == NULL;
	if (args->output != ARGS_TEXT) {
		report = json_build("{'policies': %s, 'digest': %s, 'findings': %j}", source.name,
				    digest, findings);
		print_report(args, report);
	} else if (good) {
		printf("%s: all is well with %zu file%s, %s\n", source.name, json_len(source.files),
		       json_len(source.files) == 1 ? "" : "s", digest);
	} else {
		print_findings(&source, findings);
	}
	source_done(&source);
	return good ? TOOL_GOOD : TOOL_WRONG;
}

int command_check(const struct args *args)
{
	const char *scripts[ARGS_MAX];
	size_t count = 0;
	int worst = TOOL_GOOD, status;

	for (size_t i = 0; i <= args->word_count; i++) {
		if (i < args->word_count && source_is_lua(args->words[i])) {
			scripts[count++] = args->words[i];
			continue;
		}
		if (i < args->word_count)
			status = check(&args->words[i], 1, args);
		else
			status = count > 0 ? check(scripts, count, args) : TOOL_GOOD;
		worst = status > worst ? status : worst;
	}
	return worst;
}
