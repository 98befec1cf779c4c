/*
 * log.h - one line per event on stderr, as JSON (the default) or as text for people.
 *
 *	log_info("job created", "run", key, "job", name, "attempt", log_num(n));
 *
 *	{"time":"2026-11-24T10:00:00.123Z","level":"info","msg":"job created","run":"ns/a",...}
 *
 * Values are escaped; a NULL value leaves its key out, and so does one that would make the line
 * longer than 16 KiB. Never pass a secret, a token, a header or
 * the data of a user. Only control/, main and the small programs log; lower floors return errors.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };

void log_setup(enum log_level lowest, enum log_format format);

/* "debug", "info", "warn", "error"; false for another word. */
bool log_level_parse(const char *word, enum log_level *out);

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *msg, ...) __attribute__((sentinel));

/* A number as text, for a value; lives until the end of the enclosing block. */
#define log_num(n) log_number((char[24]){0}, (int64_t)(n))
const char *log_number(char out[24], int64_t n);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, (char *)NULL)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__, (char *)NULL)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__, (char *)NULL)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, (char *)NULL)

#endif
