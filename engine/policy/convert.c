#include "policy/convert.h"

#include <math.h>

#include "base/utf8.h"
#include "policy/keys.h"
#include "policy/number.h"
#include "policy/parse.h"
#include "policy/sandbox.h"

#define ARRAY_TYPE "json.array"
#define OBJECT_TYPE "json.object"

enum { PATH_MAX_BYTES = 200 };

/* Where the writer is, for messages: a list on the C stack, so nothing leaks when it raises. */
struct place {
	const struct place *above;
	const char *key; /* NULL: item */
	lua_Integer item;
	int depth;
};

/* ---- the table json ---- */

static bool has_marker(lua_State *L, int index, const char *marker)
{
	bool same = false;

	if (lua_getmetatable(L, index)) {
		luaL_getmetatable(L, marker);
		same = lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
	}
	return same;
}

/* json.array(t) and json.object(t): mark t, or a new table. */
LUA_RAISES static int mark(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_getmetatable(L, 1)) {
		if (!has_marker(L, 1, ARRAY_TYPE) && !has_marker(L, 1, OBJECT_TYPE))
			return luaL_argerror(L, 1, "the table has a metatable of its own");
		lua_pop(L, 1);
	}
	lua_settop(L, 1);
	luaL_setmetatable(L, lua_tostring(L, lua_upvalueindex(1)));
	return 1;
}

LUA_RAISES static void open_marker(lua_State *L, const char *marker, const char *name)
{
	luaL_newmetatable(L, marker);
	lua_pushstring(L, name); /* what getmetatable() answers: "array" or "object" */
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_pushstring(L, marker);
	lua_pushcclosure(L, mark, 1);
	lua_setfield(L, -2, name);
}

bool convert_is_null(lua_State *L, int index)
{
	return lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == NULL;
}

LUA_RAISES void convert_open(lua_State *L)
{
	number_open(L);
	lua_createtable(L, 0, 4);
	lua_pushcfunction(L, parse_text);
	lua_setfield(L, -2, "parse");
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
	open_marker(L, ARRAY_TYPE, "array");
	open_marker(L, OBJECT_TYPE, "object");
}

/* ---- JSON to Lua ---- */

LUA_RAISES void convert_mark(lua_State *L, bool object)
{
	luaL_setmetatable(L, object ? OBJECT_TYPE : ARRAY_TYPE);
}

LUA_RAISES static void push_members(lua_State *L, const struct json *value, bool object)
{
	lua_Integer item = 0;

	luaL_checkstack(L, 8, "JSON nested too deep");
	lua_createtable(L, object ? 0 : (int)json_len(value), object ? (int)json_len(value) : 0);
	for (const struct json *c = json_first(value); c != NULL; c = json_next(c)) {
		if (object)
			lua_pushstring(L, json_key(c));
		convert_push(L, c);
		if (object)
			lua_rawset(L, -3);
		else
			lua_rawseti(L, -2, ++item);
	}
	convert_mark(L, object);
}

LUA_RAISES void convert_push(lua_State *L, const struct json *value)
{
	switch (json_type(value)) {
	case JSON_MISSING:
		lua_pushnil(L);
		break;
	case JSON_NULL:
		lua_pushlightuserdata(L, NULL);
		break;
	case JSON_BOOL:
		lua_pushboolean(L, json_is_true(value));
		break;
	case JSON_NUMBER:
		number_push(L, json_number_text(value), strlen(json_number_text(value)));
		break;
	case JSON_STRING:
		lua_pushstring(L, json_str(value));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		push_members(L, value, json_type(value) == JSON_OBJECT);
		break;
	}
}

/* ---- Lua to JSON ---- */

static void print_path(struct buf *out, const struct place *at)
{
	if (at == NULL) {
		buf_adds(out, "result");
		return;
	}
	print_path(out, at->above);
	if (at->key == NULL)
		buf_addf(out, "[%lld]", (long long)at->item);
	else
		buf_addf(out, ".%s", at->key);
}

static void path_of(const struct place *at, char path[PATH_MAX_BYTES])
{
	struct buf text = BUF_INIT(64 * PATH_MAX_BYTES);

	print_path(&text, at);
	snprintf(path, PATH_MAX_BYTES, "%.*s",
		 (int)utf8_prefix(text.data, text.len, PATH_MAX_BYTES - 1), text.data);
	buf_done(&text);
}

/* The path is copied to this frame before the error is raised, so that nothing leaks. */
LUA_RAISES static void refuse(lua_State *L, const struct place *at, const char *problem)
{
	char path[PATH_MAX_BYTES];

	path_of(at, path);
	luaL_error(L, "%s: %s", path, problem);
}

LUA_RAISES static void refuse_depth(lua_State *L, const struct place *at)
{
	char path[PATH_MAX_BYTES], text[2 * PATH_MAX_BYTES];

	path_of(at, path);
	snprintf(text, sizeof(text),
		 "%s: nested deeper than %d levels (does a table contain itself?)", path,
		 sandbox_depth_max(L));
	sandbox_exceed(L, text);
}

LUA_RAISES static void refuse_size(lua_State *L, const struct buf *out)
{
	char text[80];

	snprintf(text, sizeof(text), "the result is larger than %zu bytes of JSON", out->max);
	sandbox_exceed(L, text);
}

