#include "policy/parse.h"

#include "base/scan.h"
#include "policy/convert.h"
#include "policy/number.h"
#include "policy/sandbox.h"

enum { PARSE_MAX = 1 << 20 };

LUA_RAISES static bool read_value(lua_State *L, struct scan *s, enum scan_token token);

LUA_RAISES static void read_string(lua_State *L, const struct scan *s)
{
	char *plain;

	if (!s->escaped) {
		lua_pushlstring(L, s->span, s->span_len);
		return;
	}
	plain = lua_newuserdatauv(L, s->span_len + 1, 0);
	lua_pushlstring(L, plain, scan_copy(s, plain));
	lua_remove(L, -2);
}

LUA_RAISES static bool is_there(lua_State *L, int table)
{
	bool found;

	lua_pushvalue(L, -1);
	found = lua_rawget(L, table) != LUA_TNIL;
	lua_pop(L, 1);
	return found;
}

LUA_RAISES static bool read_object(lua_State *L, struct scan *s)
{
	enum scan_token token;
	int table;

	lua_newtable(L);
	table = lua_gettop(L);
	while ((token = scan_next(s)) == SCAN_KEY) {
		read_string(L, s);
		if (is_there(L, table)) {
			s->problem = "expected each key once, found one twice";
			return false;
		}
		if (!read_value(L, s, scan_next(s)))
			return false;
		lua_rawset(L, table);
	}
	convert_mark(L, true);
	return token == SCAN_OBJECT_END;
}

LUA_RAISES static bool read_array(lua_State *L, struct scan *s)
{
	enum scan_token token;

	lua_newtable(L);
	for (lua_Integer i = 1; (token = scan_next(s)) != SCAN_ARRAY_END; i++) {
		if (!read_value(L, s, token))
			return false;
		lua_rawseti(L, -2, i);
	}
	convert_mark(L, false);
	return true;
}

LUA_RAISES static bool read_value(lua_State *L, struct scan *s, enum scan_token token)
{
	luaL_checkstack(L, 8, "JSON nested too deep");
	switch (token) {
	case SCAN_OBJECT:
		return read_object(L, s);
	case SCAN_ARRAY:
		return read_array(L, s);
	case SCAN_STRING:
		read_string(L, s);
		return true;
	case SCAN_NUMBER:
		number_push(L, s->span, s->span_len);
		return true;
	case SCAN_TRUE:
	case SCAN_FALSE:
		lua_pushboolean(L, token == SCAN_TRUE);
		return true;
	case SCAN_NULL:
		lua_pushlightuserdata(L, NULL);
		return true;
	case SCAN_ERROR:
	case SCAN_END:
	case SCAN_OBJECT_END:
	case SCAN_ARRAY_END:
	case SCAN_KEY:
		break;
	}
	return false;
}

LUA_RAISES int parse_text(lua_State *L)
{
	struct err err = ERR_INIT;
	struct scan s;
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	luaL_argcheck(L, len <= PARSE_MAX, 1, "too long");
	sandbox_charge(L, (lua_Integer)len);
	scan_init(&s, text, len);
	if (read_value(L, &s, scan_next(&s)) && scan_next(&s) == SCAN_END)
		return 1;
	scan_fail(&s, &err);
	lua_pushnil(L);
	lua_pushstring(L, err.msg);
	return 2;
}
