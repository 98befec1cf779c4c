#include "control/flights.h"

#include "base/map.h"
#include "base/timefmt.h"
#include "control/hold.h"
#include "control/pace.h"

struct flight {
	struct pass *pass;
	int64_t since;
};

struct flights {
	const struct pass_env *env;
	struct map *by_key; /* key -> struct flight */
	struct holds *holds;
	struct paces *paces;
	flights_ended_fn *ended;
	void *arg;
};

struct flights *flights_new(const struct pass_env *env, flights_ended_fn *ended, void *arg)
{
	struct flights *flights = xcalloc(1, sizeof(*flights));

	flights->env = env;
	flights->by_key = map_new(free);
	flights->holds = holds_new();
	flights->paces = paces_new();
	flights->ended = ended;
	flights->arg = arg;
	return flights;
}

void flights_free(struct flights *flights)
{
	const char *key;
	void *flight;

	if (flights == NULL)
		return;
	for (size_t i = 0; map_next(flights->by_key, &i, &key, &flight);)
		pass_cancel(((struct flight *)flight)->pass);
	map_free(flights->by_key);
	holds_free(flights->holds);
	paces_free(flights->paces);
	free(flights);
}

int64_t flights_wait(const struct flights *flights, const char *key, int64_t now)
{
	int64_t held = holds_left(flights->holds, key, now);
	int64_t paced = paces_left(flights->paces, key, now);

	return held > paced ? held : paced;
}

static void done(void *arg, const char *key, const struct pass_result *result)
{
	struct flights *flights = arg;
	const struct flight *flight = map_get(flights->by_key, key);
	int64_t now = time_mono_ms(), took = now - flight->since;

	holds_end(flights->holds, key, result->run_version, result->job_uid, now);
	if (result->run_version != NULL)
		paces_wrote(flights->paces, key, now);
	map_del(flights->by_key, key);
	flights->ended(flights->arg, key, result, took);
}

void flights_begin(struct flights *flights, const char *key, struct view *view_taken)
{
	struct flight *flight = xcalloc(1, sizeof(*flight));

	holds_begin(flights->holds, key);
	flight->since = time_mono_ms();
	map_put(flights->by_key, key, flight);
	flight->pass = pass_start(flights->env, key, view_taken, done, flights);
}

void flights_seen(struct flights *flights, const char *key, const char *run_version,
		  const char *job_uid)
{
	if (run_version != NULL && *run_version == '\0')
		holds_forget(flights->holds, key);
	else
		holds_seen(flights->holds, key, run_version != NULL ? run_version : job_uid);
}

size_t flights_len(const struct flights *flights)
{
	return map_len(flights->by_key);
}
