/*
 * schema.h - schema.check(parameters, rules): what helpers.h says about it.
 */
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H

#include "policy/luaapi.h"

/* Set the functions as fields of the table on top of the stack. */
LUA_RAISES void schema_open(lua_State *L);

#endif
