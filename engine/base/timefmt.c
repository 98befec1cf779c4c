#include "base/timefmt.h"

#include <ctype.h>

static const int64_t DURATION_MAX_MS = 10LL * 366 * 24 * 3600 * 1000;

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t time_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t time_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* What is left of the second; times before 1970 count up as well. */
static int millis_of(int64_t ms)
{
	return (int)((ms % 1000 + 1000) % 1000);
}

static void format(int64_t ms, const char *fraction, char out[TIME_TEXT_MAX])
{
	time_t seconds = (time_t)((ms - millis_of(ms)) / 1000);
	char rest[20];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(rest, sizeof(rest), "-%m-%dT%H:%M:%S", &tm);
	/* %Y would write the year 1 of an unset time as "1" */
	snprintf(out, TIME_TEXT_MAX, "%04u%.15s%.8sZ", (unsigned)(tm.tm_year + 1900) % 10000, rest,
		 fraction);
}

void time_format(int64_t ms, bool millis, char out[TIME_TEXT_MAX])
{
	char fraction[8] = "";

	if (millis)
		snprintf(fraction, sizeof(fraction), ".%03d", millis_of(ms));
	format(ms, fraction, out);
}

void time_format_micro(int64_t ms, char out[TIME_TEXT_MAX])
{
	char fraction[12];

	snprintf(fraction, sizeof(fraction), ".%03d000", millis_of(ms));
	format(ms, fraction, out);
}

/* Exactly count digits at *p, which must not exceed max. */
static bool digits(const char **p, int count, int max, int *out)
{
	int n = 0;

	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)**p))
			return false;
		n = n * 10 + (*(*p)++ - '0');
	}
	*out = n;
	return n <= max;
}

static bool literal(const char **p, const char *accepted)
{
	if (**p == '\0' || strchr(accepted, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

static bool parse_offset(const char *p, int64_t *ms)
{
	int hours, minutes, sign = *p == '-' ? -1 : 1;

	*ms = 0;
	if (literal(&p, "Zz"))
		return *p == '\0';
	if (!literal(&p, "+-") || !digits(&p, 2, 23, &hours) || !literal(&p, ":") ||
	    !digits(&p, 2, 59, &minutes))
		return false;
	*ms = sign * (hours * 60 + minutes) * 60000LL;
	return *p == '\0';
}

/* month is 1 to 12 */
static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (leap && month == 2);
}

bool time_parse(const char *text, int64_t *ms)
{
	const char *p = text;
	int64_t fraction = 0, offset;
	struct tm tm = {0};

	if (!digits(&p, 4, 9999, &tm.tm_year) || !literal(&p, "-") ||
	    !digits(&p, 2, 12, &tm.tm_mon) || !literal(&p, "-") ||
	    !digits(&p, 2, 31, &tm.tm_mday) || !literal(&p, "Tt ") ||
	    !digits(&p, 2, 23, &tm.tm_hour) || !literal(&p, ":") ||
	    !digits(&p, 2, 59, &tm.tm_min) || !literal(&p, ":") || !digits(&p, 2, 60, &tm.tm_sec))
		return false;
	if (literal(&p, ".")) {
		int64_t unit = 100;

		if (!isdigit((unsigned char)*p))
			return false;
		for (; isdigit((unsigned char)*p); p++, unit /= 10)
			fraction += unit * (*p - '0');
	}
	if (!parse_offset(p, &offset) || tm.tm_mon == 0 || tm.tm_mday == 0 ||
	    tm.tm_mday > days_in(tm.tm_year, tm.tm_mon))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ms = (int64_t)timegm(&tm) * 1000 + fraction - offset;
	return true;
}

/* The unit at *p in milliseconds, stepping over it; 0 if there is none. */
static double unit_ms(const char **p)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (has_prefix(*p, units[i].name)) {
			*p += strlen(units[i].name);
			return units[i].ms;
		}
	}
	return 0;
}

int duration_parse(const char *text, int64_t *ms, struct err *err)
{
	const char *p = text;
	double total = 0;

	do {
		char *end;
		double n, unit;
		bool bare;

		if (!isdigit((unsigned char)*p))
			break;
		n = strtod(p, &end);
		bare = p == text && *end == '\0';
		if (end != p + strspn(p, "0123456789.")) /* strtod also reads 0x10 and 1e3 */
			break;
		p = end;
		unit = bare ? 1000 : unit_ms(&p);
		if (unit == 0)
			break;
		total += n * unit;
		if (*p == '\0' && total <= (double)DURATION_MAX_MS) {
			*ms = (int64_t)(total + 0.5);
			return 0;
		}
	} while (*p != '\0');
	return err_set(
	    err, ERR_INVALID,
	    "expected a duration such as 30s, 5m or 1h30m (a bare number is seconds, at most "
	    "10 years), found \"%s\"",
	    text);
}
