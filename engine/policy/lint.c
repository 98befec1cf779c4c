#include "policy/lint.h"

#include "policy/bundle.h"
#include "policy/eval.h"
#include "policy/lint_parse.h"
#include "policy/luaapi.h"
#include "policy/stdlib.h"

struct lint {
	const struct json *files;
	struct json *names;    /* as in struct scope */
	struct json *findings; /* of all files */
	struct json *required; /* by any file */
	bool requires_others;  /* a file may require others than those */
};

/* ---- the names of policies ---- */

/* From the read-only table on top, or a plain one, to the table with its members. */
LUA_RAISES static void push_members(lua_State *L)
{
	if (luaL_getmetafield(L, -1, "__index") == LUA_TTABLE)
		return;
	lua_pushvalue(L, -1);
}

LUA_RAISES static void add_names(lua_State *L, struct json *names, int levels)
{
	push_members(L);
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		if (lua_type(L, -2) == LUA_TSTRING) {
			json_set(names, lua_tostring(L, -2), json_object());
			if (levels > 1 && lua_istable(L, -1))
				add_names(L, json_mut(names, lua_tostring(L, -2)), levels - 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

LUA_RAISES static int open_names(lua_State *L)
{
	struct json *names = lua_touserdata(L, 1);

	stdlib_open(L);
	stdlib_push_env(L);
	add_names(L, names, 2);
	return 0;
}

static struct json *known_names(void)
{
	struct json *names = json_object();
	lua_State *L = luaL_newstate();

	if (L == NULL)
		abort();
	lua_pushcfunction(L, open_names);
	lua_pushlightuserdata(L, names);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		abort();
	lua_close(L);
	return names;
}

/* ---- findings ---- */

static void add_finding(struct lint *lint, const char *file, int64_t line, const char *message)
{
	json_append(lint->findings,
		    json_build("{'file': %s, 'line': %d, 'message': %s}", file, line, message));
}

/* message is "file: text" or "file:line: text". */
static void add_message(struct lint *lint, const char *message)
{
	for (const struct json *f = json_first(lint->files); f != NULL; f = json_next(f)) {
		const char *text = message + strlen(json_key(f));
		char *end;
		long line;

		if (!has_prefix(message, json_key(f)) || *text != ':')
			continue;
		line = strtol(text + 1, &end, 10);
		text = end > text + 1 && *end == ':' ? end : text;
		add_finding(lint, json_key(f), text == end ? line : 0,
			    text + 1 + strspn(text + 1, " "));
		return;
	}
	add_finding(lint, "", 0, message);
}

/* Scopes end after what is in them; findings are told from top to bottom. */
static int compare_findings(const void *a, const void *b)
{
	const struct finding *left = a, *right = b;

	return left->line != right->line ? (left->line > right->line) - (left->line < right->line)
					 : strcmp(left->message, right->message);
}

static void add_scope(struct lint *lint, const char *file, struct scope *scope)
{
	qsort(scope->findings, scope->found, sizeof(scope->findings[0]), compare_findings);
	for (size_t i = 0; i < scope->found; i++)
		add_finding(lint, file, scope->findings[i].line, scope->findings[i].message);
}

/* ---- one file ---- */

/* Loading is protected by itself: it returns what went wrong. */
static bool compiles(struct lint *lint, const char *file, const char *text)
{
	auto_free char *chunk = xasprintf("=%s", file);
	lua_State *L = luaL_newstate();
	bool good;

	if (L == NULL)
		abort();
	good = luaL_loadbufferx(L, text, strlen(text), chunk, "t") == LUA_OK;
	if (!good && has_prefix(lua_tostring(L, -1), file))
		add_message(lint, lua_tostring(L, -1));
	else if (!good) /* a binary chunk */
		add_finding(lint, file, 1, lua_tostring(L, -1));
	lua_close(L);
	return good;
}

static const struct field *find_field(const struct table *table, const char *name)
{
	const struct field *field = table->fields;

	while (field != NULL && (field->name.len != strlen(name) ||
				 memcmp(field->name.text, name, field->name.len) != 0))
		field = field->next;
	return field;
}

static char *arguments_of(const struct eval_form *form, int *count)
{
	struct buf text = BUF_INIT(ERR_MSG_MAX);

	for (*count = 0; form->args[*count] != NULL; ++*count)
		buf_addf(&text, "%s%s", *count > 0 ? ", " : "", form->args[*count]);
	return buf_steal(&text);
}

static void check_function(struct scope *scope, const struct eval_form *form,
			   const struct field *field)
{
	const struct value *value = lint_resolve(&field->value);
	auto_free char *given = NULL;
	int count;

	if (value->type == VALUE_UNKNOWN)
		return;
	if (value->type != VALUE_FUNCTION) {
		scope_found(scope, field->name.line, "expected '%s' to be a function",
			    form->function);
		return;
	}
	given = arguments_of(form, &count);
	if (value->parameters > count)
		scope_found(scope, value->line, "%s has %d parameters, but is called with %d: (%s)",
			    form->function, value->parameters, count, given);
}

static int last_line(const char *text)
{
	int line = 1;

	for (; *text != '\0'; text++)
		line += *text == '\n' && text[1] != '\0';
	return line;
}

/* A hook's file must return a table with its function. */
static void check_shape(struct scope *scope, const struct eval_form *form,
			const struct chunk *chunk, const char *text)
{
	const struct value *value = lint_resolve(&chunk->returned);
	const struct field *field;

	if (chunk->returns && value->type == VALUE_UNKNOWN)
		return;
	if (value->type != VALUE_TABLE) {
		scope_found(scope, chunk->returns ? chunk->returned.line : last_line(text),
			    "expected the file to return a table with the function '%s'; end it "
			    "with: return { %s = %s }",
			    form->function, form->function, form->function);
		return;
	}
	field = find_field(value->table, form->function);
	if (field != NULL)
		check_function(scope, form, field);
	else if (!value->table->open)
		scope_found(scope, chunk->returned.line,
			    "expected the function '%s' in the table that the file returns",
			    form->function);
}

static void note_required(struct lint *lint, const struct scope *scope)
{
	for (const struct json *r = json_first(scope->required); r != NULL; r = json_next(r))
		json_set(lint->required, json_key(r), json_null());
	lint->requires_others = lint->requires_others || scope->requires_others;
}

static bool is_built_in(const char *file)
{
	if (has_prefix(file, BUNDLE_DEFAULT))
		file += strlen(BUNDLE_DEFAULT);
	for (size_t i = 0; i < default_bundle_count; i++)
		if (streq(default_bundle[i].name, file))
			return true;
	return false;
}

static void check_required(struct lint *lint, struct scope *scope)
{
	for (const struct json *r = json_first(scope->required); r != NULL; r = json_next(r)) {
		auto_free char *file = xasprintf("%s.lua", json_key(r));
		int64_t line = 0;

		json_int64(r, &line);
		if (json_get(lint->files, file) == NULL && !is_built_in(file))
			scope_found(scope, (int)line, "require \"%s\": the bundle has no file %s",
				    json_key(r), file);
	}
}

static void check_file(struct lint *lint, const char *file, const char *text)
{
	auto_json struct json *required = json_object();
	struct scope scope = {.names = lint->names, .required = required};
	const struct eval_form *form = eval_form_of_file(file);
	struct chunk chunk;

	if (!compiles(lint, file, text)) {
		lint->requires_others = true;
		return;
	}
	lint_parse(&scope, text, strlen(text), &chunk);
	if (form != NULL)
		check_shape(&scope, form, &chunk, text);
	check_required(lint, &scope);
	note_required(lint, &scope);
	add_scope(lint, file, &scope);
	scope_done(&scope);
}

/* ---- the bundle ---- */

static bool is_lua(const char *file)
{
	size_t len = strlen(file), end = strlen(".lua");

	return len > end && streq(file + len - end, ".lua");
}

/* bundle_new() takes any mention of a module's name for a use of it: here the code is known. */
static void check_modules(struct lint *lint)
{
	for (const struct json *f = json_first(lint->files); f != NULL; f = json_next(f)) {
		const char *file = json_key(f);
		auto_free char *module = xstrndup(file, strlen(file) - strlen(".lua"));

		if (eval_form_of_file(file) == NULL && !streq(file, EVAL_EXAMPLES) &&
		    json_get(lint->required, module) == NULL)
			add_finding(lint, file, 0, "no file requires this module");
	}
}

struct json *lint_files(const struct json *files)
{
	auto_json struct json *names = known_names(), *required = json_object();
	struct lint lint = {
	    .files = files, .names = names, .findings = json_array(), .required = required};
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new(files, &err);

	if (bundle == NULL)
		add_message(&lint, err.msg);
	for (const struct json *f = json_first(files); f != NULL; f = json_next(f))
		if (json_str(f) != NULL && is_lua(json_key(f)))
			check_file(&lint, json_key(f), json_str(f));
	if (bundle != NULL && !lint.requires_others)
		check_modules(&lint);
	bundle_free(bundle);
	return lint.findings;
}
