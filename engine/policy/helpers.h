/*
 * helpers.h - what authors of policies keep writing by hand.
 *
 *	time.parse("2026-11-24T10:00:00Z")   seconds since 1970, nil if it is not RFC 3339
 *	time.format(seconds)                 "2026-11-24T10:00:00Z"
 *	time.parts(seconds)                  {year, month, day, hour, minute, second, weekday} in
 *	                                     UTC; weekday is "Mon" to "Sun"
 *	duration.parse("1m30s")              seconds, nil if it is none (base/timefmt.h)
 *	duration.format(90)                  "1m30s": what duration.parse() makes 90 of
 *	quantity.parse("512Mi")              a Kubernetes quantity as a number, nil if it is none;
 *	                                     an integer where the value is one
 *	quantity.format(536870912)           "512Mi": the greatest binary unit that fits exactly;
 *	                                     fractions in thousands, rounded up: 0.1 is "100m"
 *	dns.label("my-name")                 true for an RFC 1123 label (63 bytes of a-z 0-9 -)
 *	dns.name("my-name.example")          true for labels with points between them, 253 bytes
 *	merge(base, over)                    a new table: objects merged key by key, at all depths;
 *	                                     anything else in `over` wins, json.null removes
 *	schema.check(parameters, rules)      a list of violations for validate()
 *
 * rules: from a parameter's name (or "*": any other) to {required = true, type = "string" |
 * "integer" | "number" | "boolean", enum = {...}, min = n, max = n, maxLength = n, pattern =
 * "^a Lua pattern$"}. Values of parameters are strings; type says what the string must read as. A
 * parameter that no rule names is a violation. Another word in a rule, or a value of another type,
 * is an error.
 */
#ifndef POLICY_HELPERS_H
#define POLICY_HELPERS_H

#include "policy/luaapi.h"

/* Set them as fields of the table on top of the stack. */
LUA_RAISES void helpers_open(lua_State *L);

#endif
