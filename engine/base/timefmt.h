/*
 * timefmt.h - clocks, RFC 3339 times and durations. Times are milliseconds since 1970 (UTC).
 */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include "base/err.h"

enum { TIME_TEXT_MAX = 32 };

int64_t time_now_ms(void);  /* the wall clock */
int64_t time_mono_ms(void); /* a clock that never goes back; only differences mean something */

/* "2026-11-24T10:00:00Z", as metav1.Time; with millis "...:00.123Z". */
void time_format(int64_t ms, bool millis, char out[TIME_TEXT_MAX]);

/* As metav1.MicroTime: "2026-11-24T10:00:00.123000Z". */
void time_format_micro(int64_t ms, char out[TIME_TEXT_MAX]);

/* RFC 3339 with any fraction and offset; false if it is not one. */
bool time_parse(const char *text, int64_t *ms);

/* A duration such as 90s, 1m30s, 1.5h, 250ms; a bare number is seconds. At most 10 years. */
int duration_parse(const char *text, int64_t *ms, struct err *err);

#endif
