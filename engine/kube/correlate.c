#include "kube/correlate.h"

#include "base/buf.h"
#include "base/timefmt.h"
#include "kube/lru.h"
#include "kube/random.h"

enum { KEY_MAX = 4096, NAME_LEN_MAX = 253, SUFFIX_LEN = 17, SIMILAR_MAX = 10, BURST = 25 };

static const int64_t WINDOW_MS = 600000, REFILL_MS = 300000;

/* The messages of one object, type and reason, as hashes. */
struct similar {
	int64_t used_ms;
	size_t count;
	uint64_t messages[SIMILAR_MAX];
};

/* The token bucket of an object, counted in time so that no fraction of a token is lost. */
struct budget {
	bool known;
	int64_t saved_ms; /* a token is REFILL_MS, and BURST of them fill it */
	int64_t at_ms;
};

struct correlator {
	struct lru *budgets; /* by object */
	struct lru *similar; /* by object, type and reason */
	struct lru *records; /* by those and message: a struct record * each */
	int64_t (*clock)(void);
};

void record_hold(struct record *record)
{
	record->holders++;
}

void record_release(struct record *record)
{
	if (record == NULL || --record->holders > 0)
		return;
	json_free(record->event);
	free(record->name);
	free(record);
}

static void drop_record(void *slot)
{
	record_release(*(struct record **)slot);
}

struct correlator *correlator_new(size_t table, int64_t (*clock)(void))
{
	struct correlator *c = xcalloc(1, sizeof(*c));

	c->budgets = lru_new(table, sizeof(struct budget), NULL);
	c->similar = lru_new(table, sizeof(struct similar), NULL);
	c->records = lru_new(table, sizeof(struct record *), drop_record);
	c->clock = clock;
	return c;
}

void correlator_free(struct correlator *c)
{
	if (c == NULL)
		return;
	lru_free(c->budgets);
	lru_free(c->similar);
	lru_free(c->records);
	free(c);
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool spend(struct correlator *c, const char *object_key, int64_t now)
{
	const int64_t full = BURST * REFILL_MS;
	struct budget *budget = lru_use(c->budgets, object_key);

	budget->saved_ms =
	    budget->known ? smaller(full, budget->saved_ms + (now - budget->at_ms)) : full;
	budget->known = true;
	budget->at_ms = now;
	if (budget->saved_ms < REFILL_MS)
		return false;
	budget->saved_ms -= REFILL_MS;
	return true;
}

/* True from the message on that would be the 11th. */
static bool is_combined(struct correlator *c, const char *key, uint64_t message, int64_t now)
{
	struct similar *similar = lru_use(c->similar, key);

	if (now - similar->used_ms > WINDOW_MS)
		similar->count = 0;
	similar->used_ms = now;
	for (size_t i = 0; i < similar->count; i++)
		if (similar->messages[i] == message)
			return false;
	if (similar->count == SIMILAR_MAX)
		return true;
	similar->messages[similar->count++] = message;
	return false;
}

/* OBJECT.HEX; a cut name must not end in a sign that may not stand before a dot. */
static char *event_name(const struct json *object)
{
	const char *name = json_get_str(object, "name", "object");
	int len = (int)smaller((int64_t)strlen(name), NAME_LEN_MAX - SUFFIX_LEN);

	while (len > 1 && (name[len - 1] == '-' || name[len - 1] == '.'))
		len--;
	return xasprintf("%.*s.%016llx", len, name, (unsigned long long)random_u64());
}

static struct record *use_record(struct correlator *c, const char *key, const struct json *object,
				 int64_t now)
{
	struct record **slot = lru_use(c->records, key);
	struct record *record = *slot;

	if (record == NULL || now - record->used_ms > WINDOW_MS) {
		record_release(record);
		record = *slot = xcalloc(1, sizeof(*record));
		record->holders = 1;
		record->name = event_name(object);
		record->first_ms = time_now_ms();
	}
	record->count++;
	record->used_ms = now;
	record->last_ms = time_now_ms();
	return record;
}

/* FNV-1a: two messages that collide would only be counted as one. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	return h;
}

struct record *correlate(struct correlator *c, const struct json *object, const char *type,
			 const char *reason, const char *message, bool *combined)
{
	static const char *const parts[] = {"kind", "namespace", "name", "uid"};
	auto_buf struct buf key = BUF_INIT(KEY_MAX);
	int64_t now = c->clock();

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_addf(&key, "%s\n", json_get_str(object, parts[i], ""));
	if (!spend(c, key.data, now))
		return NULL;
	buf_addf(&key, "%s\n%s\n", type, reason);
	*combined = is_combined(c, key.data, hash(message), now);
	if (*combined)
		buf_addc(&key, '*');
	else
		buf_addf(&key, "%016llx", (unsigned long long)hash(message));
	return use_record(c, key.data, object, now);
}
