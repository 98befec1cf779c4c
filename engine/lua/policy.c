#include "lua/policy.h"

#include "lua/session.h"
#include "policy/bundle.h"
#include "policy/convert.h"
#include "policy/eval.h"
#include "policy/folder.h"

#define BUNDLE_TYPE "kserve.policy.bundle"

struct bundle_state {
	uint64_t id;
	struct json *files;
	char digest[BUNDLE_DIGEST_MAX];
};
enum { USAGE = 1, BUNDLE_VALUES = USAGE }; /* hook -> usage of its last call */

/* ---- methods of a bundle ---- */

LUA_RAISES static void note_usage(lua_State *L, const char *hook, const struct session *session,
				  int bundle_at)
{
	lua_getiuservalue(L, bundle_at, USAGE);
	convert_push(L, json_get(session->answer, "usage"));
	lua_setfield(L, -2, hook);
	lua_pop(L, 1);
}

/* Upvalue: the hook's name. */
LUA_RAISES static int bundle_call(lua_State *L)
{
	const char *hook = lua_tostring(L, lua_upvalueindex(1));
	const char *const *inputs = eval_form_of(hook)->args;
	const struct bundle_state *bundle = luaL_checkudata(L, 1, BUNDLE_TYPE);
	struct session *session;
	struct err err = ERR_INIT;

	lua_settop(L, 1 + SANDBOX_ARGS_MAX);
	session = session_push(L);
	session_set_request(session,
			    json_build("{'hooks': [%s], 'coverage': %b}", hook, session->coverage));
	for (int i = 0; inputs[i] != NULL; i++)
		if (!lua_isnil(L, i + 2))
			session_take(L, session, i + 2, inputs[i]);
	session_set_answer(
	    session,
	    worker_eval(&session->worker, bundle->id, bundle->files, session->request, &err), hook,
	    &err);
	note_usage(L, hook, session, 1);
	session_note_usage(L, SANDBOX_ARGS_MAX + 2, hook);
	session_note_lines(L, SANDBOX_ARGS_MAX + 2, bundle->files);
	if (json_get(session->answer, "ok") == NULL)
		session_raise(L, session);
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
		session_take(L, session, index, NULL);
		return;
	}
	session_set_request(session, folder_read(luaL_optstring(L, index, "."), &err));
	if (session->request != NULL)
		return;
	session_set_answer(session, NULL, "", &err);
	session_raise(L, session);
}

LUA_RAISES static int policy_load(lua_State *L)
{
	struct session *session;
	struct bundle_state *bundle;
	struct err err = ERR_INIT;

	lua_settop(L, 1);
	session = session_push(L);
	read_source(L, session, 1);
	bundle = state_push(L, sizeof(*bundle), BUNDLE_TYPE, BUNDLE_VALUES);
	bundle->id = ++session->last_id;
	bundle->files = steal(session->request);
	session_set_answer(
	    session,
	    worker_load(&session->worker, bundle->id, bundle->files, session->coverage, &err), "",
	    &err);
	session_note_lines(L, 2, bundle->files);
	if (json_get(session->answer, "ok") == NULL)
		session_raise(L, session);
	tell_digest(bundle);
	return 1;
}

LUA_RAISES static int policy_files(lua_State *L)
{
	struct session *session;

	luaL_checkstring(L, 1);
	session = session_push(L);
	read_source(L, session, 1);
	convert_push(L, session->request);
	return 1;
}

LUA_RAISES static int policy_coverage(lua_State *L)
{
	session_push(L)->coverage = lua_toboolean(L, 1) != 0;
	return 0;
}

LUA_RAISES static int policy_covered(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 2);

	session_push(L);
	session_push_lines(L, lua_gettop(L), name, text);
	return 1;
}

LUA_RAISES static int policy_greatest(lua_State *L)
{
	session_push_greatest(L);
	return 1;
}

/* ---- the module ---- */

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
	static const luaL_Reg functions[] = {
	    {"load", policy_load},         {"files", policy_files},
	    {"coverage", policy_coverage}, {"covered", policy_covered},
	    {"greatest", policy_greatest}, {NULL, NULL}};

	luaL_checkversion(L);
	session_open(L);
	open_bundle(L);
	convert_open(L); /* the table with null, array and object */
	luaL_setfuncs(L, functions, 0);
	set_limits(L);
	return 1;
}
