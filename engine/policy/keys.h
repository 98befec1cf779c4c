/*
 * keys.h - the keys of a Lua table in a fixed order.
 *
 * Lua's own order follows addresses and hash seeds; whatever a policy can see must come out the
 * same each time.
 */
#ifndef POLICY_KEYS_H
#define POLICY_KEYS_H

#include "policy/luaapi.h"

/* Push an array of the keys of the table at index: false, true, numbers, strings by bytes. Keys of
 * another type have no order: an error. Costs an instruction a key. Returns their count. */
LUA_RAISES size_t keys_sorted(lua_State *L, int index);

#endif
