/*
 * sort.h - table.sort for policies.
 *
 * Lua's own picks pivots by the clock (ltablib.c, l_randomizePivot), so that equal items, or an
 * order that contradicts itself, come out in another order each time. This one is a merge sort: the
 * same items give the same list, and equal ones keep their order. The list is read before the first
 * comparison and written after the last one; between the two it may change without effect.
 */
#ifndef POLICY_SORT_H
#define POLICY_SORT_H

#include "policy/luaapi.h"

/* table.sort(list [, comes_before]); a pass over the list costs an instruction an item. */
LUA_RAISES int sort_list(lua_State *L);

#endif
