#include "policy/library.h"

#include "policy/convert.h"
#include "policy/number.h"
#include "policy/sandbox.h"
#include "policy/sort.h"

enum { FORMAT_ARGS_MAX = 100 };

LUA_RAISES void library_push_text(lua_State *L, int index)
{
	const char *number = number_text(L, index);

	if (number != NULL)
		lua_pushstring(L, number);
	else if (convert_is_null(L, index))
		lua_pushliteral(L, "null");
	else if (lua_type(L, index) < LUA_TTABLE && lua_type(L, index) != LUA_TLIGHTUSERDATA)
		luaL_tolstring(L, index, NULL);
	else if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
		lua_pop(L, 1);
		luaL_tolstring(L, index, NULL);
	} else
		lua_pushstring(L, luaL_typename(L, index));
}

static lua_Integer cost_none(lua_State *L)
{
	(void)L;
	return 0;
}

static lua_Integer cost_subject(lua_State *L)
{
	return lua_type(L, 1) == LUA_TSTRING ? (lua_Integer)lua_rawlen(L, 1) / 8 : 0;
}

static lua_Integer cost_repeat(lua_State *L)
{
	return lua_tointeger(L, 2) / 8;
}

static lua_Integer cost_items(lua_State *L)
{
	return lua_istable(L, 1) ? (lua_Integer)lua_rawlen(L, 1) : 0;
}

static lua_Integer cost_shift(lua_State *L)
{
	return cost_items(L) / 8;
}

/* The distance of two arguments; one that overflows is more than any budget. */
static lua_Integer cost_range(lua_State *L)
{
	lua_Integer first = lua_tointeger(L, 2), span;
	int fixed_end; /* a float and a text that read as an integer count as well */
	lua_Integer last = lua_tointegerx(L, 3, &fixed_end);

	if (!fixed_end)
		last = cost_items(L);
	return __builtin_sub_overflow(last, first, &span) ? INT64_MAX : span;
}

typedef lua_Integer cost_fn(lua_State *L);

static const struct guard {
	const char *library, *function;
	cost_fn *cost;
} guards[] = {
    {"string", "find", cost_subject},    {"string", "match", cost_subject},
    {"string", "gmatch", cost_subject},  {"string", "gsub", cost_subject},
    {"string", "rep", cost_repeat},      {"string", "byte", cost_subject},
    {"string", "upper", cost_subject},   {"string", "lower", cost_subject},
    {"string", "reverse", cost_subject}, {"utf8", "offset", cost_subject},
    {"table", "concat", cost_items},     {"table", "insert", cost_shift},
    {"table", "remove", cost_shift},     {"table", "sort", cost_items},
    {"table", "move", cost_range},       {"table", "unpack", cost_range},
    {"utf8", "len", cost_subject},       {"utf8", "codepoint", cost_subject},
    {"string", "format", cost_none},
};

/* %p is an address; a table or function as argument of %s would be one. */
LUA_RAISES static void clean_format(lua_State *L)
{
	int count = lua_gettop(L);

	for (const char *at = luaL_checkstring(L, 1); (at = strchr(at, '%')) != NULL; at++) {
		at += 1 + strspn(at + 1, "-+ #0123456789.");
		if (*at == 'p')
			luaL_error(L, "string.format: %%p is not part of policies");
		if (*at == '\0')
			break;
	}
	luaL_argcheck(L, count <= FORMAT_ARGS_MAX, 1, "too many values");
	for (int i = 2; i <= count; i++) {
		if (lua_type(L, i) < LUA_TTABLE && lua_type(L, i) != LUA_TLIGHTUSERDATA)
			continue;
		library_push_text(L, i);
		lua_replace(L, i);
	}
}

/* Upvalues: the function of Lua, its guard. */
LUA_RAISES static int guarded(lua_State *L)
{
	const struct guard *guard = lua_touserdata(L, lua_upvalueindex(2));

	sandbox_note(L);
	if (guard->cost == cost_none)
		clean_format(L);
	if (guard->library[0] == 't' && luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
		return luaL_error(L, "table.%s: a table with __len", guard->function);
	sandbox_charge(L, guard->cost(L));
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* The library itself stays among the loaded ones, where Lua looks up the names for its messages. */
LUA_RAISES void library_open(lua_State *L, const char *name, lua_CFunction open)
{
	static const char *const dropped[] = {"dump", "random", "randomseed"};

	luaL_requiref(L, name, open, 0);
	if (open == luaopen_table) {
		lua_pushcfunction(L, sort_list);
		lua_setfield(L, -2, "sort");
	}
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, -3) != 0) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, dropped[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(guards); i++) {
		if (!streq(guards[i].library, name))
			continue;
		lua_getfield(L, -1, guards[i].function);
		lua_pushlightuserdata(L, (void *)&guards[i]);
		lua_pushcclosure(L, guarded, 2);
		lua_setfield(L, -2, guards[i].function);
	}
	lua_remove(L, -2);
}
