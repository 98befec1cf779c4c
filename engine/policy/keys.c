#include "policy/keys.h"

#include "policy/sandbox.h"

struct sort_key {
	enum { KEY_FALSE, KEY_TRUE, KEY_NUMBER, KEY_STRING } type;
	lua_Number number; /* exact enough to order: two keys of one value would be one key */
	const char *text;
	size_t len;
	lua_Integer at; /* its place in the unsorted list */
};

static int compare_keys(const void *left, const void *right)
{
	const struct sort_key *a = left, *b = right;
	size_t shorter = a->len < b->len ? a->len : b->len;
	int order;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->type == KEY_NUMBER)
		return (a->number > b->number) - (a->number < b->number);
	order = memcmp(a->text, b->text, shorter);
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

LUA_RAISES static struct sort_key read_key(lua_State *L, lua_Integer at)
{
	struct sort_key key = {.type = KEY_FALSE, .text = "", .at = at};

	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		key.type = lua_toboolean(L, -1) ? KEY_TRUE : KEY_FALSE;
		break;
	case LUA_TNUMBER:
		key.type = KEY_NUMBER;
		key.number = lua_tonumber(L, -1);
		break;
	case LUA_TSTRING:
		key.type = KEY_STRING;
		key.text = lua_tolstring(L, -1, &key.len);
		break;
	default:
		luaL_error(L, "a key of type %s has no fixed order: use a string or a number",
			   luaL_typename(L, -1));
	}
	return key;
}

LUA_RAISES size_t keys_sorted(lua_State *L, int index)
{
	struct sort_key *keys;
	lua_Integer count = 0;

	index = lua_absindex(L, index);
	luaL_checkstack(L, 8, "too many values");
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, index) != 0) {
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, ++count);
	}
	sandbox_charge(L, count);
	keys = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*keys), 0);
	for (lua_Integer i = 0; i < count; i++) {
		lua_rawgeti(L, -2, i + 1);
		keys[i] = read_key(L, i + 1); /* the unsorted list keeps its text alive */
		lua_pop(L, 1);
	}
	qsort(keys, (size_t)count, sizeof(*keys), compare_keys);
	lua_createtable(L, (int)count, 0);
	for (lua_Integer i = 0; i < count; i++) {
		lua_rawgeti(L, -3, keys[i].at);
		lua_rawseti(L, -2, i + 1);
	}
	lua_replace(L, -3);
	lua_pop(L, 1);
	return (size_t)count;
}
