/*
 * luaapi.h - the one door to Lua's headers.
 *
 * C enters Lua by lua_pcall() in sandbox.c alone (and where no script runs: in lint.c, and for the
 * values of an author's tests in lua/policy.c); everything that can raise a Lua error runs inside
 * it and carries the mark LUA_RAISES. An error is a longjmp: such a function owns no C memory and
 * has no `auto_` variable; what it fills belongs to the caller of the lua_pcall().
 */
#ifndef POLICY_LUAAPI_H
#define POLICY_LUAAPI_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define LUA_RAISES

#endif
