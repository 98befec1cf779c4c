#include "control/hold.h"

#include "base/buf.h"
#include "base/map.h"

enum { MARKS = 2, SEEN_MAX = 4096 };

struct hold {
	struct buf seen; /* marks shown while the pass is in flight, each followed by a newline */
	char *marks[MARKS]; /* awaited; NULL: none, or shown */
	bool in_flight;
	int64_t until;
};

struct holds {
	struct map *by_key;
};

static void free_hold(void *value)
{
	struct hold *hold = value;

	buf_done(&hold->seen);
	for (size_t i = 0; i < MARKS; i++)
		free(hold->marks[i]);
	free(hold);
}

struct holds *holds_new(void)
{
	struct holds *holds = xcalloc(1, sizeof(*holds));

	holds->by_key = map_new(free_hold);
	return holds;
}

void holds_free(struct holds *holds)
{
	if (holds == NULL)
		return;
	map_free(holds->by_key);
	free(holds);
}

void holds_begin(struct holds *holds, const char *key)
{
	struct hold *hold = xcalloc(1, sizeof(*hold));

	hold->seen = (struct buf)BUF_INIT(SEEN_MAX);
	hold->in_flight = true;
	map_put(holds->by_key, key, hold);
}

static bool was_seen(const struct hold *hold, const char *mark)
{
	size_t len = strlen(mark);

	for (const char *line = hold->seen.data; *line != '\0'; line = strchr(line, '\n') + 1)
		if (strncmp(line, mark, len) == 0 && line[len] == '\n')
			return true;
	return false;
}

static bool awaits_any(const struct hold *hold)
{
	for (size_t i = 0; i < MARKS; i++)
		if (hold->marks[i] != NULL)
			return true;
	return false;
}

void holds_seen(struct holds *holds, const char *key, const char *mark)
{
	struct hold *hold = map_get(holds->by_key, key);

	if (hold == NULL)
		return;
	if (hold->in_flight) {
		if (strlen(mark) + 1 <= hold->seen.max - hold->seen.len)
			buf_addf(&hold->seen, "%s\n", mark);
		return;
	}
	for (size_t i = 0; i < MARKS; i++)
		if (hold->marks[i] != NULL && streq(hold->marks[i], mark))
			free(steal(hold->marks[i]));
	if (!awaits_any(hold))
		map_del(holds->by_key, key);
}

void holds_forget(struct holds *holds, const char *key)
{
	const struct hold *hold = map_get(holds->by_key, key);

	if (hold != NULL && !hold->in_flight)
		map_del(holds->by_key, key);
}

void holds_end(struct holds *holds, const char *key, const char *run_version, const char *job_uid,
	       int64_t now)
{
	const char *const marks[MARKS] = {run_version, job_uid};
	struct hold *hold = map_get(holds->by_key, key);

	if (hold == NULL)
		return;
	for (size_t i = 0; i < MARKS; i++)
		if (marks[i] != NULL && !was_seen(hold, marks[i]))
			hold->marks[i] = xstrdup(marks[i]);
	hold->in_flight = false;
	hold->until = now + HOLD_MS;
	buf_done(&hold->seen);
	if (!awaits_any(hold))
		map_del(holds->by_key, key);
}

int64_t holds_left(struct holds *holds, const char *key, int64_t now)
{
	const struct hold *hold = map_get(holds->by_key, key);

	if (hold == NULL || hold->in_flight)
		return 0;
	if (hold->until > now)
		return hold->until - now;
	map_del(holds->by_key, key);
	return 0;
}
