#include "lua/policy.h"

#include "lua/worker.h"
#include "policy/convert.h"
#include "policy/eval.h"
#include "policy/folder.h"
#include "policy/frame.h"

#define SESSION_KEY "kserve.policy"
#define SESSION_TYPE "kserve.policy.session"
#define BUNDLE_TYPE "kserve.policy.bundle"
#define ERROR_TYPE "kserve.policy.error"

/*
 * All C memory belongs to a userdata: whatever raises, its finalizer frees it. The session is one
 * for each state, in the registry: busted loads the module anew for each spec file.
 */
struct session {
	struct worker worker;
	uint64_t last_id;
	bool coverage;
	struct buf text; /* these three: of the call that is being made */
	struct json *request, *answer;
};
enum { GREATEST = 1, LINES, SESSION_VALUES = LINES }; /* hook -> usage, file -> set of lines */

struct bundle_state {
	uint64_t id;
	struct json *files;
	char digest[BUNDLE_DIGEST_MAX];
};
enum { USAGE = 1, BUNDLE_VALUES = USAGE }; /* hook -> usage of its last call */

/* Push a userdata with a metatable of that name and so many tables beside it. */
LUA_RAISES static void *push_state(lua_State *L, size_t size, const char *type, int tables)
{
	void *state = lua_newuserdatauv(L, size, tables);

	memset(state, 0, size);
	for (int i = 1; i <= tables; i++) {
		lua_newtable(L);
		lua_setiuservalue(L, -2, i);
	}
	luaL_setmetatable(L, type);
	return state;
}

/* Push the one session; made when there is none yet. */
LUA_RAISES static struct session *push_session(lua_State *L)
{
	struct session *session;

	if (lua_getfield(L, LUA_REGISTRYINDEX, SESSION_KEY) != LUA_TNIL)
		return lua_touserdata(L, -1);
	lua_pop(L, 1);
	session = push_state(L, sizeof(*session), SESSION_TYPE, SESSION_VALUES);
	session->worker = (struct worker)WORKER_INIT;
	session->text = (struct buf)BUF_INIT(FRAME_MAX);
	lua_pushvalue(L, -1);
	lua_setfield(L, LUA_REGISTRYINDEX, SESSION_KEY);
	return session;
}

LUA_RAISES static int session_free(lua_State *L)
{
	struct session *session = luaL_checkudata(L, 1, SESSION_TYPE);

	worker_stop(&session->worker);
	buf_done(&session->text);
	json_free(steal(session->request));
	json_free(steal(session->answer));
	return 0;
}

static void set_request(struct session *session, struct json *request_taken)
{
	json_free(session->request);
	session->request = request_taken;
}

/* NULL stands for err. */
static void set_answer(struct session *session, struct json *answer_taken, const char *hook,
		       const struct err *err)
{
	json_free(session->answer);
	if (answer_taken == NULL)
		answer_taken = eval_error(err->kind == ERR_LIMIT ? "limit" : "script", hook, "", 0,
					  err->msg, "");
	session->answer = answer_taken;
}

/* ---- errors ---- */

LUA_RAISES static int error_tostring(lua_State *L)
{
	lua_getfield(L, 1, "message");
	return 1;
}

LUA_RAISES static void raise_error(lua_State *L, const struct session *session)
{
	convert_push(L, json_get(session->answer, "error"));
	luaL_setmetatable(L, ERROR_TYPE);
	lua_error(L);
}

/* ---- values ---- */

LUA_RAISES static int write_value(lua_State *L)
{
	convert_write(L, 2, lua_touserdata(L, 1));
	return 0;
}

/* The value at index as JSON. It is freed with the session's request, of which it becomes the
 * member `name`; NULL: it becomes the request. */
LUA_RAISES static void take_value(lua_State *L, struct session *session, int index,
				  const char *name)
{
	struct err err = ERR_INIT;
	const char *what = name != NULL ? name : "files", *message = err.msg;
	struct json *value = NULL;

	buf_clear(&session->text);
	lua_pushcfunction(L, write_value);
	lua_pushlightuserdata(L, &session->text);
	lua_pushvalue(L, index);
	if (lua_pcall(L, 2, 0, 0) == LUA_OK)
		value = json_parse(session->text.data, session->text.len, &err);
	else
		message = lua_tostring(L, -1);
	if (value == NULL) /* convert.h calls what it writes the result */
		luaL_error(L, "%s%s%s", what, has_prefix(message, "result") ? "" : ": ",
			   message + (has_prefix(message, "result") ? strlen("result") : 0));
	if (name != NULL)
		json_set(session->request, name, value);
	else
		set_request(session, value);
}

