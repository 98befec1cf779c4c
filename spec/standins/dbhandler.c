/*
 * dbhandler.c - a stand-in of finops-database-handler: `dbhandler --user U --password P ...`.
 *
 * Like the real one, down to its oddities:
 *  - a notebook that fails is a 200 with the traceback as its body; one that does not exist is a
 *    200 with an empty body;
 *  - the reply is called JSON only if Accept is exactly "application/json";
 *  - whatever Flask refuses (404, 405, 415, bad JSON) and every exception is a 500;
 *  - parameters become arguments of a process: strings only, at most 131071 bytes each with their
 *    name, 2 MiB in all;
 *  - four requests are worked on at once, the others wait.
 *
 * Not offered: upload and delete of notebooks, and /upload. Notebooks of a name with a file NAME.py
 * in the folder of --notebooks are that program (python.h), the others are written in C
 * (notebooks.h). Beyond the real one, without a password: GET and PUT /tables/<name> (tables.h),
 * GET /requests and POST /faults (standin.h).
 */
#include "base/base64.h"
#include "spec/standins/parts/notebooks.h"
#include "spec/standins/parts/python.h"
#include "spec/standins/parts/standin.h"

enum {
	THREADS = 4,
	ARGUMENT_MAX = 131071,            /* MAX_ARG_STRLEN of Linux, without the NUL */
	ARGUMENTS_MAX = (2 << 20) - 4096, /* ARG_MAX, less what the environment takes */
	OUTPUT_MAX = 256 << 20,
};

struct handler {
	struct tables *tables;
	const char *user, *password, *state, *notebooks;
};

/* ---- who asks ---- */

enum credentials { CREDENTIALS_NONE, CREDENTIALS_WRONG, CREDENTIALS_RIGHT };

static enum credentials check_credentials(const struct handler *handler,
					  const struct serve_request *request)
{
	const char *header = serve_header(request, "Authorization");
	auto_free char *right = xasprintf("%s:%s", handler->user, handler->password);
	auto_buf struct buf encoded = BUF_INIT(8192);

	if (header == NULL || strncasecmp(header, "Basic ", 6) != 0)
		return CREDENTIALS_NONE;
	base64_encode(right, strlen(right), &encoded);
	return streq(header + 6, encoded.data) ? CREDENTIALS_RIGHT : CREDENTIALS_WRONG;
}

/* ---- running a notebook ---- */

static const char *python_type(const struct json *value)
{
	switch (json_type(value)) {
	case JSON_NULL:
	case JSON_MISSING:
		return "NoneType";
	case JSON_BOOL:
		return "bool";
	case JSON_NUMBER:
		return strpbrk(json_number_text(value), ".eE") != NULL ? "float" : "int";
	case JSON_STRING:
		return "str";
	case JSON_ARRAY:
		return "list";
	case JSON_OBJECT:
		break;
	}
	return "dict";
}

/* The parameters as "key=value"; NULL with the reply set where Python or the kernel refuses. */
static char **make_arguments(const struct json *parameters, struct standin_reply *reply)
{
	char **args = xcalloc(json_len(parameters) + 1, sizeof(*args));
	size_t count = 0, total = 0;

	for (const struct json *c = json_first(parameters); c != NULL; c = json_next(c)) {
		if (json_str(c) == NULL) {
			standin_error(reply, 500, "can only concatenate str (not \"%s\") to str",
				      python_type(c));
			goto refused;
		}
		args[count++] = xasprintf("%s=%s", json_key(c), json_str(c));
		total += strlen(args[count - 1]) + 1 + sizeof(char *);
		if (strlen(args[count - 1]) > ARGUMENT_MAX || total > ARGUMENTS_MAX) {
			standin_error(reply, 500, "[Errno 7] Argument list too long: 'python3'");
			goto refused;
		}
	}
	return args;

refused:
	for (size_t i = 0; i < count; i++)
		free(args[i]);
	free(args);
	return NULL;
}

