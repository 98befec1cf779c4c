#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <regex.h>

#include "control/metrics.h"

static struct metrics *metrics;

static int setup(void **state)
{
	(void)state;
	metrics = metrics_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	metrics_free(metrics);
	return 0;
}

static void assert_has_line(const char *line)
{
	auto_free char *text = metrics_text(metrics);
	auto_free char *whole = xasprintf("\n%s\n", line);

	if (strstr(text, whole) == NULL)
		fail_msg("no line %s in\n%s", line, text);
}

static void nothing_measured_is_an_empty_page(void **state)
{
	auto_free char *text = metrics_text(metrics);

	(void)state;
	assert_string_equal(text, "");
	metrics_free(NULL);
}

static void counters_add_up_by_label(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		metrics_add(metrics, METRIC_RECONCILE_TOTAL,
			    "controller=\"run\",result=\"success\"", 1);
	metrics_add(metrics, METRIC_RECONCILE_TOTAL, "controller=\"run\",result=\"error\"", 2);
	assert_has_line(
	    "controller_runtime_reconcile_total{controller=\"run\",result=\"success\"} 1000");
	assert_has_line(
	    "controller_runtime_reconcile_total{controller=\"run\",result=\"error\"} 2");
	text = metrics_text(metrics);
	assert_true(
	    has_prefix(text, "# HELP controller_runtime_reconcile_total Passes, by controller and "
			     "result.\n# TYPE controller_runtime_reconcile_total counter\n"));
}

static void gauges_hold_the_last_value(void **state)
{
	(void)state;
	metrics_set(metrics, METRIC_QUEUE_DEPTH, "name=\"run\"", 7);
	metrics_set(metrics, METRIC_QUEUE_DEPTH, "name=\"run\"", 0);
	metrics_set(metrics, METRIC_LEADER, "", 1);
	metrics_set(metrics, METRIC_QUEUE_OLDEST, "", 0.25);
	assert_has_line("workqueue_depth{name=\"run\"} 0");
	assert_has_line("# TYPE workqueue_depth gauge");
	assert_has_line("leader_election_master_status 1");
	assert_has_line("kserve_queue_oldest_key_seconds 0.25");
}

static void large_counts_are_exact(void **state)
{
	(void)state;
	metrics_add(metrics, METRIC_REQUESTS_TOTAL, "code=\"200\",method=\"GET\"",
		    9007199254740991.0);
	assert_has_line("rest_client_requests_total{code=\"200\",method=\"GET\"} 9007199254740991");
}

static void buckets_hold_what_is_at_most_their_bound(void **state)
{
	static const double seconds[] = {0, 0.0005, 0.00051, 0.25, 30, 30.5, 1e9};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
		metrics_observe(metrics, METRIC_REQUEST_SECONDS, "verb=\"GET\"", seconds[i]);
	metrics_observe(metrics, METRIC_POLICY_SECONDS, "", 2);
	assert_has_line("# TYPE rest_client_request_duration_seconds histogram");
	assert_has_line(
	    "rest_client_request_duration_seconds_bucket{verb=\"GET\",le=\"0.0005\"} 2");
	assert_has_line("rest_client_request_duration_seconds_bucket{verb=\"GET\",le=\"0.001\"} 3");
	assert_has_line("rest_client_request_duration_seconds_bucket{verb=\"GET\",le=\"0.25\"} 4");
	assert_has_line("rest_client_request_duration_seconds_bucket{verb=\"GET\",le=\"10\"} 4");
	assert_has_line("rest_client_request_duration_seconds_bucket{verb=\"GET\",le=\"30\"} 5");
	assert_has_line("rest_client_request_duration_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 7");
	assert_has_line("rest_client_request_duration_seconds_count{verb=\"GET\"} 7");
	assert_has_line("kserve_policy_evaluation_seconds_bucket{le=\"1\"} 0");
	assert_has_line("kserve_policy_evaluation_seconds_bucket{le=\"+Inf\"} 1");
	assert_has_line("kserve_policy_evaluation_seconds_sum 2");
}

/* Every metric is declared, and every line is one of the format's. */
static void the_page_follows_the_format(void **state)
{
	static const char pattern[] =
	    "^(# HELP [a-z_:]+ [A-Z1][^\n]*[.]|# TYPE [a-z_:]+ (counter|gauge|histogram)|"
	    "[a-z_:]+(\\{[a-z]+=\"[^\"\n]*\"(,[a-z]+=\"[^\"\n]*\")*\\})? [0-9.e+-]+)$";
	auto_free char *text = NULL;
	size_t types = 0;
	regex_t regex;

	(void)state;
	for (enum metric m = 0; m < METRIC_COUNT; m++) {
		metrics_add(metrics, m, "", 1.5);
		metrics_add(metrics, m, "kind=\"Job\",result=\"a b\"", 1);
	}
	text = metrics_text(metrics);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n');

		assert_non_null(end); /* the last line has its newline too */
		*end = '\0';
		if (regexec(&regex, line, 0, NULL, 0) != 0)
			fail_msg("%s", line);
		types += has_prefix(line, "# TYPE ");
		line = end + 1;
	}
	regfree(&regex);
	assert_int_equal(types, METRIC_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nothing_measured_is_an_empty_page, setup, teardown),
	    cmocka_unit_test_setup_teardown(counters_add_up_by_label, setup, teardown),
	    cmocka_unit_test_setup_teardown(gauges_hold_the_last_value, setup, teardown),
	    cmocka_unit_test_setup_teardown(large_counts_are_exact, setup, teardown),
	    cmocka_unit_test_setup_teardown(buckets_hold_what_is_at_most_their_bound, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_page_follows_the_format, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
