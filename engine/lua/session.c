#include "lua/session.h"

#include "policy/convert.h"
#include "policy/eval.h"
#include "policy/frame.h"

#define SESSION_KEY "kserve.policy"
#define SESSION_TYPE "kserve.policy.session"
#define ERROR_TYPE "kserve.policy.error"

enum { GREATEST = 1, LINES, SESSION_VALUES = LINES }; /* hook -> usage, file -> set of lines */

LUA_RAISES void *state_push(lua_State *L, size_t size, const char *type, int tables)
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

LUA_RAISES struct session *session_push(lua_State *L)
{
	struct session *session;

	if (lua_getfield(L, LUA_REGISTRYINDEX, SESSION_KEY) != LUA_TNIL)
		return lua_touserdata(L, -1);
	lua_pop(L, 1);
	session = state_push(L, sizeof(*session), SESSION_TYPE, SESSION_VALUES);
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

void session_set_request(struct session *session, struct json *request_taken)
{
	json_free(session->request);
	session->request = request_taken;
}

void session_set_answer(struct session *session, struct json *answer_taken, const char *hook,
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

LUA_RAISES void session_raise(lua_State *L, const struct session *session)
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

LUA_RAISES void session_take(lua_State *L, struct session *session, int index, const char *name)
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
		session_set_request(session, value);
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

LUA_RAISES void session_note_usage(lua_State *L, int session_at, const char *hook)
{
	const struct session *session = lua_touserdata(L, session_at);
	const struct json *usage = json_get(session->answer, "usage");
	int top = lua_gettop(L);

	lua_getiuservalue(L, session_at, GREATEST);
	luaL_getsubtable(L, -1, hook);
	keep_greatest(L, usage, top + 2);
	lua_settop(L, top);
}

LUA_RAISES void session_push_lines(lua_State *L, int session_at, const char *name, const char *text)
{
	lua_getiuservalue(L, session_at, LINES);
	luaL_getsubtable(L, -1, name);
	luaL_getsubtable(L, -1, text);
	lua_insert(L, -3);
	lua_pop(L, 2);
}

LUA_RAISES void session_note_lines(lua_State *L, int session_at, const struct json *files)
{
	const struct session *session = lua_touserdata(L, session_at);

	for (const struct json *f = json_first(json_get(session->answer, "lines")); f != NULL;
	     f = json_next(f)) {
		const char *text = json_get_str(files, json_key(f), NULL);

		if (text == NULL)
			continue; /* a default file */
		session_push_lines(L, session_at, json_key(f), text);
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

LUA_RAISES void session_push_greatest(lua_State *L)
{
	session_push(L);
	lua_getiuservalue(L, -1, GREATEST);
}

LUA_RAISES static void open_type(lua_State *L, const char *name, const luaL_Reg *functions)
{
	luaL_newmetatable(L, name);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}

LUA_RAISES void session_open(lua_State *L)
{
	static const luaL_Reg session[] = {{"__gc", session_free}, {NULL, NULL}};
	static const luaL_Reg error[] = {{"__tostring", error_tostring}, {NULL, NULL}};

	open_type(L, SESSION_TYPE, session);
	open_type(L, ERROR_TYPE, error);
}
