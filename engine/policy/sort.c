#include "policy/sort.h"

#include "base/base.h"
#include "policy/sandbox.h"

/* The stack: its arguments, the sorted runs so far, and where longer ones are made of them. */
enum { LIST = 1, ORDER = 2, FROM = 3, TO = 4 };

/* Of the two values on top: must the upper one stand before the lower one? */
LUA_RAISES static bool is_upper_first(lua_State *L)
{
	bool first;

	if (lua_isnil(L, ORDER))
		return lua_compare(L, -1, -2, LUA_OPLT);
	lua_pushvalue(L, ORDER);
	lua_pushvalue(L, -2);
	lua_pushvalue(L, -4);
	lua_call(L, 2, 1);
	first = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return first;
}

/* The runs [low, middle) and [middle, high) become one. */
LUA_RAISES static void merge_runs(lua_State *L, lua_Integer low, lua_Integer middle,
				  lua_Integer high)
{
	lua_Integer left = low, right = middle;

	for (lua_Integer at = low; at < high; at++) {
		bool take_right = left == middle;

		if (left < middle && right < high) {
			lua_rawgeti(L, FROM, left);
			lua_rawgeti(L, FROM, right);
			take_right = is_upper_first(L);
			lua_pop(L, 2);
		}
		lua_rawgeti(L, FROM, take_right ? right++ : left++);
		lua_rawseti(L, TO, at);
	}
}

static lua_Integer at_most(lua_Integer value, lua_Integer limit)
{
	return value < limit ? value : limit;
}

LUA_RAISES int sort_list(lua_State *L)
{
	lua_Integer count, end;

	luaL_checktype(L, LIST, LUA_TTABLE);
	if (!lua_isnoneornil(L, ORDER))
		luaL_checktype(L, ORDER, LUA_TFUNCTION);
	lua_settop(L, ORDER);
	count = luaL_len(L, LIST);
	luaL_argcheck(L, count < INT32_MAX, LIST, "array too big");
	end = count + 1;
	lua_createtable(L, (int)count, 0);
	lua_createtable(L, (int)count, 0);
	for (lua_Integer i = 1; i <= count; i++) {
		lua_geti(L, LIST, i);
		lua_rawseti(L, FROM, i);
	}
	for (lua_Integer run = 1; run < count; run *= 2) {
		sandbox_charge(L, count);
		for (lua_Integer low = 1; low <= count; low += 2 * run)
			merge_runs(L, low, at_most(low + run, end), at_most(low + 2 * run, end));
		lua_insert(L, FROM); /* what was made is what the next pass begins with */
	}
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, FROM, i);
		lua_seti(L, LIST, i);
	}
	return 0;
}
