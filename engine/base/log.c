#include "base/log.h"

#include "base/buf.h"
#include "base/timefmt.h"

enum { LINE_MAX_BYTES = 16 << 10 };

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

static enum log_level lowest_level = LOG_INFO;
static enum log_format line_format = LOG_JSON;

void log_setup(enum log_level lowest, enum log_format format)
{
	lowest_level = lowest;
	line_format = format;
}

bool log_level_parse(const char *word, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (streq(word, level_names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level >= lowest_level;
}

const char *log_number(char out[24], int64_t n)
{
	snprintf(out, 24, "%lld", (long long)n);
	return out;
}

static bool is_plain(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == '"' || *text == '\\' || *text == '=' ||
		    (unsigned char)*text >= 0x7F)
			return false;
	return true;
}

static void put_pair(struct buf *line, const char *key, const char *value)
{
	if (line_format == LOG_JSON) {
		buf_addc(line, ',');
		buf_add_json(line, key, strlen(key));
		buf_addc(line, ':');
		buf_add_json(line, value, strlen(value));
		return;
	}
	buf_addf(line, " %s=", key);
	if (is_plain(value))
		buf_adds(line, value);
	else
		buf_add_json(line, value, strlen(value));
}

/* A pair that does not fit is left out whole, so that a line is valid JSON whatever it is about. */
static void add_pair(struct buf *line, const char *key, const char *value)
{
	size_t len = line->len;

	put_pair(line, key, value);
	if (!line->full)
		return;
	line->full = false;
	line->len = len;
}

void log_write(enum log_level level, const char *msg, ...)
{
	auto_buf struct buf line = BUF_INIT(LINE_MAX_BYTES);
	char now[TIME_TEXT_MAX];
	const char *key;
	va_list args;

	if (!log_enabled(level))
		return;
	time_format(time_now_ms(), true, now);
	if (line_format == LOG_JSON) {
		buf_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\"", now, level_names[level]);
		add_pair(&line, "msg", msg);
	} else {
		buf_addf(&line, "%s %-5s %s", now, level_names[level], msg);
	}
	va_start(args, msg);
	while ((key = va_arg(args, const char *)) != NULL) {
		const char *value = va_arg(args, const char *);

		if (value != NULL)
			add_pair(&line, key, value);
	}
	va_end(args);
	line.max += 2; /* room for the end, whatever was left out */
	line.full = false;
	buf_adds(&line, line_format == LOG_JSON ? "}\n" : "\n");
	fwrite(line.data, 1, line.len, stderr);
}