/* ---- what was used ---- */

LUA_RAISES static void keep_greatest(lua_State *L, const struct json *usage, int greatest)
{
	for (const struct json *u = json_first(usage); u != NULL; u = json_next(u)) {
		int64_t used = json_get_int(usage, json_key(u), 0);

		lua_getfield(L, greatest, json_key(u));
		if (lua_isnil(L, -1) || used > lua_tointeger(L, -1)) {
			lua_pushinteger(L, used);
			lua_setfield(L, greatest, json_key(u));
		}
		lua_pop(L, 1);
	}
}

/* The session and the bundle are at the indexes. */
LUA_RAISES static void note_usage(lua_State *L, const char *hook, int session_at, int bundle_at)
{
	const struct session *session = lua_touserdata(L, session_at);
	const struct json *usage = json_get(session->answer, "usage");
	int top = lua_gettop(L);

	lua_getiuservalue(L, bundle_at, USAGE);
	convert_push(L, usage);
	lua_setfield(L, -2, hook);
	lua_getiuservalue(L, session_at, GREATEST);
	if (!luaL_getsubtable(L, -1, hook))
		lua_settop(L, top + 3);
	keep_greatest(L, usage, top + 3);
	lua_settop(L, top);
}

/* Push the set of the lines of a file: in the table `LINES`, by its name and text. */
LUA_RAISES static void push_lines(lua_State *L, int session_at, const char *name, const char *text)
{
	lua_getiuservalue(L, session_at, LINES);
	luaL_getsubtable(L, -1, name);
	luaL_getsubtable(L, -1, text);
	lua_insert(L, -3);
	lua_pop(L, 2);
}

LUA_RAISES static void note_lines(lua_State *L, const struct json *files, int session_at)
{
	const struct session *session = lua_touserdata(L, session_at);

	for (const struct json *f = json_first(json_get(session->answer, "lines")); f != NULL;
	     f = json_next(f)) {
		const char *text = json_get_str(files, json_key(f), NULL);

		if (text == NULL)
			continue; /* a default file */
		push_lines(L, session_at, json_key(f), text);
		for (const struct json *line = json_first(f); line != NULL;
		     line = json_next(line)) {
			int64_t number = 0;

			json_int64(line, &number);
			lua_pushboolean(L, true);
			lua_rawseti(L, -2, number);
		}
		lua_pop(L, 1);
	}
}

/* ---- methods of a bundle ---- */

/* Upvalue: the hook's name. */
LUA_RAISES static int bundle_call(lua_State *L)
{
	const char *hook = lua_tostring(L, lua_upvalueindex(1));
	const char *const *inputs = eval_form_of(hook)->args;
	const struct bundle_state *bundle = luaL_checkudata(L, 1, BUNDLE_TYPE);
	struct session *session;
	struct err err = ERR_INIT;

	lua_settop(L, 1 + SANDBOX_ARGS_MAX);
	session = push_session(L);
	set_request(session,
		    json_build("{'hooks': [%s], 'coverage': %b}", hook, session->coverage));
	for (int i = 0; inputs[i] != NULL; i++)
		if (!lua_isnil(L, i + 2))
			take_value(L, session, i + 2, inputs[i]);
	set_answer(session,
		   worker_eval(&session->worker, bundle->id, bundle->files, session->request, &err),
		   hook, &err);
	note_usage(L, hook, SANDBOX_ARGS_MAX + 2, 1);
	note_lines(L, bundle->files, SANDBOX_ARGS_MAX + 2);
	if (json_get(session->answer, "ok") == NULL)
		raise_error(L, session);
	convert_push(L, json_get(session->answer, "ok"));
	return 1;
}

LUA_RAISES static int bundle_usage(lua_State *L)
{
	luaL_checkudata(L, 1, BUNDLE_TYPE);
	lua_getiuservalue(L, 1, USAGE);
	return 1;
}

/* Upvalue: the methods. */
LUA_RAISES static int bundle_index(lua_State *L)
{
	const struct bundle_state *bundle = luaL_checkudata(L, 1, BUNDLE_TYPE);

	if (streq(luaL_checkstring(L, 2), "digest"))
		lua_pushstring(L, bundle->digest);
	else
		lua_getfield(L, lua_upvalueindex(1), lua_tostring(L, 2));
	return 1;
}

LUA_RAISES static int bundle_state_free(lua_State *L)
{
	struct bundle_state *bundle = luaL_checkudata(L, 1, BUNDLE_TYPE);

	json_free(steal(bundle->files));
	return 0;
}

