#include "policy/show.h"

#include "policy/keys.h"
#include "policy/library.h"
#include "policy/number.h"

/* A buffer on the heap would leak: much here may raise. */
static void add(struct shown *out, const char *text, size_t len)
{
	size_t room = sizeof(out->text) - 1 - out->len;

	len = len < room ? len : room;
	memcpy(out->text + out->len, text, len);
	out->len += len;
	out->text[out->len] = '\0';
}

LUA_RAISES static void add_text(lua_State *L, int index, struct shown *out)
{
	const char *text;
	size_t len;

	library_push_text(L, index);
	text = lua_tolstring(L, -1, &len);
	add(out, text, len);
	lua_pop(L, 1);
}

LUA_RAISES static bool has_parts(lua_State *L, int index)
{
	if (!lua_istable(L, index) || number_text(L, index) != NULL)
		return false;
	if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL)
		return true;
	lua_pop(L, 1);
	return false;
}

LUA_RAISES static void show(lua_State *L, int index, int depth, struct shown *out);

LUA_RAISES static void show_table(lua_State *L, int index, int depth, struct shown *out)
{
	size_t count = keys_sorted(L, index);
	bool is_list = count > 0 && lua_rawlen(L, index) == count;
	int keys = lua_gettop(L);

	add(out, is_list ? "[" : "{", 1);
	for (size_t i = 1; i <= count && out->len < sizeof(out->text) - 1; i++) {
		if (i > 1)
			add(out, ",", 1);
		lua_rawgeti(L, keys, (lua_Integer)i);
		if (!is_list) {
			show(L, keys + 1, depth, out);
			add(out, ":", 1);
		}
		lua_rawget(L, index);
		show(L, keys + 1, depth, out);
		lua_settop(L, keys);
	}
	add(out, is_list ? "]" : "}", 1);
	lua_pop(L, 1);
}

LUA_RAISES static void show(lua_State *L, int index, int depth, struct shown *out)
{
	luaL_checkstack(L, 8, "nested too deep");
	if (depth < SHOW_DEPTH_MAX && has_parts(L, index)) {
		show_table(L, index, depth + 1, out);
	} else if (depth > 0 && lua_type(L, index) == LUA_TSTRING) {
		add(out, "\"", 1);
		add_text(L, index, out);
		add(out, "\"", 1);
	} else {
		add_text(L, index, out);
	}
}

void show_value(lua_State *L, int index, struct shown *out)
{
	out->len = 0;
	out->text[0] = '\0';
	show(L, lua_absindex(L, index), 0, out);
}
