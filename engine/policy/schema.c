#include "policy/schema.h"

#include <math.h>

#include "base/buf.h"
#include "policy/convert.h"
#include "policy/sandbox.h"

/* The stack of schema.check(parameters, rules): its arguments and the list of violations. */
enum { PARAMETERS = 1, RULES = 2, VIOLATIONS = 3 };

/* Add {field = "spec.parameters.NAME", message = MESSAGE}; the message is on top and is popped. */
LUA_RAISES static void add_violation(lua_State *L, const char *name)
{
	lua_createtable(L, 0, 2);
	lua_insert(L, -2);
	lua_setfield(L, -2, "message");
	lua_pushfstring(L, "spec.parameters.%s", name);
	lua_setfield(L, -2, "field");
	lua_rawseti(L, VIOLATIONS, (lua_Integer)lua_rawlen(L, VIOLATIONS) + 1);
}

/* Lua takes hexadecimal and blanks for numbers as well; people who fill in forms do not. */
static bool read_number(const char *text, bool whole, lua_Number *out)
{
	char *end;

	if (text[strspn(text, whole ? "+-0123456789" : "+-.0123456789eE")] != '\0')
		return false;
	*out = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*out);
}

/* Push what is wrong with the text's type, or nothing. */
LUA_RAISES static bool is_wrong_type(lua_State *L, const char *type, const char *text)
{
	lua_Number number;
	bool right;

	if (streq(type, "string"))
		right = true;
	else if (streq(type, "integer") || streq(type, "number"))
		right = read_number(text, streq(type, "integer"), &number);
	else if (streq(type, "boolean"))
		right = streq(text, "true") || streq(text, "false");
	else
		return luaL_error(L,
				  "schema.check: unknown type '%s'; expected string, integer, "
				  "number or boolean",
				  type);
	if (!right)
		lua_pushfstring(L, "expected %s, found \"%s\"",
				streq(type, "boolean")   ? "true or false"
				: streq(type, "integer") ? "a whole number"
							 : "a number",
				text);
	return !right;
}

LUA_RAISES static bool is_out_of_range(lua_State *L, int rule, const char *text)
{
	static const char *const bounds[] = {"min", "max"};
	lua_Number number;

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		bool set = lua_getfield(L, rule, bounds[i]) != LUA_TNIL;
		lua_Number bound = set ? luaL_checknumber(L, -1) : 0;
		bool wrong = set && (!read_number(text, false, &number) ||
				     (i == 0 ? number < bound : number > bound));

		if (wrong)
			lua_pushfstring(L, "expected %s %s, found \"%s\"",
					i == 0 ? "at least" : "at most", lua_tostring(L, -1), text);
		lua_remove(L, wrong ? -2 : -1);
		if (wrong)
			return true;
	}
	return false;
}

LUA_RAISES static bool is_not_listed(lua_State *L, int rule, const char *text)
{
	luaL_Buffer choices;
	bool listed = false;
	lua_Integer count;
	int list;

	if (lua_getfield(L, rule, "enum") == LUA_TNIL) {
		lua_pop(L, 1);
		return false;
	}
	luaL_checktype(L, -1, LUA_TTABLE);
	list = lua_gettop(L);
	count = (lua_Integer)lua_rawlen(L, list);
	sandbox_charge(L, count);
	luaL_buffinit(L, &choices);
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addstring(&choices, ", ");
		lua_rawgeti(L, list, i);
		listed = listed || streq(luaL_checkstring(L, -1), text);
		luaL_addvalue(&choices);
	}
	luaL_pushresult(&choices);
	if (!listed)
		lua_pushfstring(L, "expected one of %s, found \"%s\"", lua_tostring(L, -1), text);
	lua_replace(L, list);
	lua_settop(L, list - (listed ? 1 : 0));
	return !listed;
}

LUA_RAISES static bool is_too_long(lua_State *L, int rule, size_t len)
{
	bool set = lua_getfield(L, rule, "maxLength") != LUA_TNIL;
	bool wrong = set && (lua_Integer)len > luaL_checkinteger(L, -1);

	if (wrong)
		lua_pushfstring(L, "expected at most %s bytes, found %d", lua_tostring(L, -1),
				(int)len);
	lua_remove(L, wrong ? -2 : -1);
	return wrong;
}

