#include "policy/stdlib.h"

#include "policy/convert.h"
#include "policy/helpers.h"
#include "policy/keys.h"
#include "policy/library.h"
#include "policy/number.h"
#include "policy/sandbox.h"
#include "policy/show.h"

#define ENV_KEY "kserve.env"
#define MODULES_KEY "kserve.modules"
#define REJECTION "kserve.rejection"

LUA_RAISES static int base_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	library_push_text(L, 1);
	return 1;
}

LUA_RAISES static int base_tonumber(lua_State *L)
{
	const char *number = number_text(L, 1);

	if (number != NULL) {
		lua_pushnumber(L, strtod(number, NULL));
		return 1;
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	return 1;
}

/* ---- order ---- */

LUA_RAISES static int pairs_step(lua_State *L)
{
	lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));

	for (;;) {
		lua_rawgeti(L, lua_upvalueindex(2), ++at);
		if (lua_isnil(L, -1))
			return 1;
		lua_pushvalue(L, -1);
		lua_rawget(L, lua_upvalueindex(1));
		if (!lua_isnil(L, -1))
			break;
		lua_pop(L, 2); /* removed on the way */
	}
	lua_pushinteger(L, at);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

LUA_RAISES static int base_pairs(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_pushvalue(L, 1);
	keys_sorted(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, pairs_step, 3);
	return 1;
}

/* next(t) tells whether t is empty; with a key it would be slow, and pairs does it. */
LUA_RAISES static int base_next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!lua_isnoneornil(L, 2))
		return luaL_error(L, "next(t, key) is not part of policies: use pairs(t)");
	lua_settop(L, 1);
	keys_sorted(L, 1);
	lua_rawgeti(L, -1, 1);
	lua_pushvalue(L, -1);
	lua_rawget(L, 1);
	return 2;
}

/* ---- errors and metatables ---- */

LUA_RAISES static int base_pcall(lua_State *L)
{
	int status;

	luaL_checkany(L, 1);
	lua_pushboolean(L, true);
	lua_insert(L, 1);
	status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
	sandbox_check(L, status);
	if (status == LUA_OK)
		return lua_gettop(L);
	lua_pushboolean(L, false);
	lua_replace(L, 1);
	return 2;
}

/* A finalizer would run where no hook does, a weak table would show when garbage is collected. */
LUA_RAISES static int base_setmetatable(lua_State *L)
{
	static const char *const refused[] = {"__gc", "__mode"};

	luaL_checktype(L, 1, LUA_TTABLE);
	if (!lua_isnoneornil(L, 2))
		luaL_checktype(L, 2, LUA_TTABLE);
	for (size_t i = 0; i < ARRAY_LEN(refused) && lua_istable(L, 2); i++) {
		lua_pushstring(L, refused[i]);
		lua_rawget(L, 2);
		if (!lua_isnil(L, -1))
			return luaL_error(L, "setmetatable: %s is not part of policies",
					  refused[i]);
		lua_pop(L, 1);
	}
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "setmetatable: the table has a protected metatable");
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

LUA_RAISES static int reject_tostring(lua_State *L)
{
	lua_getfield(L, 1, "message");
	return 1;
}

LUA_RAISES static int base_reject(lua_State *L)
{
	luaL_checkstring(L, 1);
	lua_createtable(L, 0, 1);
	lua_pushvalue(L, 1);
	lua_setfield(L, -2, "message");
	luaL_setmetatable(L, REJECTION);
	return lua_error(L);
}

LUA_RAISES const char *stdlib_rejection(lua_State *L, int index)
{
	const char *message = NULL;

	if (!lua_istable(L, index) || !lua_getmetatable(L, index))
		return NULL;
	luaL_getmetatable(L, REJECTION);
	if (lua_rawequal(L, -1, -2)) {
		lua_pushliteral(L, "message");
		lua_rawget(L, index);
		message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
		lua_pop(L, 1); /* the table keeps it */
	}
	lua_pop(L, 2);
	return message;
}

LUA_RAISES static int base_log(lua_State *L)
{
	struct shown line;

	luaL_checkany(L, 1);
	show_value(L, 1, &line);
	sandbox_log(sandbox_of(L), line.text, line.len);
	return 0;
}

/* ---- modules ---- */

