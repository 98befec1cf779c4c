/*
 * cron.h - the schedule of a CronJob: five fields (minute, hour, day of month, month, day of
 * week) of numbers, names, *, ?, ranges, lists and steps, or @hourly and the like.
 *
 * As robfig/cron does, which the CronJob controller uses: if both day fields are restricted, a
 * day that matches one of them counts; Sunday is 0 (7 is refused).
 */
#ifndef APISIM_CRON_H
#define APISIM_CRON_H

#include "base/err.h"

struct cron {
	uint64_t minutes, hours, days, months, weekdays; /* bit n: n matches */
	bool any_day, any_weekday;
};

int cron_parse(const char *schedule, struct cron *out, struct err *err);

/* The first time after after_ms that matches, in milliseconds; zone NULL or "": UTC. -1 when
 * there is none within five years (30 February). */
int64_t cron_next(const struct cron *cron, int64_t after_ms, const char *zone);

/* A name of the time zone database, as Go's LoadLocation takes it. */
bool cron_zone_known(const char *zone);

#endif