LUA_RAISES static bool is_not_matching(lua_State *L, int rule, const char *text)
{
	int top = lua_gettop(L);
	bool wrong = false;

	if (lua_getfield(L, rule, "pattern") != LUA_TNIL) {
		luaL_checkstring(L, -1);
		sandbox_note(L);
		lua_pushstring(L, text);
		lua_getfield(L, -1, "find"); /* as text:find(pattern) */
		lua_insert(L, -2);
		lua_pushvalue(L, top + 1);
		lua_call(L, 2, 1);
		wrong = lua_isnil(L, -1);
		if (wrong)
			lua_pushfstring(L, "expected the form %s, found \"%s\"",
					lua_tostring(L, top + 1), text);
		lua_replace(L, top + 1);
	}
	lua_settop(L, top + (wrong ? 1 : 0));
	return wrong;
}

/* The value is at the top, its rule below it. */
LUA_RAISES static void check_value(lua_State *L, const char *name)
{
	int rule = lua_gettop(L) - 1;
	const char *text, *type = "string";
	size_t len;

	if (!lua_istable(L, rule))
		luaL_error(L, "schema.check: the rule for '%s' is a %s, expected a table", name,
			   luaL_typename(L, rule));
	if (lua_type(L, -1) != LUA_TSTRING) {
		lua_pushfstring(L, "expected a string, found a %s", luaL_typename(L, -1));
		add_violation(L, name);
		return;
	}
	text = lua_tolstring(L, -1, &len);
	if (lua_getfield(L, rule, "type") != LUA_TNIL)
		type = luaL_checkstring(L, -1);
	if (is_wrong_type(L, type, text) || is_out_of_range(L, rule, text) ||
	    is_not_listed(L, rule, text) || is_too_long(L, rule, len) ||
	    is_not_matching(L, rule, text))
		add_violation(L, name);
}

LUA_RAISES static void check_present(lua_State *L)
{
	size_t count = convert_sorted_keys(L, PARAMETERS);
	int keys = lua_gettop(L);

	for (size_t i = 1; i <= count; i++) {
		const char *name;

		lua_rawgeti(L, keys, (lua_Integer)i);
		name = luaL_checkstring(L, -1);
		if (lua_getfield(L, RULES, name) == LUA_TNIL)
			lua_getfield(L, RULES, "*");
		lua_pushvalue(L, keys + 1);
		lua_rawget(L, PARAMETERS);
		if (lua_isnil(L, -2)) {
			lua_pushliteral(L, "no such parameter");
			add_violation(L, name);
		} else {
			check_value(L, name);
		}
		lua_settop(L, keys);
	}
	lua_pop(L, 1);
}

LUA_RAISES static void check_missing(lua_State *L)
{
	size_t count = convert_sorted_keys(L, RULES);
	int keys = lua_gettop(L);

	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, keys, (lua_Integer)i);
		lua_pushvalue(L, -1);
		lua_rawget(L, RULES);
		luaL_checktype(L, -1, LUA_TTABLE);
		lua_getfield(L, -1, "required");
		lua_pushvalue(L, keys + 1);
		lua_rawget(L, PARAMETERS);
		if (lua_toboolean(L, -2) && lua_isnil(L, -1)) {
			lua_pushliteral(L, "is required");
			add_violation(L, luaL_checkstring(L, keys + 1));
		}
		lua_settop(L, keys);
	}
	lua_pop(L, 1);
}

LUA_RAISES static int check(lua_State *L)
{
	lua_settop(L, 2);
	if (lua_isnil(L, PARAMETERS)) {
		lua_newtable(L);
		lua_replace(L, PARAMETERS);
	}
	luaL_checktype(L, PARAMETERS, LUA_TTABLE);
	luaL_checktype(L, RULES, LUA_TTABLE);
	lua_newtable(L);
	check_present(L);
	check_missing(L);
	return 1;
}

LUA_RAISES void schema_open(lua_State *L)
{
	lua_pushcfunction(L, check);
	lua_setfield(L, -2, "check");
}
