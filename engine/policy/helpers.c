#include "policy/helpers.h"

#include <errno.h>
#include <math.h>

#include "base/timefmt.h"
#include "policy/convert.h"
#include "policy/sandbox.h"
#include "policy/schema.h"

enum { MERGE_DEPTH_MAX = CONVERT_DEPTH_MAX, LABEL_MAX = 63, NAME_MAX_BYTES = 253 };

/* ---- time, duration, dns ---- */

/* Seconds: an integer where there is no fraction. */
LUA_RAISES static void push_seconds(lua_State *L, int64_t ms)
{
	if (ms % 1000 == 0)
		lua_pushinteger(L, ms / 1000);
	else
		lua_pushnumber(L, (lua_Number)ms / 1000);
}

LUA_RAISES static int time_parse_text(lua_State *L)
{
	int64_t ms;

	if (time_parse(luaL_checkstring(L, 1), &ms))
		push_seconds(L, ms);
	else
		lua_pushnil(L);
	return 1;
}

/* The years 0 to 9999, as RFC 3339 has them. */
LUA_RAISES static int64_t check_seconds(lua_State *L)
{
	lua_Number seconds = floor(luaL_checknumber(L, 1));

	luaL_argcheck(L, seconds >= -62167219200.0 && seconds <= 253402300799.0, 1,
		      "not a time of the years 0 to 9999");
	return (int64_t)seconds;
}

LUA_RAISES static int time_format_seconds(lua_State *L)
{
	char text[TIME_TEXT_MAX];

	time_format(check_seconds(L) * 1000, false, text);
	lua_pushstring(L, text);
	return 1;
}

LUA_RAISES static int time_parts(lua_State *L)
{
	static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	time_t seconds = (time_t)check_seconds(L);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	const struct {
		const char *name;
		int value;
	} parts[] = {{"year", tm.tm_year + 1900}, {"month", tm.tm_mon + 1}, {"day", tm.tm_mday},
		     {"hour", tm.tm_hour},        {"minute", tm.tm_min},    {"second", tm.tm_sec}};

	lua_createtable(L, 0, ARRAY_LEN(parts) + 1);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		lua_pushinteger(L, parts[i].value);
		lua_setfield(L, -2, parts[i].name);
	}
	lua_pushstring(L, weekdays[tm.tm_wday]);
	lua_setfield(L, -2, "weekday");
	return 1;
}

LUA_RAISES static int duration_parse_text(lua_State *L)
{
	struct err err = ERR_INIT;
	int64_t ms;

	if (duration_parse(luaL_checkstring(L, 1), &ms, &err) == 0)
		push_seconds(L, ms);
	else
		lua_pushnil(L);
	return 1;
}

LUA_RAISES static int duration_format(lua_State *L)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	lua_Number number = luaL_checknumber(L, 1) * 1000;
	char text[64] = "0s";
	size_t len = 0;
	int64_t ms;

	luaL_argcheck(L, number >= 0 && number < 9007199254740992.0, 1, "not a duration");
	ms = (int64_t)round(number);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (ms >= units[i].ms)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%lld%s",
						(long long)(ms / units[i].ms), units[i].name);
		ms %= units[i].ms;
	}
	lua_pushstring(L, text);
	return 1;
}

