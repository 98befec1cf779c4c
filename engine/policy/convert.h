/*
 * convert.h - JSON values in Lua and back, without a change to any of them.
 *
 *	JSON                 Lua
 *	object, array        table with a marker, so that {} and [] come back as they went in
 *	integer              integer, if it fits 64 bits
 *	other number         float, if printing it gives the same digits; else a read-only
 *	                     "json.number" that prints as it was written, computes and compares as a
 *	                     float, and that tonumber() turns into one (== needs a json.number on
 *	                     both sides)
 *	string, true, false  the same
 *	null                 json.null; an absent member is nil
 *
 * The way back reads tables raw (no metamethod runs) and refuses what JSON cannot hold, naming the
 * place: NaN, infinities, functions, cycles and other nesting deeper than CONVERT_DEPTH_MAX, lists
 * with holes, tables that are list and object at once, strings that are not UTF-8 or hold a NUL.
 * Members of objects are written in the order of their bytes. A table without a marker is a list if
 * it has items, else an object.
 *
 * json.array(t) and json.object(t) mark a table; json.parse(text) reads JSON that came as text,
 * such as an annotation, and returns nil and a message if it is none.
 */
#ifndef POLICY_CONVERT_H
#define POLICY_CONVERT_H

#include "base/buf.h"
#include "base/json.h"
#include "policy/luaapi.h"

enum { CONVERT_DEPTH_MAX = 64 };

/* Prepare a new state; leaves the table `json` (null, array, object, parse) on the stack. */
LUA_RAISES void convert_open(lua_State *L);

/* Mark the table on the top of the stack as an object or an array. */
LUA_RAISES void convert_mark(lua_State *L, bool object);

/* Push the value; NULL pushes nil. */
LUA_RAISES void convert_push(lua_State *L, const struct json *value);

/* Append the value at index to out as compact JSON; out->max is the limit of its size. */
LUA_RAISES void convert_write(lua_State *L, int index, struct buf *out);

/* The value at index is json.null. */
bool convert_is_null(lua_State *L, int index);

#endif
