/*
 * parse.h - json.parse(text) of policies: JSON text in Lua, as convert.h tells.
 *
 * The text is read straight into the state (scan.h is strict about it), so all that it takes is of
 * the state's heap and of its budget.
 */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include "policy/luaapi.h"

/* A function of Lua: the value, or nil and what is wrong. Of at most 1 MiB. */
LUA_RAISES int parse_text(lua_State *L);

#endif