static struct json *parse_parameters(const struct serve_request *request,
				     struct standin_reply *reply)
{
	const char *type = serve_header(request, "Content-Type");
	struct err err = ERR_INIT;
	struct json *parameters;
	size_t len;
	const char *body = serve_body(request, &len);

	if (type == NULL || strncasecmp(type, "application/json", 16) != 0) {
		standin_error(reply, 500,
			      "415 Unsupported Media Type: Did not attempt to load JSON data "
			      "because the request Content-Type was not 'application/json'.");
		return NULL;
	}
	parameters = json_parse(body, len, &err);
	if (parameters == NULL && memmem(body, len, "\\u0000", 6) != NULL)
		standin_error(reply, 500, "embedded null byte");
	else if (parameters == NULL)
		standin_error(reply, 500,
			      "400 Bad Request: The browser (or proxy) sent a request that this "
			      "server could not understand.");
	else if (json_type(parameters) == JSON_OBJECT || json_len(parameters) == 0)
		return parameters;
	else
		standin_error(reply, 500, "list indices must be integers or slices, not str");
	json_free(parameters);
	return NULL;
}

/* result.strip('\n'), typed by the caller's Accept. */
static void reply_result(const struct serve_request *request, const struct buf *result,
			 struct standin_reply *reply)
{
	const char *accept = serve_header(request, "Accept");
	const char *from = result->data + strspn(result->data, "\n");
	size_t len = strlen(from);

	while (len > 0 && from[len - 1] == '\n')
		len--;
	reply->status = 200;
	reply->content_type = accept != NULL && streq(accept, "application/json")
				  ? "application/json"
				  : "text/html; charset=utf-8";
	buf_add(&reply->body, from, len);
}

/* The program of a notebook; NULL if it has none. */
static char *program_of(const struct handler *handler, const char *name)
{
	auto_free char *path = NULL;

	if (handler->notebooks == NULL)
		return NULL;
	path = xasprintf("%s/%s.py", handler->notebooks, name);
	return access(path, R_OK) == 0 ? steal(path) : NULL;
}

static void run_notebook(struct handler *handler, const struct serve_request *request,
			 const char *name, struct standin_reply *reply)
{
	auto_buf struct buf out = BUF_INIT(OUTPUT_MAX);
	auto_buf struct buf traceback = BUF_INIT(1 << 20);
	auto_json struct json *parameters = parse_parameters(request, reply);
	const struct notebook *notebook = notebook_find(name);
	auto_free char *program = program_of(handler, name);
	struct err err = ERR_INIT;
	char **args;

	if (parameters == NULL)
		return;
	args = make_arguments(parameters, reply);
	if (args == NULL)
		return;
	if (program != NULL)
		python_run(program, args, &out, &traceback);
	else if (notebook != NULL)
		notebook->run(handler->tables, args, json_len(parameters), &out, &traceback);
	for (size_t i = 0; args[i] != NULL; i++)
		free(args[i]);
	free(args);
	if (handler->state != NULL && tables_save(handler->tables, handler->state, &err) < 0)
		fprintf(stderr, "dbhandler: %s\n", err.msg);
	reply_result(request, traceback.len > 0 ? &traceback : &out, reply);
}

/* ---- routes ---- */

static void list_notebooks(struct standin_reply *reply)
{
	auto_json struct json *list = json_array();

	for (size_t i = 0; i < notebook_count; i++)
		json_append(list, json_build("[%s]", notebooks[i].name));
	standin_json(reply, 200, list);
}

static void notebook_info(const struct handler *handler, const char *name,
			  struct standin_reply *reply)
{
	auto_free char *program = program_of(handler, name);
	bool known = program != NULL || notebook_find(name) != NULL;
	auto_json struct json *info = json_build("{'notebook': %s, 'code': %s}", name,
						 known ? "# a stand-in: no Python here\n" : "");

	standin_json(reply, known ? 200 : 404, info);
}

static void compute(struct handler *handler, const struct serve_request *request, const char *path,
		    struct standin_reply *reply)
{
	const char *method = serve_method(request), *slash = strchr(path, '/');
	enum credentials credentials = check_credentials(handler, request);
	auto_free char *name = xstrndup(path, strcspn(path, "/"));

