#include "policy/schema.h"

#include <math.h>

#include "policy/convert.h"
#include "policy/keys.h"
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

/* A rule: where it is on the stack, and the parameter that it is for. */
struct rule {
	int at;
	const char *name;
};

static const struct {
	const char *word;
	int type;
} words[] = {{"required", LUA_TBOOLEAN}, {"type", LUA_TSTRING}, {"enum", LUA_TTABLE},
	     {"min", LUA_TNUMBER},       {"max", LUA_TNUMBER},  {"maxLength", LUA_TNUMBER},
	     {"pattern", LUA_TSTRING}};

/* Push what the rule says for this word; false if nothing. A rule that is itself wrong raises: it
 * would let pass what its author wants refused. */
LUA_RAISES static bool push_word(lua_State *L, struct rule rule, const char *word)
{
	size_t i = 0;
	int type;

	while (i < ARRAY_LEN(words) && !streq(words[i].word, word))
		i++;
	if (i == ARRAY_LEN(words))
		return luaL_error(
		    L,
		    "schema.check: the rule for '%s' has the unknown word '%s'; expected "
		    "required, type, enum, min, max, maxLength or pattern",
		    rule.name, word);
	type = lua_getfield(L, rule.at, word);
	if (type != LUA_TNIL && type != words[i].type)
		luaL_error(L, "schema.check: %s in the rule for '%s' is a %s, expected a %s", word,
			   rule.name, lua_typename(L, type), lua_typename(L, words[i].type));
	return type != LUA_TNIL;
}

/* Push the type that the rule asks for. */
LUA_RAISES static const char *push_type(lua_State *L, struct rule rule)
{
	static const char *const types[] = {"string", "integer", "number", "boolean"};
	const char *type;

	if (!push_word(L, rule, "type"))
		return "string";
	type = lua_tostring(L, -1);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (streq(types[i], type))
			return type;
	luaL_error(
	    L,
	    "schema.check: unknown type '%s' in the rule for '%s'; expected string, integer, "
	    "number or boolean",
	    type, rule.name);
	return NULL;
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
	else
		right = streq(text, "true") || streq(text, "false");
	if (!right)
		lua_pushfstring(L, "expected %s, found \"%s\"",
				streq(type, "boolean")   ? "true or false"
				: streq(type, "integer") ? "a whole number"
							 : "a number",
				text);
	return !right;
}

LUA_RAISES static bool is_out_of_range(lua_State *L, struct rule rule, const char *text)
{
	static const char *const bounds[] = {"min", "max"};
	lua_Number number;

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		bool set = push_word(L, rule, bounds[i]);
		lua_Number bound = lua_tonumber(L, -1);
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

LUA_RAISES static bool is_not_listed(lua_State *L, struct rule rule, const char *text)
{
	luaL_Buffer choices;
	bool listed = false;
	lua_Integer count;
	int list;

	if (!push_word(L, rule, "enum")) {
		lua_pop(L, 1);
		return false;
	}
	list = lua_gettop(L);
	count = (lua_Integer)lua_rawlen(L, list);
	sandbox_charge(L, count);
	luaL_buffinit(L, &choices);
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addstring(&choices, ", ");
		if (lua_rawgeti(L, list, i) != LUA_TSTRING && !lua_isnumber(L, -1))
			return luaL_error(
			    L,
			    "schema.check: enum in the rule for '%s' has a %s, expected "
			    "strings",
			    rule.name, luaL_typename(L, -1));
		listed = listed || streq(lua_tostring(L, -1), text);
		luaL_addvalue(&choices);
	}
	luaL_pushresult(&choices);
	if (!listed)
		lua_pushfstring(L, "expected one of %s, found \"%s\"", lua_tostring(L, -1), text);
	lua_replace(L, list);
	lua_settop(L, list - (listed ? 1 : 0));
	return !listed;
}

LUA_RAISES static bool is_too_long(lua_State *L, struct rule rule, size_t len)
{
	bool set = push_word(L, rule, "maxLength");
	bool wrong = set && (lua_Number)len > lua_tonumber(L, -1);

	if (wrong)
		lua_pushfstring(L, "expected at most %s bytes, found %d", lua_tostring(L, -1),
				(int)len);
	lua_remove(L, wrong ? -2 : -1);
	return wrong;
}

LUA_RAISES static bool is_not_matching(lua_State *L, struct rule rule, const char *text)
{
	int top = lua_gettop(L);
	bool wrong = false;

	if (push_word(L, rule, "pattern")) {
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
	const struct rule rule = {.at = lua_gettop(L) - 1, .name = name};
	const char *text, *type;
	size_t len;

	if (lua_type(L, -1) != LUA_TSTRING) {
		lua_pushfstring(L, "expected a string, found a %s", luaL_typename(L, -1));
		add_violation(L, name);
		return;
	}
	text = lua_tolstring(L, -1, &len);
	type = push_type(L, rule);
	if (is_wrong_type(L, type, text) || is_out_of_range(L, rule, text) ||
	    is_not_listed(L, rule, text) || is_too_long(L, rule, len) ||
	    is_not_matching(L, rule, text))
		add_violation(L, name);
}

LUA_RAISES static void check_present(lua_State *L)
{
	size_t count = keys_sorted(L, PARAMETERS);
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

/* The rule is on top. */
LUA_RAISES static void check_rule(lua_State *L, const char *name)
{
	const struct rule rule = {.at = lua_gettop(L), .name = name};
	size_t count;

	if (!lua_istable(L, rule.at))
		luaL_error(L, "schema.check: the rule for '%s' is a %s, expected a table", name,
			   luaL_typename(L, rule.at));
	count = keys_sorted(L, rule.at);
	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, rule.at + 1, (lua_Integer)i);
		push_word(L, rule, luaL_tolstring(L, -1, NULL));
		lua_settop(L, rule.at + 1);
	}
	push_type(L, rule);
	lua_settop(L, rule.at);
}

LUA_RAISES static void check_missing(lua_State *L, const char *name)
{
	bool required =
	    push_word(L, (struct rule){lua_gettop(L), name}, "required") && lua_toboolean(L, -1);

	lua_pushstring(L, name);
	if (lua_rawget(L, PARAMETERS) == LUA_TNIL && required) {
		lua_pushliteral(L, "is required");
		add_violation(L, name);
	}
}

LUA_RAISES static void each_rule(lua_State *L, void (*visit)(lua_State *, const char *))
{
	size_t count = keys_sorted(L, RULES);
	int keys = lua_gettop(L);
	const char *name;

	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, keys, (lua_Integer)i);
		name = luaL_tolstring(L, -1, NULL);
		lua_pushvalue(L, keys + 1);
		lua_rawget(L, RULES);
		visit(L, name);
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
	each_rule(L, check_rule);
	check_present(L);
	each_rule(L, check_missing);
	return 1;
}

LUA_RAISES void schema_open(lua_State *L)
{
	lua_pushcfunction(L, check);
	lua_setfield(L, -2, "check");
}
