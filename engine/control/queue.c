#include "control/queue.h"

#include "base/map.h"

enum lane { LANE_NONE, LANE_HIGH, LANE_LOW };

struct item {
	char *key;
	enum lane lane;           /* of the FIFO it is in; LANE_NONE: in none */
	struct item *prev, *next; /* its neighbours there */
	int64_t ready_since;
	int64_t waited; /* from ready to popped */
	size_t heap;    /* its place in the heap of delays, from 1; 0: in none */
	int64_t due;    /* when the delay ends */
	int failures;   /* in a row */
	bool in_flight;
	enum lane again; /* added while in flight */
};

struct fifo {
	struct item *first, *last;
};

struct queue {
	struct map *items;
	struct fifo fifo[3]; /* by lane; [LANE_NONE] stays empty */
	struct item **heap;  /* heap[1] has the smallest due */
	size_t heap_len, heap_cap;
	size_t ready, in_flight;
	uint64_t adds, retries;
	uint32_t jitter;
};

static void free_item(void *value)
{
	struct item *item = value;

	free(item->key);
	free(item);
}

struct queue *queue_new(void)
{
	struct queue *queue = xcalloc(1, sizeof(*queue));

	queue->items = map_new(free_item);
	queue->jitter = 2463534242U;
	return queue;
}

void queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	map_free(queue->items);
	free(queue->heap);
	free(queue);
}

static struct item *item_of(struct queue *queue, const char *key)
{
	struct item *item = map_get(queue->items, key);

	if (item == NULL) {
		item = xcalloc(1, sizeof(*item));
		item->key = xstrdup(key);
		map_put(queue->items, key, item);
	}
	return item;
}

static void drop_if_idle(struct queue *queue, const struct item *item)
{
	if (item->lane == LANE_NONE && item->heap == 0 && !item->in_flight && item->failures == 0)
		map_del(queue->items, item->key);
}

/* ---- the heap of delays ---- */

static void heap_place(struct queue *queue, size_t at, struct item *item)
{
	queue->heap[at] = item;
	item->heap = at;
}

static void heap_up(struct queue *queue, size_t at)
{
	struct item *item = queue->heap[at];

	for (; at > 1 && queue->heap[at / 2]->due > item->due; at /= 2)
		heap_place(queue, at, queue->heap[at / 2]);
	heap_place(queue, at, item);
}

static void heap_down(struct queue *queue, size_t at)
{
	struct item *item = queue->heap[at];

	for (;;) {
		size_t child = at * 2;

		if (child + 1 <= queue->heap_len &&
		    queue->heap[child + 1]->due < queue->heap[child]->due)
			child++;
		if (child > queue->heap_len || queue->heap[child]->due >= item->due)
			break;
		heap_place(queue, at, queue->heap[child]);
		at = child;
	}
	heap_place(queue, at, item);
}

static void heap_add(struct queue *queue, struct item *item)
{
	if (++queue->heap_len >= queue->heap_cap) {
		queue->heap_cap = queue->heap_cap > 0 ? queue->heap_cap * 2 : 64;
		queue->heap = xrealloc(queue->heap, queue->heap_cap * sizeof(struct item *));
	}
	heap_place(queue, queue->heap_len, item);
	heap_up(queue, queue->heap_len);
}

static void heap_remove(struct queue *queue, struct item *item)
{
	size_t at = item->heap;
	struct item *last = queue->heap[queue->heap_len--];

	item->heap = 0;
	if (last == item)
		return;
	heap_place(queue, at, last);
	heap_up(queue, at);
	heap_down(queue, last->heap);
}

/* ---- the lanes of ready keys ---- */

static void fifo_add(struct queue *queue, struct item *item, enum lane lane, int64_t now)
{
	struct fifo *fifo = &queue->fifo[lane];

	item->lane = lane;
	item->ready_since = now;
	item->next = NULL;
	item->prev = fifo->last;
	if (fifo->last != NULL)
		fifo->last->next = item;
	else
		fifo->first = item;
	fifo->last = item;
	queue->ready++;
	queue->adds++;
}

static void fifo_remove(struct queue *queue, struct item *item)
{
	struct fifo *fifo = &queue->fifo[item->lane];

	if (item->prev != NULL)
		item->prev->next = item->next;
	else
		fifo->first = item->next;
	if (item->next != NULL)
		item->next->prev = item->prev;
	else
		fifo->last = item->prev;
	item->lane = LANE_NONE;
	queue->ready--;
}

