#include "policy/convert.h"
#include "policy/kept.h"
#include "policy/stdlib.h"

/* Running a file, and telling what went wrong. */

enum { MESSAGE_HANDLER = 1 };

static int keep_code(lua_State *L, const void *bytes, size_t len, void *code)
{
	(void)L;
	return buf_add(code, bytes, len);
}

/* Push the file as a function. It is compiled once: the code belongs to the file, and no script can
 * reach it there. Text is never taken for code. */
LUA_RAISES static void push_chunk(lua_State *L, const char *name, const struct bundle_file *file)
{
	char chunk[BUNDLE_NAME_MAX + sizeof(BUNDLE_DEFAULT) + 1];
	bool keeps = streq(name, file->name) && !file->code->full; /* the code has the name in it */
	const char *message;
	int status;

	snprintf(chunk, sizeof(chunk), "=%s", name);
	if (keeps && file->code->len > 0)
		status = luaL_loadbufferx(L, file->code->data, file->code->len, chunk, "b");
	else
		status = luaL_loadbufferx(L, file->text, file->len, chunk, "t");
	sandbox_check(L, status);
	if (status == LUA_OK) {
		if (keeps && file->code->len == 0)
			lua_dump(L, keep_code, file->code, 0);
		return;
	}
	message = lua_tostring(L, -1);
	if (has_prefix(message, name))
		lua_error(L);
	luaL_error(L, "%s:1: %s", name, message); /* a binary chunk */
}

LUA_RAISES void sandbox_run_file(lua_State *L, const char *name, const struct bundle_file *file)
{
	push_chunk(L, name, file);
	stdlib_push_env(L);
	lua_setupvalue(L, -2, 1); /* _ENV */
	lua_call(L, 0, 1);
}

LUA_RAISES static void push_function(lua_State *L, const char *file, const char *name)
{
	if (!lua_istable(L, -1))
		luaL_error(
		    L,
		    "%s:0: expected the file to return a table with the function '%s', found "
		    "%s; end it with: return { %s = %s }",
		    file, name, lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1), name, name);
	lua_pushstring(L, name);
	lua_rawget(L, -2);
	if (!lua_isfunction(L, -1))
		luaL_error(
		    L,
		    "%s:0: expected the function '%s' in the table that the file returns, found "
		    "%s",
		    file, name, lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
}

static int line_of_function(lua_State *L)
{
	lua_Debug ar;

	lua_pushvalue(L, -1);
	lua_getinfo(L, ">S", &ar);
	return ar.linedefined > 0 ? ar.linedefined : 1;
}

static const char module_key; /* its address: where the registry has what the file returned */

LUA_RAISES static int load_file(lua_State *L)
{
	struct sandbox *box = lua_touserdata(L, 1);
	const struct bundle_file *file = bundle_find(box->options.bundle, box->call->file);

	if (file == NULL)
		return luaL_error(L, "%s:0: no such file in the bundle", box->call->file);
	if (box->arena == NULL)
		stdlib_open(L);
	sandbox_run_file(L, file->name, file);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
	return 0;
}

LUA_RAISES static void call_function(lua_State *L, const struct sandbox_call *call)
{
	for (int i = 0; i < call->arg_count; i++)
		convert_push(L, json_type(call->args[i]) == JSON_NULL ? NULL : call->args[i]);
	lua_call(L, call->arg_count, 1);
}

LUA_RAISES static int use_file(lua_State *L)
{
	struct sandbox *box = lua_touserdata(L, 1);
	const struct sandbox_call *call = box->call;
	int defined = 1;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
	if (call->want == SANDBOX_MODULE)
		return 0;
	if (call->want != SANDBOX_RETURN) {
		push_function(L, call->file, call->function);
		if (call->want == SANDBOX_CHECK)
			return 0;
		defined = line_of_function(L);
		call_function(L, call);
	}
	sandbox_check(L, LUA_OK);
	box->seen_file = bundle_find(box->options.bundle, call->file)->name;
	box->seen_line = defined; /* what is wrong from here on is the result */
	if (!lua_isnil(L, -1))
		convert_write(L, -1, box->out);
	sandbox_check(L, LUA_OK);
	return 0;
}

