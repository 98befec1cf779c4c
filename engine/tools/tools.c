#include "tools/tools.h"

#include <errno.h>
#include <stdarg.h>

#include "base/yaml.h"
#include "tools/commands.h"

static const struct command {
	const char *group, *name; /* group NULL: none */
	const char *usage, *what;
	size_t least, most; /* words behind the name */
	bool objects;       /* it reads files with -f */
	int (*run)(const struct args *args);
	const char *help;
} commands[] = {
    {"policy", "check", "DIR|FILE... [-o json]", "tell what is wrong with policies", 1, ARGS_MAX,
     false, command_check,
     "First without running them: names that policies do not have, what is never used or reached,\n"
     "wrong names of files, functions and modules. Then, in the sandbox of the controller, every\n"
     "file is run and examples.lua must come out as told. All .lua files named are one bundle.\n"
     "\n"
     "Exit status: 0 all is well, 1 something is wrong, 2 a file cannot be read.\n"},
    {"policy", "eval", "HOOK DIR -f FILE... [-o json]", "ask one hook about runs", 2, 2, true,
     command_eval,
     "HOOK is validate, contract, shape or status. Prints the answer for each run of the files,\n"
     "and what it took of the limits. What the script logs goes to stderr. With -o json a line "
     "for\n"
     "each run: {\"run\", \"hook\", \"ok\" or \"error\", \"instructions\", \"memory\"}.\n"
     "\n"
     "Exit status: 0 all is well, 1 the policies fail or reject a run, 2 a file cannot be read.\n"},
    {"policy", "diff", "OLD NEW -f FILE... [-o json]", "tell what other policies would change", 2,
     2, true, command_diff,
     "For each run of the files, what validate, contract, shape and, if its Job is among them,\n"
     "status answer otherwise: the place in the answer, then the old value and the new one.\n"
     "\n"
     "Exit status: 0 nothing changes, 1 something does, 2 a failure.\n"},
    {NULL, "render", "[DIR] -f FILE... [-o json]", "print the objects that a run would get", 0, 1,
     true, command_render,
     "The ConfigMap with the contract, and the Job or CronJob, as the controller would make them.\n"
     "Without DIR the built-in policies make them.\n"
     "\n"
     "Exit status: 0 all is well, 1 the policies fail or reject a run, 2 a file cannot be read.\n"},
};

static const char where_policies_are[] = "\nDIR is a folder of .lua files, one .lua file, or YAML "
					 "or JSON of the ConfigMap; hooks that it\n"
					 "leaves out are the built-in ones.\n";

static const char object_flags[] =
    "\n  -f, --filename FILE      InferenceRuns, with their InferenceConfigs, Jobs and Pods, as "
    "YAML or\n"
    "                           JSON (- is standard input); may be repeated\n"
    "  -n, --namespace NAME     of objects that name none (default: default)\n"
    "      --sa-runner NAME     service account of runner pods, as the controller's flag\n";

/* "policy check"; yours. */
static char *full_name(const struct command *command)
{
	return xasprintf("%s%s%s", command->group != NULL ? command->group : "",
			 command->group != NULL ? " " : "", command->name);
}

static void print_help(const struct command *command)
{
	auto_free char *name = full_name(command);

	printf("Usage: kserve-controller %s %s\n\n%s%s%s", name, command->usage, command->help,
	       where_policies_are, command->objects ? object_flags : "\n");
	puts("  -o, --output FORMAT      json or yaml");
}

void tools_help(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		auto_free char *name = full_name(&commands[i]);

		fprintf(out, "  %-30s %s\n", name, commands[i].what);
	}
}

bool tools_know(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (streq(word, commands[i].group != NULL ? commands[i].group : commands[i].name))
			return true;
	return false;
}

/* words[0] is the group or the name. */
static const struct command *find(int count, char *const *words)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		if (c->group == NULL
			? streq(words[0], c->name)
			: count > 1 && streq(words[0], c->group) && streq(words[1], c->name))
			return c;
	}
	return NULL;
}

/* What was not written was not told. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	return complain(TOOL_FAILED, "standard output: %s", strerror(errno));
}

static int run(const struct command *command, int argc, char *const *argv)
{
	auto_free char *name = full_name(command);
	struct err err = ERR_INIT;
	struct args args;
	bool good = args_parse(argc, argv, &args, &err) == 0;

	if (good && args.help) {
		print_help(command);
		return TOOL_GOOD;
	}
	if (good && (args.word_count < command->least || args.word_count > command->most)) {
		err_set(&err, ERR_INVALID, "expected %s", command->usage);
		good = false;
	}
	if (good && (args.file_count > 0) != command->objects) {
		err_set(&err, ERR_INVALID,
			command->objects ? "expected -f FILE, found none"
					 : "-f: not a flag of this command");
		good = false;
	}
	if (!good)
		return complain(TOOL_FAILED, "kserve-controller %s: %s; see --help", name, err.msg);
	return finish(command->run(&args));
}

int tools_main(int argc, char *const *argv)
{
	const struct command *command = find(argc - 1, argv + 1);
	bool asks = argc > 2 && (streq(argv[2], "--help") || streq(argv[2], "-h"));
	int words;

	if (command == NULL) {
		FILE *out = asks ? stdout : stderr;

		fprintf(
		    out,
		    "Usage: kserve-controller COMMAND ...; --help behind a command tells more\n\n");
		tools_help(out);
		return asks ? TOOL_GOOD : TOOL_FAILED;
	}
	words = command->group != NULL ? 3 : 2;
	return run(command, argc - words, argv + words);
}

/* ---- printing ---- */

int complain(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

void print_yaml(const struct json *value)
{
	auto_free char *text = yaml_print(value);

	fputs(text, stdout);
}

void print_json(const struct json *value)
{
	auto_free char *text = json_print(value);

	puts(text);
}

void print_report(const struct args *args, const struct json *value)
{
	if (args->output == ARGS_JSON) {
		print_json(value);
		return;
	}
	puts("---");
	print_yaml(value);
}

bool has_colors(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0');
}
