#include "spec/apisim/cron.h"

#include <ctype.h>
#include <strings.h>

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
					  "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

struct field {
	const char *what;
	int low, high;
	const char *const *names; /* the first name means low */
};

static int number(const char **at, const struct field *field)
{
	char *end;
	long n;

	for (int i = 0; field->names != NULL && field->names[i] != NULL; i++)
		if (strncasecmp(*at, field->names[i], 3) == 0) {
			*at += 3;
			return field->low + i;
		}
	if (!isdigit((unsigned char)**at))
		return -1;
	n = strtol(*at, &end, 10);
	*at = end;
	return n <= 100 ? (int)n : -1;
}

/* One item of a list: *, n, a-b, each with /step. */
static int parse_item(const char **at, const struct field *field, uint64_t *bits, bool *any,
		      struct err *err)
{
	int from = field->low, to = field->high, step = 1;
	bool star = **at == '*' || **at == '?';

	if (star) {
		(*at)++;
	} else {
		from = to = number(at, field);
		if (**at == '-') {
			(*at)++;
			to = number(at, field);
		} else if (**at == '/') {
			to = field->high;
		}
	}
	if (**at == '/') {
		(*at)++;
		step = number(at, &(struct field){.low = 0, .high = 100});
	}
	if (from < field->low || to > field->high || from > to || step < 1)
		return err_set(err, ERR_INVALID, "%s: expected values from %d to %d", field->what,
			       field->low, field->high);
	*any = *any || (star && step == 1);
	for (int i = from; i <= to; i += step)
		*bits |= 1ULL << i;
	return 0;
}

static int parse_field(const char **at, const struct field *field, uint64_t *bits, bool *any,
		       struct err *err)
{
	*bits = 0;
	*any = false;
	while (**at == ' ' || **at == '\t')
		(*at)++;
	do {
		if (parse_item(at, field, bits, any, err) < 0)
			return -1;
	} while (**at == ',' && *(*at)++ != '\0');
	if (**at != '\0' && **at != ' ' && **at != '\t')
		return err_set(err, ERR_INVALID, "%s: expected a blank, found \"%.20s\"",
			       field->what, *at);
	return 0;
}

static const char *shorthand(const char *schedule)
{
	static const char *const words[][2] = {
	    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
	    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
	    {"@hourly", "0 * * * *"},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (streq(words[i][0], schedule))
			return words[i][1];
	return schedule;
}

int cron_parse(const char *schedule, struct cron *out, struct err *err)
{
	static const struct field fields[] = {
	    {"minute", 0, 59, NULL},          {"hour", 0, 23, NULL},
	    {"day of month", 1, 31, NULL},    {"month", 1, 12, month_names},
	    {"day of week", 0, 6, day_names},
	};
	const char *at = shorthand(schedule);
	uint64_t bits[ARRAY_LEN(fields)];
	bool any[ARRAY_LEN(fields)];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (parse_field(&at, &fields[i], &bits[i], &any[i], err) < 0)
			return -1;
	while (*at == ' ' || *at == '\t')
		at++;
	if (*at != '\0')
		return err_set(err, ERR_INVALID, "expected exactly 5 fields, found more: [%s]",
			       schedule);
	*out = (struct cron){bits[0], bits[1], bits[2], bits[3], bits[4], any[2], any[4]};
	return 0;
}

/* ---- time zones: the C library knows one at a time, so it is switched for the call ---- */

static char *enter_zone(const char *zone)
{
	const char *before = getenv("TZ");
	char *saved = before != NULL ? xstrdup(before) : NULL;

	setenv("TZ", zone != NULL && zone[0] != '\0' ? zone : "UTC", 1);
	tzset();
	return saved;
}

static void leave_zone(char *saved_taken)
{
	if (saved_taken != NULL)
		setenv("TZ", saved_taken, 1);
	else
		unsetenv("TZ");
	tzset();
	free(saved_taken);
}

bool cron_zone_known(const char *zone)
{
	auto_free char *path = NULL;

	if (streq(zone, "UTC") || streq(zone, "Etc/UTC"))
		return true;
	if (zone[0] == '/' || zone[0] == '\0' || strstr(zone, "..") != NULL)
		return false;
	path = xasprintf("/usr/share/zoneinfo/%s", zone);
	return access(path, R_OK) == 0;
}

static bool has(uint64_t bits, int n)
{
	return (bits >> n & 1) != 0;
}

static bool day_matches(const struct cron *cron, const struct tm *tm)
{
	bool day = has(cron->days, tm->tm_mday), weekday = has(cron->weekdays, tm->tm_wday);

	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* Move tm to the start of the next month, day, hour or minute, whichever may match first;
 * false when it matches already. */
static bool step(const struct cron *cron, struct tm *tm)
{
	if (!has(cron->months, tm->tm_mon + 1)) {
		tm->tm_mon++;
		tm->tm_mday = 1;
		tm->tm_hour = tm->tm_min = 0;
	} else if (!day_matches(cron, tm)) {
		tm->tm_mday++;
		tm->tm_hour = tm->tm_min = 0;
	} else if (!has(cron->hours, tm->tm_hour)) {
		tm->tm_hour++;
		tm->tm_min = 0;
	} else if (!has(cron->minutes, tm->tm_min)) {
		tm->tm_min++;
	} else {
		return false;
	}
	return true;
}

int64_t cron_next(const struct cron *cron, int64_t after_ms, const char *zone)
{
	enum { MINUTE = 60, FIVE_YEARS = 5 * 366 * 24 * 3600 };
	time_t start = (time_t)(after_ms / 1000 / MINUTE + 1) * MINUTE, at = start;
	char *saved = enter_zone(zone);
	struct tm tm;

	localtime_r(&at, &tm);
	while (at - start < FIVE_YEARS && step(cron, &tm)) {
		time_t next;

		tm.tm_isdst = -1;
		next = mktime(&tm);
		/* A clock that is set back may name the same time twice: never stand still. */
		at = next > at ? next : at + MINUTE;
		localtime_r(&at, &tm);
	}
	leave_zone(saved);
	return at - start < FIVE_YEARS ? (int64_t)at * 1000 : -1;
}