static bool is_label(const char *text, size_t len)
{
	if (len == 0 || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

LUA_RAISES static int dns_label(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	lua_pushboolean(L, is_label(text, len));
	return 1;
}

LUA_RAISES static int dns_name(lua_State *L)
{
	size_t len, label;
	const char *text = luaL_checklstring(L, 1, &len), *end = text + len;
	bool right = len <= NAME_MAX_BYTES;

	for (; right && text < end + 1; text += label + 1) {
		label = strcspn(text, ".");
		right = is_label(text, label) && (text[label] == '.' || text + label == end);
	}
	lua_pushboolean(L, right);
	return 1;
}

/* ---- quantities (k8s.io/apimachinery resource.Quantity) ---- */

static bool find_suffix(const char *suffix, int *binary, int *decimal)
{
	static const struct {
		const char *name;
		int binary, decimal; /* powers of 2 and of 10 */
	} suffixes[] = {{"", 0, 0},    {"n", 0, -9},  {"u", 0, -6},  {"m", 0, -3},
			{"k", 0, 3},   {"M", 0, 6},   {"G", 0, 9},   {"T", 0, 12},
			{"P", 0, 15},  {"E", 0, 18},  {"Ki", 10, 0}, {"Mi", 20, 0},
			{"Gi", 30, 0}, {"Ti", 40, 0}, {"Pi", 50, 0}, {"Ei", 60, 0}};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (!streq(suffix, suffixes[i].name))
			continue;
		*binary = suffixes[i].binary;
		*decimal = suffixes[i].decimal;
		return true;
	}
	return false;
}

/* The length of the sign and digits at text (at least one digit), or 0. */
static size_t span_number(const char *text, bool *whole)
{
	size_t sign = strspn(text, "+-") > 0 ? 1 : 0;
	size_t digits = strspn(text + sign, "0123456789"), fraction = 0, len = sign + digits;

	*whole = text[len] != '.';
	if (!*whole) {
		fraction = strspn(text + len + 1, "0123456789");
		len += 1 + fraction;
	}
	return digits + fraction > 0 ? len : 0;
}

/* "e3" or "E-3" behind the digits; "E" alone is the suffix exa. */
static bool read_exponent(const char *text, int *decimal)
{
	char *end;
	long value;

	if ((*text != 'e' && *text != 'E') || text[1] == '\0' || strchr(" \t", text[1]) != NULL)
		return false;
	value = strtol(text + 1, &end, 10);
	if (*end != '\0' || value < -99 || value > 99)
		return false;
	*decimal = (int)value;
	return true;
}

static bool scale_exactly(int64_t *value, int binary, int decimal)
{
	for (; decimal > 0; decimal--)
		if (__builtin_mul_overflow(*value, (int64_t)10, value))
			return false;
	return !__builtin_mul_overflow(*value, (int64_t)1 << binary, value);
}

LUA_RAISES static int quantity_parse(lua_State *L)
{
	const char *text = luaL_checkstring(L, 1);
	int binary = 0, decimal = 0;
	lua_Number number;
	int64_t integer;
	bool whole;
	size_t len = span_number(text, &whole);

	if (len == 0 ||
	    (!find_suffix(text + len, &binary, &decimal) && !read_exponent(text + len, &decimal))) {
		lua_pushnil(L);
		return 1;
	}
	errno = 0;
	integer = strtoll(text, NULL, 10);
	if (whole && decimal >= 0 && errno == 0 && scale_exactly(&integer, binary, decimal)) {
		lua_pushinteger(L, integer);
		return 1;
	}
	/* Divide by a power of ten, which is exact: 100m is 0.1, and 100 * 1e-3 is not. */
	number = ldexp(strtod(lua_pushlstring(L, text, len), NULL), binary);
	number = decimal < 0 ? number / pow(10, -decimal) : number * pow(10, decimal);
	if (!isfinite(number))
		lua_pushnil(L);
	else if (number == floor(number) && fabs(number) < 9007199254740992.0)
		lua_pushinteger(L, (lua_Integer)number);
	else
		lua_pushnumber(L, number);
	return 1;
}

LUA_RAISES static void push_whole_quantity(lua_State *L, lua_Integer number)
{
	static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
	size_t unit = 0;

	while (number != 0 && number % 1024 == 0 && unit + 1 < ARRAY_LEN(units)) {
		number /= 1024;
		unit++;
	}
	lua_pushfstring(L, "%I%s", (LUAI_UACINT)number, units[unit]);
}

LUA_RAISES static int quantity_format(lua_State *L)
{
	lua_Number number = luaL_checknumber(L, 1), thousands;
	lua_Integer integer;

	if (lua_numbertointeger(number, &integer) && number == floor(number)) {
		push_whole_quantity(L, lua_isinteger(L, 1) ? lua_tointeger(L, 1) : integer);
		return 1;
	}
	thousands = ceil(number * 1000 - 1e-6); /* 0.1 * 3 is a little more than 0.3 */
	luaL_argcheck(L, fabs(thousands) < 9007199254740992.0, 1, "not a quantity");
	lua_pushfstring(L, "%Im", (LUAI_UACINT)thousands);
	return 1;
}

/* ---- merge ---- */

/* A list stays whole, everything else that is a table merges; an empty table is an object. */
static bool is_list(lua_State *L, int index)
{
	bool list = lua_rawlen(L, index) > 0;

	if (luaL_getmetafield(L, index, "__metatable") != LUA_TNIL) {
		list =
		    list || (lua_type(L, -1) == LUA_TSTRING && streq(lua_tostring(L, -1), "array"));
		lua_pop(L, 1);
	}
	return list;
}

LUA_RAISES static void push_merged(lua_State *L, int base, int over, int depth);

/* Copy the fields of the table at `from` into the one at `to`, merging with what is there. */
LUA_RAISES static void merge_fields(lua_State *L, int from, int to, int depth)
{
	lua_pushnil(L);
	while (lua_next(L, from) != 0) {
		int value = lua_gettop(L);

		sandbox_charge(L, 1);
		lua_pushvalue(L, value - 1);
		if (convert_is_null(L, value)) {
			lua_pushnil(L);
		} else {
			lua_pushvalue(L, value - 1);
			lua_rawget(L, to);
			push_merged(L, value + 2, value, depth + 1);
			lua_remove(L, -2);
		}
		lua_rawset(L, to);
		lua_pop(L, 1);
	}
}

/* Push what `over` makes of `base`: both are absolute indexes, base may hold nil. */
LUA_RAISES static void push_merged(lua_State *L, int base, int over, int depth)
{
	luaL_checkstack(L, 12, "merge: nested too deep");
	if (depth > MERGE_DEPTH_MAX)
		luaL_error(L, "merge: nested deeper than %d levels", MERGE_DEPTH_MAX);
	if (!lua_istable(L, over) || is_list(L, over)) {
		lua_pushvalue(L, over);
		return;
	}
	lua_newtable(L);
	if (lua_getmetatable(L, over) || (lua_istable(L, base) && lua_getmetatable(L, base)))
		lua_setmetatable(L, -2);
	if (lua_istable(L, base) && !is_list(L, base)) {
		int result = lua_gettop(L);

		lua_pushnil(L);
		while (lua_next(L, base) != 0) {
			sandbox_charge(L, 1);
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			lua_rawset(L, result);
		}
	}
	merge_fields(L, over, lua_gettop(L), depth);
}

LUA_RAISES static int merge(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, 2, LUA_TTABLE);
	push_merged(L, 1, 2, 0);
	return 1;
}

/* ---- */

LUA_RAISES void helpers_open(lua_State *L)
{
	static const struct {
		const char *table, *name;
		lua_CFunction function;
	} functions[] = {
	    {"time", "parse", time_parse_text},
	    {"time", "format", time_format_seconds},
	    {"time", "parts", time_parts},
	    {"duration", "parse", duration_parse_text},
	    {"duration", "format", duration_format},
	    {"quantity", "parse", quantity_parse},
	    {"quantity", "format", quantity_format},
	    {"dns", "label", dns_label},
	    {"dns", "name", dns_name},
	};

	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (lua_getfield(L, -1, functions[i].table) == LUA_TNIL) {
			lua_pop(L, 1);
			lua_newtable(L);
			lua_pushvalue(L, -1);
			lua_setfield(L, -3, functions[i].table);
		}
		lua_pushcfunction(L, functions[i].function);
		lua_setfield(L, -2, functions[i].name);
		lua_pop(L, 1);
	}
	lua_newtable(L);
	schema_open(L);
	lua_setfield(L, -2, "schema");
	lua_pushcfunction(L, merge);
	lua_setfield(L, -2, "merge");
}
