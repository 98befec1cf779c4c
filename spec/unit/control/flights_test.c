/* Passes in flight. The runs are being deleted, so that their passes do nothing and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/timefmt.h"
#include "control/flights.h"

struct world {
	struct loop *loop;
	struct policy_host *host;
	struct pass_env env;
	struct flights *flights;
	struct buf told;
	bool free_at_end;
};

static void ended(void *arg, const char *key, const struct pass_result *result, int64_t took_ms)
{
	struct world *w = arg;

	assert_false(result->failed);
	assert_true(took_ms >= 0);
	buf_addf(&w->told, "%s, %zu left; ", key, flights_len(w->flights));
	if (flights_len(w->flights) > 0)
		return;
	if (w->free_at_end)
		flights_free(steal(w->flights));
	loop_stop(w->loop);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->loop = loop_new();
	w->host = policy_host_new(w->loop, &(struct policy_options){0});
	w->env = (struct pass_env){.act = {.loop = w->loop}, .host = w->host};
	w->flights = flights_new(&w->env, ended, w);
	w->told = (struct buf)BUF_INIT(4096);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	flights_free(w->flights);
	policy_host_free(w->host);
	loop_free(w->loop);
	buf_done(&w->told);
	free(w);
	return 0;
}

static void begin(struct world *w, const char *key)
{
	struct view view = {.run = json_build("{'metadata': {'deletionTimestamp': 't'}}"),
			    .pods = json_array()};

	flights_begin(w->flights, key, &view);
	assert_null(view.run);
}

static void each_pass_is_told_once_and_is_in_flight_no_more(void **state)
{
	struct world *w = *state;

	begin(w, "ns/a");
	begin(w, "ns/b");
	assert_int_equal(flights_len(w->flights), 2);
	assert_int_equal(w->told.len, 0);
	loop_run(w->loop);
	assert_string_equal(w->told.data, "ns/a, 1 left; ns/b, 0 left; ");
	assert_int_equal(flights_wait(w->flights, "ns/a", time_mono_ms()), 0);
}

static void what_is_in_flight_is_given_up(void **state)
{
	struct world *w = *state;

	begin(w, "ns/a");
	flights_free(steal(w->flights));
	w->flights = flights_new(&w->env, ended, w);
	begin(w, "ns/b");
	loop_run(w->loop);
	assert_string_equal(w->told.data, "ns/b, 0 left; ");
}

/* As a controller does that stops. */
static void the_last_end_may_free_the_flights(void **state)
{
	struct world *w = *state;

	w->free_at_end = true;
	begin(w, "ns/a");
	loop_run(w->loop);
	assert_string_equal(w->told.data, "ns/a, 0 left; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_pass_is_told_once_and_is_in_flight_no_more, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_is_in_flight_is_given_up, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_last_end_may_free_the_flights, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