LUA_RAISES static void write_value(lua_State *L, int index, struct buf *out,
				   const struct place *at);

LUA_RAISES static void write_string(lua_State *L, int index, struct buf *out,
				    const struct place *at)
{
	size_t len;
	const char *text = lua_tolstring(L, index, &len);

	if (!utf8_valid(text, len))
		refuse(L, at, "the string is not UTF-8");
	if (memchr(text, '\0', len) != NULL)
		refuse(L, at, "the string holds a NUL byte");
	buf_add_json(out, text, len);
}

LUA_RAISES static void write_number(lua_State *L, int index, struct buf *out,
				    const struct place *at)
{
	char text[NUMBER_TEXT_MAX];

	if (lua_isinteger(L, index)) {
		snprintf(text, sizeof(text), "%lld", (long long)lua_tointeger(L, index));
	} else {
		if (!isfinite(lua_tonumber(L, index)))
			refuse(L, at, "JSON has no NaN and no infinity");
		number_print(lua_tonumber(L, index), text);
	}
	buf_adds(out, text);
}

/* Whether the table is a list; raises if it is neither a list nor an object. */
LUA_RAISES static bool classify(lua_State *L, int index, const struct place *at)
{
	bool array = has_marker(L, index, ARRAY_TYPE), object = has_marker(L, index, OBJECT_TYPE);
	lua_Integer items = 0, named = 0, last = 0;

	lua_pushnil(L);
	while (lua_next(L, index) != 0) {
		lua_pop(L, 1);
		if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1) {
			items++;
			if (lua_tointeger(L, -1) > last)
				last = lua_tointeger(L, -1);
		} else if (lua_type(L, -1) == LUA_TSTRING) {
			named++;
		} else {
			refuse(L, at, "a key must be a string, or a whole number from 1 on");
		}
	}
	sandbox_charge(L, items + named);
	if (items > 0 && named > 0)
		refuse(L, at,
		       "a table is a list or an object, this one has items and named fields");
	if (array && named > 0)
		refuse(L, at, "a json.array with a named field");
	if (object && items > 0)
		refuse(L, at, "a json.object with a numbered item");
	if (last != items)
		refuse(L, at, "a list with a hole (an item is nil); json.null is a value");
	return array || items > 0;
}

LUA_RAISES static void write_array(lua_State *L, int index, struct buf *out, const struct place *at)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, index);

	buf_addc(out, '[');
	for (lua_Integer i = 1; i <= count; i++) {
		struct place item = {
		    .above = at, .item = i, .depth = at != NULL ? at->depth + 1 : 1};

		if (i > 1)
			buf_addc(out, ',');
		lua_rawgeti(L, index, i);
		write_value(L, lua_gettop(L), out, &item);
		lua_pop(L, 1);
	}
	buf_addc(out, ']');
}

LUA_RAISES static void write_object(lua_State *L, int index, struct buf *out,
				    const struct place *at)
{
	size_t count = keys_sorted(L, index);
	int keys = lua_gettop(L);

	buf_addc(out, '{');
	for (size_t i = 1; i <= count; i++) {
		struct place member = {.above = at, .depth = at != NULL ? at->depth + 1 : 1};

		if (i > 1)
			buf_addc(out, ',');
		lua_rawgeti(L, keys, (lua_Integer)i);
		member.key = lua_tostring(L, -1); /* a string: nothing is converted */
		write_string(L, -1, out, &member);
		buf_addc(out, ':');
		lua_rawget(L, index);
		write_value(L, lua_gettop(L), out, &member);
		lua_pop(L, 1);
	}
	buf_addc(out, '}');
	lua_pop(L, 1);
}

LUA_RAISES static void write_table(lua_State *L, int index, struct buf *out, const struct place *at)
{
	if (at != NULL && at->depth >= sandbox_depth_max(L))
		refuse_depth(L, at);
	luaL_checkstack(L, 8, "nested too deep");
	if (classify(L, index, at))
		write_array(L, index, out, at);
	else
		write_object(L, index, out, at);
}

LUA_RAISES static void write_value(lua_State *L, int index, struct buf *out, const struct place *at)
{
	const char *number = number_text(L, index);
	char problem[64];

	if (number != NULL) {
		buf_adds(out, number);
	} else if (convert_is_null(L, index)) {
		buf_adds(out, "null");
	} else if (lua_type(L, index) == LUA_TBOOLEAN) {
		buf_adds(out, lua_toboolean(L, index) ? "true" : "false");
	} else if (lua_type(L, index) == LUA_TNUMBER) {
		write_number(L, index, out, at);
	} else if (lua_type(L, index) == LUA_TSTRING) {
		write_string(L, index, out, at);
	} else if (lua_type(L, index) == LUA_TTABLE) {
		write_table(L, index, out, at);
	} else {
		snprintf(problem, sizeof(problem), "JSON cannot hold a %s",
			 luaL_typename(L, index));
		refuse(L, at, problem);
	}
	if (out->full)
		refuse_size(L, out);
}

LUA_RAISES void convert_write(lua_State *L, int index, struct buf *out)
{
	write_value(L, lua_absindex(L, index), out, NULL);
}