/* ---- functions of the module ---- */

static void tell_digest(struct bundle_state *bundle)
{
	struct err err = ERR_INIT;
	struct bundle *checked = bundle_new(bundle->files, &err); /* the worker has taken it */

	bundle_digest(checked, bundle->digest);
	bundle_free(checked);
}

LUA_RAISES static void read_source(lua_State *L, struct session *session, int index)
{
	struct err err = ERR_INIT;

	if (lua_istable(L, index)) {
		take_value(L, session, index, NULL);
		return;
	}
	set_request(session, folder_read(luaL_optstring(L, index, "."), &err));
	if (session->request != NULL)
		return;
	set_answer(session, NULL, "", &err);
	raise_error(L, session);
}

LUA_RAISES static int policy_load(lua_State *L)
{
	struct session *session;
	struct bundle_state *bundle;
	struct err err = ERR_INIT;

	lua_settop(L, 1);
	session = push_session(L);
	read_source(L, session, 1);
	bundle = push_state(L, sizeof(*bundle), BUNDLE_TYPE, BUNDLE_VALUES);
	bundle->id = ++session->last_id;
	bundle->files = steal(session->request);
	set_answer(
	    session,
	    worker_load(&session->worker, bundle->id, bundle->files, session->coverage, &err), "",
	    &err);
	note_lines(L, bundle->files, 2);
	if (json_get(session->answer, "ok") == NULL)
		raise_error(L, session);
	tell_digest(bundle);
	return 1;
}

LUA_RAISES static int policy_files(lua_State *L)
{
	struct session *session;

	luaL_checkstring(L, 1);
	session = push_session(L);
	read_source(L, session, 1);
	convert_push(L, session->request);
	return 1;
}

LUA_RAISES static int policy_coverage(lua_State *L)
{
	push_session(L)->coverage = lua_toboolean(L, 1) != 0;
	return 0;
}

LUA_RAISES static int policy_covered(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 2);

	push_session(L);
	push_lines(L, lua_gettop(L), name, text);
	return 1;
}

LUA_RAISES static int policy_greatest(lua_State *L)
{
	push_session(L);
	lua_getiuservalue(L, -1, GREATEST);
	return 1;
}

/* ---- the module ---- */

LUA_RAISES static void open_type(lua_State *L, const char *name, const luaL_Reg *functions)
{
	luaL_newmetatable(L, name);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}

LUA_RAISES static void open_bundle(lua_State *L)
{
	static const char *const hooks[] = {"validate", "contract", "shape", "status"};

	luaL_newmetatable(L, BUNDLE_TYPE);
	lua_pushcfunction(L, bundle_state_free);
	lua_setfield(L, -2, "__gc");
	lua_createtable(L, 0, ARRAY_LEN(hooks) + 1);
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		lua_pushstring(L, hooks[i]);
		lua_pushcclosure(L, bundle_call, 1);
		lua_setfield(L, -2, hooks[i]);
	}
	lua_pushcfunction(L, bundle_usage);
	lua_setfield(L, -2, "usage");
	lua_pushcclosure(L, bundle_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

LUA_RAISES static void set_limits(lua_State *L)
{
	static const struct {
		const char *name;
		int value;
	} limits[] = {{"instructions", SANDBOX_INSTRUCTIONS},
		      {"memory", SANDBOX_HEAP_MAX},
		      {"milliseconds", SANDBOX_CPU_MS},
		      {"output", SANDBOX_OUTPUT_MAX}};

	lua_createtable(L, 0, ARRAY_LEN(limits));
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		lua_pushinteger(L, limits[i].value);
		lua_setfield(L, -2, limits[i].name);
	}
	lua_setfield(L, -2, "limits");
}

LUA_RAISES int luaopen_kserve_policy(lua_State *L)
{
	static const luaL_Reg session[] = {{"__gc", session_free}, {NULL, NULL}};
	static const luaL_Reg error[] = {{"__tostring", error_tostring}, {NULL, NULL}};
	static const luaL_Reg functions[] = {
	    {"load", policy_load},         {"files", policy_files},
	    {"coverage", policy_coverage}, {"covered", policy_covered},
	    {"greatest", policy_greatest}, {NULL, NULL}};

	luaL_checkversion(L);
	open_type(L, SESSION_TYPE, session);
	open_type(L, ERROR_TYPE, error);
	open_bundle(L);
	convert_open(L); /* the table with null, array and object */
	luaL_setfuncs(L, functions, 0);
	set_limits(L);
	return 1;
}
