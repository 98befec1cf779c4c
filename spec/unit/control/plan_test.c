#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/plan.h"

static void an_empty_plan_waits_for_a_change(void **state)
{
	auto_json struct json *list = NULL;
	auto_free char *text = NULL;
	struct plan plan;

	(void)state;
	plan_init(&plan);
	list = plan_json(&plan);
	text = json_print(list);
	assert_string_equal(text, "[]");
	assert_int_equal(plan.requeue_ms, -1);
	assert_false(plan.backoff);
	plan_done(&plan);
	plan_done(&plan);
}

static void actions_keep_their_order(void **state)
{
	auto_json struct json *list = NULL;
	auto_free char *text = NULL;
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_add(&plan, ACTION_STATUS, NULL, json_build("{'phase': 'Pending'}"));
	plan_add(&plan, ACTION_CONFIRM, NULL, NULL);
	plan_add(&plan, ACTION_CREATE, &KIND_CONFIGMAP, json_object());
	plan_add(&plan, ACTION_PATCH, &KIND_CRONJOB, json_build("{'a': null}"));
	plan_add(&plan, ACTION_DELETE, NULL, NULL);
	plan_event(&plan, "Warning", "Rejected", "it said \"no\"\n");
	list = plan_json(&plan);
	text = json_print(list);
	assert_string_equal(
	    text, "[{\"action\":\"status\",\"body\":{\"phase\":\"Pending\"}},"
		  "{\"action\":\"confirm\"},"
		  "{\"action\":\"create\",\"kind\":\"ConfigMap\",\"body\":{}},"
		  "{\"action\":\"patch\",\"kind\":\"CronJob\",\"body\":{\"a\":null}},"
		  "{\"action\":\"delete\"},"
		  "{\"action\":\"event\",\"body\":{\"type\":\"Warning\",\"reason\":\"Rejected\","
		  "\"message\":\"it said \\\"no\\\"\\n\"}}]");
	plan_done(&plan);
	assert_int_equal(plan.len, 0);
}

static void a_long_plan_grows(void **state)
{
	struct plan plan;

	(void)state;
	plan_init(&plan);
	for (int i = 0; i < 1000; i++)
		plan_add(&plan, ACTION_EVENT, NULL, json_int(i));
	for (int i = 0; i < 1000; i++) {
		int64_t n = -1;

		assert_true(json_int64(plan.actions[i].body, &n));
		assert_int_equal(n, i);
	}
	plan_done(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_plan_waits_for_a_change),
	    cmocka_unit_test(actions_keep_their_order),
	    cmocka_unit_test(a_long_plan_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
