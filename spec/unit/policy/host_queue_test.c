/* Several workers: who is served while others hang. */
#include "host_scene.h"

/* Nobody waits for these. */
static void start_hanging(struct scene *s, int count)
{
	for (int i = 0; i < count; i++) {
		start_eval(s, "[\"hang\"]");
		s->waiting--;
	}
}

static void other_runs_are_served_while_workers_hang(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	for (int hung = 1; hung <= 3; hung++) {
		start_hanging(s, 1);
		s->calls = 0;
		eval(s, "[\"contract\"]");
		assert_int_equal(s->calls, 1);
		assert_non_null(json_get(result(s, "contract"), "ok"));
		assert_int_equal(policy_workers(s->host), hung + 1);
	}
}

static void there_are_four_workers_at_most(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	for (int i = 0; i < 6; i++)
		start_eval(s, "[\"hang\"]");
	eval(s, "[\"contract\"]");
	assert_int_equal(s->calls, 7);
	assert_true(s->most_workers > 1 && s->most_workers <= 4);
}

static bool is_busy(const struct scene *s, const char *name, const char *hooks)
{
	auto_json struct json *request = request_of(hooks);

	return policy_busy(s->host, name, request);
}

static void what_would_wait_for_others_like_it_is_told(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	assert_false(is_busy(s, "", "[\"hang\"]"));
	start_hanging(s, 1);
	assert_false(is_busy(s, "", "[\"hang\"]")); /* nobody knows yet */
	eval(s, "[\"hang\"]");
	assert_false(is_busy(s, "", "[\"hang\"]"));
	start_hanging(s, 1);
	assert_true(is_busy(s, "", "[\"hang\"]")); /* it waits for a worker */
	eval(s, "[\"contract\"]");
	assert_true(is_busy(s, "", "[\"hang\"]")); /* it has one */
	assert_false(is_busy(s, "", "[\"contract\"]"));
	assert_false(is_busy(s, "named", "[\"hang\"]"));
}

static void a_bundle_for_all_does_not_wait_for_others(void **state)
{
	struct scene *s = *state;
	auto_json struct json *files = json_build("{'hang.lua': 'return 1'}");

	set_role("moody");
	for (int i = 0; i < 2; i++)
		policy_load(s->host, "named", true, files, NULL, NULL);
	load(s, "contract.lua", "");
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->err.kind, ERR_NONE);
	assert_false(policy_has(s->host, "named"));
}

static void a_bundle_for_all_is_a_new_chance(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	eval(s, "[\"hang\"]");
	load_named(s, "named", true, "contract.lua", "");
	start_hanging(s, 1);
	assert_true(is_busy(s, "", "[\"hang\"]"));
	load(s, "contract.lua", "");
	assert_false(is_busy(s, "", "[\"hang\"]"));
}

static void what_hangs_again_and_again_has_one_worker(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	eval(s, "[\"hang\"]");
	start_hanging(s, 4);
	s->calls = 0;
	eval(s, "[\"contract\"]");
	assert_int_equal(s->calls, 1);
	assert_non_null(json_get(result(s, "contract"), "ok"));
}

static void look_again(void *arg)
{
	struct scene *s = arg;

	if (policy_workers(s->host) == 1)
		loop_stop(s->loop);
	else
		timer_set(s->look, 5);
}

static void a_worker_too_many_ends_after_a_rest(void **state)
{
	struct scene *s = *state;

	set_role("moody");
	for (int i = 0; i < 3; i++)
		start_eval(s, "[\"slow\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 3);
	assert_true(s->most_workers > 1);
	s->look = timer_new(s->loop, look_again, s);
	timer_set(s->look, 5);
	loop_run(s->loop);
	eval(s, "[\"contract\"]");
	assert_int_equal(policy_workers(s->host), 1);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    host_test(other_runs_are_served_while_workers_hang),
	    impatient_test(there_are_four_workers_at_most),
	    impatient_test(what_would_wait_for_others_like_it_is_told),
	    host_test(a_bundle_for_all_does_not_wait_for_others),
	    impatient_test(a_bundle_for_all_is_a_new_chance),
	    impatient_test(what_hangs_again_and_again_has_one_worker),
	    host_test(a_worker_too_many_ends_after_a_rest),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return host_main(argc, argv, tests);
}
