/*
 * stdlib.h - what a policy script sees: an allow-list of Lua 5.4 and a few functions of ours.
 *
 * From Lua: assert error getmetatable ipairs next pairs pcall rawequal rawget rawlen require select
 * setmetatable tonumber tostring type, and string (without dump), table, math (without random and
 * randomseed) and utf8, all read-only. Changed, so that the same input gives the same bytes and no
 * script escapes its limits:
 *   - pairs and next go in a fixed order (convert.h) and know no __pairs;
 *   - table.sort is stable (sort.h);
 *   - tostring and %s show no address; %p is refused;
 *   - pcall does not catch a limit; setmetatable takes no __gc and no __mode;
 *   - require finds the modules of the bundle, and "default/contract" and the like the built-in
 *     hooks, so that a policy can add to them;
 *   - a global that is not known, and any assignment to one, is an error with its name.
 * Ours: json (convert.h) and the helpers (helpers.h), read-only as well, reject(message) and
 * log(value), which shows it (show.h).
 */
#ifndef POLICY_STDLIB_H
#define POLICY_STDLIB_H

#include "policy/luaapi.h"

/* Prepare a new state. */
LUA_RAISES void stdlib_open(lua_State *L);

/* Push the environment of scripts. */
LUA_RAISES void stdlib_push_env(lua_State *L);

/* The message if the value at index was made by reject(), else NULL. */
LUA_RAISES const char *stdlib_rejection(lua_State *L, int index);

#endif