LUA_RAISES static int base_require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const struct bundle_file *file;

	lua_getfield(L, LUA_REGISTRYINDEX, MODULES_KEY);
	if (lua_getfield(L, -1, name) != LUA_TNIL) {
		if (convert_is_null(L, -1))
			return luaL_error(L, "require \"%s\": the module requires itself", name);
		return 1;
	}
	lua_pop(L, 1);
	lua_pushfstring(L, "%s.lua", name);
	file = bundle_module(sandbox_bundle(sandbox_of(L)), lua_tostring(L, -1));
	if (file == NULL)
		return luaL_error(L, "require \"%s\": the bundle has no file %s.lua", name, name);
	lua_pushlightuserdata(L, NULL); /* being loaded */
	lua_setfield(L, 2, name);
	sandbox_run_file(L, lua_tostring(L, -1), file);
	lua_remove(L, -2);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, true);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, 2, name);
	return 1;
}

/* ---- the environment ---- */

LUA_RAISES static int unknown_global(lua_State *L)
{
	library_push_text(L, 2);
	return luaL_error(L,
			  "unknown global '%s': misspelt, a local that is not in reach, or not "
			  "part of policies",
			  lua_tostring(L, -1));
}

LUA_RAISES static int assigned_global(lua_State *L)
{
	library_push_text(L, 2);
	return luaL_error(L, "assignment to global '%s': write local %s = ...", lua_tostring(L, -1),
			  lua_tostring(L, -1));
}

LUA_RAISES static int assigned_library(lua_State *L)
{
	library_push_text(L, 2);
	return luaL_error(L, "assignment to '%s' of a library, which is read-only",
			  lua_tostring(L, -1));
}

/* Replace the table on top by an empty one that reads from it and refuses writes. */
LUA_RAISES static void make_read_only(lua_State *L, lua_CFunction on_write)
{
	lua_newtable(L);
	lua_createtable(L, 0, 3);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, on_write);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_remove(L, -2);
}

/* Methods of strings are the functions that scripts have, and their metatable is out of reach. */
LUA_RAISES static void guard_strings(lua_State *L, int library)
{
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_pushvalue(L, library);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

LUA_RAISES static void open_libraries(lua_State *L, int globals)
{
	static const luaL_Reg libraries[] = {{LUA_STRLIBNAME, luaopen_string},
					     {LUA_TABLIBNAME, luaopen_table},
					     {LUA_MATHLIBNAME, luaopen_math},
					     {LUA_UTF8LIBNAME, luaopen_utf8}};

	for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
		library_open(L, libraries[i].name, libraries[i].func);
		if (libraries[i].func == luaopen_string)
			guard_strings(L, lua_gettop(L));
		make_read_only(L, assigned_library);
		lua_setfield(L, globals, libraries[i].name);
	}
}

LUA_RAISES static void open_base(lua_State *L, int globals)
{
	static const char *const kept[] = {"assert", "error",  "getmetatable", "ipairs", "rawequal",
					   "rawget", "rawlen", "select",       "type"};
	static const luaL_Reg ours[] = {{"tostring", base_tostring},
					{"pairs", base_pairs},
					{"next", base_next},
					{"pcall", base_pcall},
					{"setmetatable", base_setmetatable},
					{"require", base_require},
					{"reject", base_reject},
					{"log", base_log},
					{NULL, NULL}};

	luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		lua_getfield(L, -1, kept[i]);
		lua_setfield(L, globals, kept[i]);
	}
	lua_getfield(L, -1, "tonumber");
	lua_pushcclosure(L, base_tonumber, 1);
	lua_setfield(L, globals, "tonumber");
	lua_pop(L, 1);
	luaL_setfuncs(L, ours, 0);
}

LUA_RAISES void stdlib_open(lua_State *L)
{
	static const char *const ours[] = {"json", "time", "duration", "quantity", "dns", "schema"};
	int globals;

	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, MODULES_KEY);
	luaL_newmetatable(L, REJECTION);
	lua_pushcfunction(L, reject_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);

	lua_newtable(L);
	globals = lua_gettop(L);
	open_base(L, globals);
	open_libraries(L, globals);
	convert_open(L);
	lua_setfield(L, globals, "json");
	helpers_open(L);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		lua_getfield(L, globals, ours[i]);
		make_read_only(L, assigned_library);
		lua_setfield(L, globals, ours[i]);
	}

	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, unknown_global);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, globals);
	make_read_only(L, assigned_global);
	lua_setfield(L, LUA_REGISTRYINDEX, ENV_KEY);
}

LUA_RAISES void stdlib_push_env(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, ENV_KEY);
}
