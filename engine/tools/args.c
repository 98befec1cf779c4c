#include "tools/args.h"

static int set_file(struct args *out, const char *value, struct err *err)
{
	if (out->file_count == ARGS_MAX)
		return err_set(err, ERR_LIMIT, "expected at most %d files, found more", ARGS_MAX);
	out->files[out->file_count++] = value;
	return 0;
}

static int set_output(struct args *out, const char *value, struct err *err)
{
	if (!streq(value, "json") && !streq(value, "yaml"))
		return err_set(err, ERR_INVALID, "expected json or yaml, found \"%s\"", value);
	out->output = streq(value, "json") ? ARGS_JSON : ARGS_YAML;
	return 0;
}

static int set_namespace(struct args *out, const char *value, struct err *err)
{
	if (*value == '\0' || strchr(value, '/') != NULL)
		return err_set(err, ERR_INVALID, "expected a namespace, found \"%s\"", value);
	out->namespace = value;
	return 0;
}

static int set_service_account(struct args *out, const char *value, struct err *err UNUSED)
{
	out->service_account = value;
	return 0;
}

static const struct flag {
	const char *name, *letter; /* letter NULL: none */
	int (*set)(struct args *out, const char *value, struct err *err);
} flags[] = {
    {"--filename", "-f", set_file},
    {"--output", "-o", set_output},
    {"--namespace", "-n", set_namespace},
    {"--sa-runner", NULL, set_service_account},
};

/* The flag that the word is, or begins with; *value is what else the word holds, or NULL. */
static const struct flag *find_flag(const char *word, const char **value)
{
	size_t len = strcspn(word, "=");

	*value = word[len] == '=' ? word + len + 1 : NULL;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strlen(flags[i].name) == len && strncmp(flags[i].name, word, len) == 0)
			return &flags[i];
		if (flags[i].letter == NULL || !has_prefix(word, flags[i].letter))
			continue;
		if (len > 2)
			*value = word + 2;
		return &flags[i];
	}
	return NULL;
}

static int add_word(struct args *out, const char *word, struct err *err)
{
	if (out->word_count == ARGS_MAX)
		return err_set(err, ERR_LIMIT, "expected at most %d words, found more", ARGS_MAX);
	out->words[out->word_count++] = word;
	return 0;
}

static int add_flag(struct args *out, char *const *argv, int *at, struct err *err)
{
	const char *word = argv[*at], *value;
	const struct flag *flag = find_flag(word, &value);

	if (flag == NULL)
		return err_set(err, ERR_INVALID, "unknown flag \"%s\"", word);
	if (value == NULL)
		value = argv[++*at];
	if (value == NULL)
		return err_set(err, ERR_INVALID, "%s: expected a value, found none", word);
	return flag->set(out, value, err) < 0 ? err_wrap(err, "%s", flag->name) : 0;
}

int args_parse(int argc, char *const *argv, struct args *out, struct err *err)
{
	*out = (struct args){.namespace = "default"};
	for (int i = 0; i < argc; i++) {
		bool word = argv[i][0] != '-' || argv[i][1] == '\0';

		if (streq(argv[i], "--help") || streq(argv[i], "-h"))
			out->help = true;
		else if ((word ? add_word(out, argv[i], err) : add_flag(out, argv, &i, err)) < 0)
			return -1;
	}
	return 0;
}