	if (credentials == CREDENTIALS_NONE)
		standin_error(reply, 401, "authorization header is missing or not type basic");
	else if (credentials == CREDENTIALS_WRONG)
		standin_error(reply, 500, "password authentication failed");
	else if (streq(method, "GET") && streq(path, "list"))
		list_notebooks(reply);
	else if (streq(method, "GET") && slash != NULL && streq(slash, "/info"))
		notebook_info(handler, name, reply);
	else if (streq(method, "GET"))
		standin_error(reply, 400, "URL composition incorrect");
	else if (streq(method, "POST") && slash == NULL)
		run_notebook(handler, request, path, reply);
	else
		standin_error(reply, 405, "URL composition or methods are incorrect");
}

static void tables_route(struct handler *handler, const struct serve_request *request,
			 const char *name, struct standin_reply *reply)
{
	const struct json *table;
	struct err err = ERR_INIT;

	if (streq(serve_method(request), "PUT")) {
		size_t len;
		const char *body = serve_body(request, &len);
		struct json *new = json_parse(body, len, &err);

		if (new == NULL || tables_put(handler->tables, name, new, &err) < 0) {
			standin_error(reply, 400, "table %s: %s", name, err.msg);
			return;
		}
	}
	table = tables_get(handler->tables, name);
	if (table == NULL)
		standin_error(reply, 404, "table %s does not exist", name);
	else
		standin_json(reply, 200, table);
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && !streq(word, *words))
		words++;
	return *words != NULL;
}

static void answer(void *arg, const struct serve_request *request, struct standin_reply *reply)
{
	struct handler *handler = arg;
	const char *method = serve_method(request), *path = serve_path(request);
	bool is_compute = streq(path, "/compute") || has_prefix(path, "/compute/");

	if (has_prefix(path, "/tables/"))
		tables_route(handler, request, path + strlen("/tables/"), reply);
	else if (!is_compute && !streq(path, "/"))
		standin_error(reply, 500,
			      "404 Not Found: The requested URL was not found on the server. If "
			      "you entered the URL manually please check your spelling and try "
			      "again.");
	else if (!is_one_of(method,
			    is_compute && path[strlen("/compute")] == '/'
				? (const char *const[]){"GET", "HEAD", "POST", "DELETE", NULL}
				: (const char *const[]){"GET", "HEAD", NULL}))
		standin_error(reply, 500,
			      "405 Method Not Allowed: The method is not allowed for the requested "
			      "URL.");
	else if (is_compute)
		compute(handler, request, path + strlen("/compute") + (path[8] == '/'), reply);
	else
		standin_text(reply, 200,
			     "This is the homepage of Krateo's CrateDB Webservice: you can reach "
			     "the service!");
}

/* ---- the program ---- */

static int option(void *arg, const char *name, const char *value, struct err *err)
{
	struct handler *handler = arg;

	if (streq(name, "--user")) {
		handler->user = value;
	} else if (streq(name, "--password")) {
		handler->password = value;
	} else if (streq(name, "--notebooks")) {
		handler->notebooks = value;
	} else if (streq(name, "--state")) {
		handler->state = value;
		return tables_load(handler->tables, value, err);
	} else {
		return err_set(err, ERR_INVALID, "%s: unknown option; see --help", name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct handler handler = {.tables = tables_new(), .user = "crate", .password = ""};
	struct standin standin = {
	    .name = "dbhandler",
	    .options = "  --user NAME         of Basic authorization (crate)\n"
		       "  --password TEXT     of Basic authorization (empty)\n"
		       "  --notebooks DIR     with programs NAME.py\n"
		       "  --state FILE        keep the tables there\n",
	    .option = option,
	    .answer = answer,
	    .arg = &handler,
	    .parallel = THREADS,
	};
	int status = standin_main(&standin, argc, argv);

	tables_free(handler.tables);
	return status;
}
