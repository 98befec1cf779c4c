/*
 * number.h - JSON numbers in Lua, with every digit.
 *
 * A number that Lua would print otherwise than it was written (9223372036854775808, 1e400, 0.10,
 * -0) is a userdata "json.number". It is read-only, prints as it was written, and computes and
 * compares as a float.
 */
#ifndef POLICY_NUMBER_H
#define POLICY_NUMBER_H

#include "base/base.h"
#include "policy/luaapi.h"

enum { NUMBER_TEXT_MAX = 32 };

/* Prepare a new state. */
LUA_RAISES void number_open(lua_State *L);

/* Push an integer, a float or a json.number for a JSON number, which the text must be. */
LUA_RAISES void number_push(lua_State *L, const char *text, size_t len);

/* The text of a json.number, or NULL. Valid while the value is on the stack. */
const char *number_text(lua_State *L, int index);

/* The shortest text that reads back as the same float; always with a point or an exponent. */
void number_print(double value, char out[NUMBER_TEXT_MAX]);

#endif