/* ---- what went wrong ---- */

/* Called where the error was raised, inside lua_pcall(); a C function, so that no script runs. */
LUA_RAISES static int on_error(lua_State *L)
{
	struct sandbox *box = sandbox_of(L);
	struct policy_fault *fault = box->fault;
	const char *rejection;
	const char *text;
	size_t len;

	sandbox_note(L);
	fault_trace(fault, L, box->options.bundle);
	if (box->limit != LIMIT_NONE)
		return 1;
	rejection = stdlib_rejection(L, 1);
	if (rejection != NULL) {
		fault->kind = "reject";
		fault_set_text(fault->message, rejection, strlen(rejection));
	} else if (lua_type(L, 1) == LUA_TSTRING || lua_type(L, 1) == LUA_TNUMBER) {
		text = lua_tolstring(L, 1, &len);
		fault_set_text(fault->message, text, len);
	} else {
		snprintf(fault->message, ERR_MSG_MAX,
			 "error() was called with a %s, expected a message", luaL_typename(L, 1));
	}
	return 1;
}

/* Limits of the result have told themselves: sandbox_exceed(). */
static void describe_limit(struct sandbox *box)
{
	const char *function = box->call->function;
	auto_buf struct buf text = BUF_INIT(ERR_MSG_MAX - 1);

	switch ((enum limit)box->limit) {
	case LIMIT_MEMORY:
		buf_addf(&text, "the script needs more than %zu KiB of memory",
			 box->options.heap_max / 1024);
		break;
	case LIMIT_INSTRUCTIONS:
		buf_addf(&text, "the script ran for more than %lld instructions",
			 (long long)box->options.instructions);
		break;
	case LIMIT_CPU:
		buf_addf(&text, "the script used more than %d ms of processor time",
			 box->options.cpu_ms);
		break;
	case LIMIT_RESULT:
	case LIMIT_NONE:
		buf_adds(&text, box->fault->message);
		break;
	}
	if (function != NULL)
		buf_addf(&text, ", while it ran %s", function);
	box->fault->kind = "limit";
	fault_set_text(box->fault->message, text.data, text.len);
}

static void describe(struct sandbox *box, int status)
{
	struct policy_fault *fault = box->fault;

	if (status == LUA_ERRMEM && box->limit == LIMIT_NONE)
		box->limit = LIMIT_MEMORY;
	if (box->limit != LIMIT_NONE)
		describe_limit(box);
	else if (status == LUA_ERRERR && fault->message[0] == '\0')
		snprintf(fault->message, ERR_MSG_MAX, "the stack overflowed: endless recursion?");
	if (streq(fault->kind, "reject"))
		return;
	fault_read_place(fault, box->options.bundle);
	if (fault->file[0] == '\0' && box->seen_file != NULL)
		fault_add_place(fault, box->seen_file, (int)box->seen_line);
	if (fault->file[0] == '\0')
		snprintf(fault->file, sizeof(fault->file), "%s", box->call->file);
}

/* None of the values needs memory: they are light, on the stack that a state starts with. */
static bool run(struct sandbox *box, lua_CFunction step)
{
	int status;

	lua_settop(box->L, 0);
	lua_pushcfunction(box->L, on_error);
	lua_pushcfunction(box->L, step);
	lua_pushlightuserdata(box->L, box);
	status = lua_pcall(box->L, 1, 0, MESSAGE_HANDLER);
	if (status == LUA_OK && box->limit == LIMIT_NONE)
		return true;
	describe(box, status);
	return false;
}

static bool load(struct sandbox *box)
{
	if (kept_recall(box, box->call->file))
		return true;
	if (!run(box, load_file))
		return false;
	kept_add(box, box->call->file);
	return true;
}

int sandbox_call(struct sandbox *box, const struct sandbox_call *call, struct buf *out,
		 struct policy_fault *fault)
{
	*fault = (struct policy_fault){.kind = "script"};
	box->call = call;
	box->out = out;
	box->fault = fault;
	if (box->L == NULL) {
		describe(box, LUA_ERRMEM);
		return -1;
	}
	return load(box) && run(box, use_file) ? 0 : -1;
}
