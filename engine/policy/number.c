#include "policy/number.h"

#include <errno.h>

#define NUMBER_TYPE "json.number"

void number_print(double value, char out[NUMBER_TEXT_MAX])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, NUMBER_TEXT_MAX, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	if (strpbrk(out, ".en") == NULL)
		memcpy(out + strlen(out), ".0", sizeof(".0"));
}

/* Whether the number prints as the text. */
LUA_RAISES static bool push_plain(lua_State *L, const char *text)
{
	char printed[NUMBER_TEXT_MAX], *end;
	long long integer;
	double number;

	errno = 0;
	integer = strtoll(text, &end, 10);
	if (*end == '\0' && errno == 0 && !streq(text, "-0")) {
		lua_pushinteger(L, integer);
		return true;
	}
	number = strtod(text, NULL);
	number_print(number, printed);
	if (!streq(printed, text))
		return false;
	lua_pushnumber(L, number);
	return true;
}

LUA_RAISES void number_push(lua_State *L, const char *text, size_t len)
{
	char plain[NUMBER_TEXT_MAX], *kept;

	if (len < sizeof(plain)) {
		snprintf(plain, sizeof(plain), "%.*s", (int)len, text);
		if (push_plain(L, plain))
			return;
	}
	kept = lua_newuserdatauv(L, len + 1, 0);
	memcpy(kept, text, len);
	kept[len] = '\0';
	luaL_setmetatable(L, NUMBER_TYPE);
}

const char *number_text(lua_State *L, int index)
{
	return luaL_testudata(L, index, NUMBER_TYPE);
}

LUA_RAISES static void push_operand(lua_State *L, int index)
{
	const char *text = number_text(L, index);

	if (text != NULL)
		lua_pushnumber(L, strtod(text, NULL));
	else if (lua_type(L, index) == LUA_TNUMBER)
		lua_pushvalue(L, index);
	else
		luaL_error(L, "expected a number beside a json.number, found a %s",
			   luaL_typename(L, index));
}

LUA_RAISES static int number_arith(lua_State *L)
{
	int op = (int)lua_tointeger(L, lua_upvalueindex(1));

	push_operand(L, 1);
	if (op != LUA_OPUNM)
		push_operand(L, 2);
	lua_arith(L, op);
	return 1;
}

LUA_RAISES static int number_compare(lua_State *L)
{
	push_operand(L, 1);
	push_operand(L, 2);
	lua_pushboolean(L, lua_compare(L, -2, -1, (int)lua_tointeger(L, lua_upvalueindex(1))));
	return 1;
}

LUA_RAISES static int number_tostring(lua_State *L)
{
	lua_pushstring(L, luaL_checkudata(L, 1, NUMBER_TYPE));
	return 1;
}

LUA_RAISES static int number_concat(lua_State *L)
{
	for (int i = 1; i <= 2; i++) {
		const char *text = number_text(L, i);

		if (text != NULL)
			lua_pushstring(L, text);
		else
			lua_pushstring(L, luaL_checkstring(L, i));
	}
	lua_concat(L, 2);
	return 1;
}

LUA_RAISES void number_open(lua_State *L)
{
	static const struct {
		const char *event;
		int op;
	} events[] = {
	    {"__add", LUA_OPADD}, {"__sub", LUA_OPSUB},   {"__mul", LUA_OPMUL},
	    {"__div", LUA_OPDIV}, {"__mod", LUA_OPMOD},   {"__pow", LUA_OPPOW},
	    {"__unm", LUA_OPUNM}, {"__idiv", LUA_OPIDIV}, {"__eq", LUA_OPEQ},
	    {"__lt", LUA_OPLT},   {"__le", LUA_OPLE},
	};
	size_t compares_from = ARRAY_LEN(events) - 3;

	luaL_newmetatable(L, NUMBER_TYPE);
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		lua_pushinteger(L, events[i].op);
		lua_pushcclosure(L, i < compares_from ? number_arith : number_compare, 1);
		lua_setfield(L, -2, events[i].event);
	}
	lua_pushcfunction(L, number_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pushcfunction(L, number_concat);
	lua_setfield(L, -2, "__concat");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
