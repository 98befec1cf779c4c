/* The queue against a naive model: arrays that are searched from end to end, and random steps with
 * a fixed seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/queue.h"

enum { KEYS = 12, NEVER = -1 };

/* arrival orders the ready keys of a lane. */
struct model {
	bool ready, low, in_flight, again, again_low;
	int64_t arrival, due;
};

static struct model model[KEYS];
static int64_t arrivals;
static uint64_t random_state;

static int pick(int count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int)((random_state >> 33) % (uint64_t)count);
}

static const char *key_of(int i)
{
	static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f",
					       "g", "h", "i", "j", "k", "l"};

	return keys[i];
}

static void model_add(int i, bool low)
{
	struct model *m = &model[i];

	if (m->in_flight) {
		m->again_low = low && (!m->again || m->again_low);
		m->again = true;
		return;
	}
	m->due = NEVER;
	if (m->ready && (low || !m->low))
		return;
	m->ready = true;
	m->low = low;
	m->arrival = ++arrivals;
}

static void model_add_after(int i, int64_t due)
{
	struct model *m = &model[i];

	if (!m->ready && (m->due == NEVER || due < m->due))
		m->due = due;
}

/* The key whose delay ends first, or NULL if none waits. */
static struct model *model_first_due(void)
{
	struct model *first = NULL;

	for (int i = 0; i < KEYS; i++)
		if (model[i].due != NEVER && (first == NULL || model[i].due < first->due))
			first = &model[i];
	return first;
}

static void model_ripen(int64_t now)
{
	struct model *first;

	while ((first = model_first_due()) != NULL && first->due <= now) {
		first->due = NEVER;
		model_add((int)(first - model), false);
	}
}

/* No other ready key should have gone before this one. */
static bool model_may_pop(int i)
{
	for (int k = 0; k < KEYS; k++) {
		const struct model *other = &model[k], *m = &model[i];

		if (other->ready &&
		    (other->low < m->low || (other->low == m->low && other->arrival < m->arrival)))
			return false;
	}
	return model[i].ready;
}

static size_t model_count(bool in_flight)
{
	size_t count = 0;

	for (int i = 0; i < KEYS; i++)
		count += in_flight ? model[i].in_flight
				   : (size_t)model[i].ready + (model[i].due != NEVER);
	return count;
}

static int64_t model_wait(int64_t now)
{
	int64_t wait = -1;

	for (int i = 0; i < KEYS; i++) {
		int64_t left = model[i].ready ? 0 : model[i].due - now;

		if (model[i].ready || model[i].due != NEVER) {
			left = left > 0 ? left : 0;
			wait = wait < 0 || left < wait ? left : wait;
		}
	}
	return wait;
}

static void pop_both(struct queue *queue, int64_t now)
{
	auto_free char *key = queue_pop(queue, now);
	int i;

	model_ripen(now);
	if (key == NULL) {
		for (i = 0; i < KEYS; i++)
			assert_false(model[i].ready);
		return;
	}
	i = key[0] - 'a';
	assert_true(model_may_pop(i));
	model[i].ready = false;
	model[i].in_flight = true;
	model[i].again = false;
}

static void done_both(struct queue *queue, int i, int64_t now)
{
	struct model *m = &model[i];

	queue_done(queue, key_of(i), false, now);
	if (!m->in_flight)
		return;
	m->in_flight = false;
	if (m->again)
		model_add(i, m->again_low);
	m->again = false;
}

static void random_step(struct queue *queue, int64_t now)
{
	int i = pick(KEYS), delay = pick(200) * 1000 + pick(1000);

	switch (pick(7)) {
	case 0:
		queue_add(queue, key_of(i), now);
		model_add(i, false);
		break;
	case 1:
		queue_add_low(queue, key_of(i), now);
		model_add(i, true);
		break;
	case 2:
	case 3:
		/* each key has due times of its own: the order among equal ones is not promised */
		delay = delay / KEYS * KEYS + i - (int)(now % KEYS) + KEYS;
		queue_add_after(queue, key_of(i), delay, now);
		model_add_after(i, now + delay);
		break;
	case 4:
	case 5:
		done_both(queue, i, now);
		break;
	default:
		pop_both(queue, now);
	}
}

static void random_steps_match_a_naive_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct queue *queue = queue_new();
		int64_t now = 0;

		random_state = seed * 88172645463325252ULL;
		arrivals = 0;
		for (int i = 0; i < KEYS; i++)
			model[i] = (struct model){.due = NEVER};
		for (int step = 0; step < 20000; step++) {
			random_step(queue, now);
			assert_int_equal(queue_depth(queue), model_count(false));
			assert_int_equal(queue_in_flight(queue), model_count(true));
			assert_int_equal(queue_wait(queue, now), model_wait(now));
			now += pick(20) == 0 ? pick(100000) : pick(3);
		}
		queue_free(queue);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_steps_match_a_naive_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