static void add(struct queue *queue, struct item *item, enum lane lane, int64_t now)
{
	if (item->in_flight) {
		if (item->again != LANE_HIGH)
			item->again = lane;
		return;
	}
	if (item->heap > 0)
		heap_remove(queue, item);
	if (item->lane == LANE_LOW && lane == LANE_HIGH)
		fifo_remove(queue, item);
	if (item->lane == LANE_NONE)
		fifo_add(queue, item, lane, now);
}

void queue_add(struct queue *queue, const char *key, int64_t now)
{
	add(queue, item_of(queue, key), LANE_HIGH, now);
}

void queue_add_low(struct queue *queue, const char *key, int64_t now)
{
	add(queue, item_of(queue, key), LANE_LOW, now);
}

void queue_add_anew(struct queue *queue, const char *key, int64_t now)
{
	struct item *item = item_of(queue, key);

	item->failures = 0;
	add(queue, item, LANE_LOW, now);
}

void queue_add_after(struct queue *queue, const char *key, int64_t delay_ms, int64_t now)
{
	struct item *item = item_of(queue, key);

	if (item->lane != LANE_NONE || (item->heap > 0 && item->due <= now + delay_ms))
		return;
	if (item->heap > 0)
		heap_remove(queue, item);
	item->due = now + delay_ms;
	heap_add(queue, item);
}

/* Delays that have ended become ready. A key in flight keeps its place: it comes back when done. */
static void ripen(struct queue *queue, int64_t now)
{
	while (queue->heap_len > 0 && queue->heap[1]->due <= now) {
		struct item *item = queue->heap[1];

		heap_remove(queue, item);
		add(queue, item, LANE_HIGH, now);
	}
}

char *queue_pop(struct queue *queue, int64_t now)
{
	struct item *item;

	ripen(queue, now);
	item = queue->fifo[LANE_HIGH].first;
	if (item == NULL)
		item = queue->fifo[LANE_LOW].first;
	if (item == NULL)
		return NULL;
	fifo_remove(queue, item);
	item->in_flight = true;
	item->waited = now - item->ready_since;
	item->again = LANE_NONE;
	queue->in_flight++;
	return xstrdup(item->key);
}

/* xorshift32: spread, not secrecy. */
static int64_t jittered(struct queue *queue, int64_t ms)
{
	queue->jitter ^= queue->jitter << 13;
	queue->jitter ^= queue->jitter >> 17;
	queue->jitter ^= queue->jitter << 5;
	return ms + (int64_t)(queue->jitter % 1000) * ms / 5000;
}

static int64_t backoff(struct queue *queue, struct item *item)
{
	int64_t ms = QUEUE_BACKOFF_MIN_MS;

	for (int i = 0; i < item->failures && ms < QUEUE_BACKOFF_MAX_MS; i++)
		ms *= 2;
	item->failures++;
	queue->retries++;
	return jittered(queue, ms < QUEUE_BACKOFF_MAX_MS ? ms : QUEUE_BACKOFF_MAX_MS);
}

void queue_done(struct queue *queue, const char *key, bool failed, int64_t now)
{
	struct item *item = map_get(queue->items, key);

	if (item == NULL || !item->in_flight)
		return;
	item->in_flight = false;
	queue->in_flight--;
	if (failed)
		queue_add_after(queue, key, backoff(queue, item), now);
	else
		item->failures = 0;
	if (item->again != LANE_NONE)
		add(queue, item, item->again, now);
	drop_if_idle(queue, item);
}

int64_t queue_wait(const struct queue *queue, int64_t now)
{
	if (queue->ready > 0)
		return 0;
	if (queue->heap_len == 0)
		return -1;
	return queue->heap[1]->due > now ? queue->heap[1]->due - now : 0;
}

int64_t queue_waited_ms(const struct queue *queue, const char *key)
{
	const struct item *item = map_get(queue->items, key);

	return item != NULL ? item->waited : 0;
}

uint64_t queue_adds(const struct queue *queue)
{
	return queue->adds;
}

uint64_t queue_retries(const struct queue *queue)
{
	return queue->retries;
}

size_t queue_depth(const struct queue *queue)
{
	return queue->ready + queue->heap_len;
}

size_t queue_in_flight(const struct queue *queue)
{
	return queue->in_flight;
}

int64_t queue_oldest_ms(const struct queue *queue, int64_t now)
{
	int64_t oldest = 0;

	for (enum lane lane = LANE_HIGH; lane <= LANE_LOW; lane++) {
		const struct item *first = queue->fifo[lane].first;

		if (first != NULL && now - first->ready_since > oldest)
			oldest = now - first->ready_since;
	}
	return oldest;
}
