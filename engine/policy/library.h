/*
 * library.h - the libraries of Lua with guards around what takes long, lies or shows addresses.
 *
 * Hooks do not run inside C functions. A function whose work depends on the size of its arguments
 * takes that work from the budget first, and remembers where the script is: what then takes longer
 * than that (a pattern that backtracks) is ended by the worker's clock, which can name the line.
 */
#ifndef POLICY_LIBRARY_H
#define POLICY_LIBRARY_H

#include "policy/luaapi.h"

/* Push a copy of a library of Lua, without string.dump and math.random, with its guards, and with
 * the table.sort of sort.h. */
LUA_RAISES void library_open(lua_State *L, const char *name, lua_CFunction open);

/* Push the value at index as text; of a table without __tostring only its type. */
LUA_RAISES void library_push_text(lua_State *L, int index);

#endif
