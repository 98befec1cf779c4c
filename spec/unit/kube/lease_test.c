#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "kube/lease.h"
#include "spec/unit/kube/fakeapi.h"

/* patient: nothing is lost on a slow machine; hasty: the loss itself is awaited. */
static const struct lease_timing patient = {
    .duration_ms = 20000, .deadline_ms = 16000, .retry_ms = 20, .poll_ms = 10};
static const struct lease_timing hasty = {
    .duration_ms = 1000, .deadline_ms = 300, .retry_ms = 20, .poll_ms = 10};

/* One Lease with its rules, the faults of a test, and what the candidates report. */
struct world {
	struct fake *fake;
	struct json *lease; /* NULL: there is none */
	int version;
	bool alive;           /* the other holder renews whenever somebody looks */
	const char *fault_at; /* applied to requests that contain this; NULL: none */
	struct fake_answer fault;
	bool fault_commits; /* the request takes effect before */
	int fault_times;
	struct buf log; /* "started lost waiting:HOLDER trouble:KIND released " */
	const char *stop_at;
	const char *free_at;
	struct lease *subject;
	char *reply;
};

static void put_lease(struct world *w, struct json *lease_taken)
{
	char version[16];

	json_free(w->lease);
	w->lease = lease_taken;
	snprintf(version, sizeof(version), "%d", ++w->version);
	json_set_str(json_obj(w->lease, "metadata"), "resourceVersion", version);
}

/* Another record each time, for the renewTime of a strange clock counts up. */
static struct json *rival(const struct world *w)
{
	return json_build("{'metadata': {'labels': {'kept': 'x'}}, 'spec': {'holderIdentity': "
			  "'rival', 'leaseDurationSeconds': 1, 'leaseTransitions': 4,"
			  " 'renewTime': '2001-01-01T00:00:00.000000Z', 'n': %d}}",
			  (int64_t)w->version);
}

static int commit(struct world *w, const char *text)
{
	struct err err = ERR_INIT;
	const char *start = strchr(text, '{');
	auto_json struct json *body = start != NULL ? json_parse(start, strlen(start), &err) : NULL;
	const char *version = json_get_str(json_get(body, "metadata"), "resourceVersion", "");
	const char *current = json_get_str(json_get(w->lease, "metadata"), "resourceVersion", "");

	if (has_prefix(text, "POST") && w->lease != NULL)
		return 409;
	if (!has_prefix(text, "POST") && w->lease == NULL)
		return 404;
	if (has_prefix(text, "PUT") && !streq(version, current))
		return 409;
	if (body != NULL)
		put_lease(w, steal(body));
	else if (w->alive)
		put_lease(w, rival(w));
	return 200;
}

static void answer(void *arg, const struct fake_request *request, struct fake_answer *answer)
{
	struct world *w = arg;
	bool faulty =
	    w->fault_at != NULL && w->fault_times > 0 && strstr(request->text, w->fault_at) != NULL;

	if (!faulty || w->fault_commits)
		answer->status = commit(w, request->text);
	answer->how = FAKE_REPLY;
	free(w->reply);
	w->reply = w->lease != NULL ? json_print(w->lease) : xstrdup("");
	answer->body = answer->status == 200 ? w->reply : NULL;
	if (faulty) {
		w->fault_times--;
		*answer = w->fault;
	}
}

/* ---- reports ---- */

static void note(struct world *w, const char *what, const char *detail)
{
	buf_addf(&w->log, "%s%s ", what, detail);
	if (w->free_at != NULL && streq(w->free_at, what)) {
		lease_free(steal(w->subject));
		loop_stop(w->fake->loop);
	}
	if (w->stop_at != NULL && streq(w->stop_at, what))
		loop_stop(w->fake->loop);
}

static void on_started(void *arg)
{
	note(arg, "started", "");
}

static void on_lost(void *arg)
{
	note(arg, "lost", "");
}

static void on_released(void *arg)
{
	note(arg, "released", "");
}

static void on_waiting(void *arg, const char *holder)
{
	note(arg, "waiting:", holder);
}

static void on_trouble(void *arg, const struct err *err)
{
	note(arg, "trouble:", err_kind_name(err->kind));
}

static struct world world_new(void)
{
	return (struct world){.fake = fake_new(NULL, 0), .log = BUF_INIT(1 << 20)};
}

static void world_done(struct world *w)
{
	lease_free(w->subject);
	json_free(w->lease);
	buf_done(&w->log);
	free(w->reply);
	fake_free(w->fake);
}

static struct lease *join(struct world *w, const char *identity, const struct lease_timing *timing)
{
	w->fake->fn = answer;
	w->fake->arg = w;
	return lease_start(w->fake->loop, w->fake->client,
			   &(struct lease_spec){.namespace = "ns",
						.name = "ctl",
						.identity = identity,
						.started = on_started,
						.lost = on_lost,
						.waiting = on_waiting,
						.trouble = on_trouble,
						.arg = w,
						.timing = timing});
}

static void run_until(struct world *w, const char *what)
{
	w->stop_at = what;
	fake_run(w->fake);
	w->stop_at = NULL;
}

/* Until so many records have been written, for half a minute at most. */
static void run_until_version(struct world *w, int version)
{
	for (int i = 0; i < 1500 && w->version < version; i++)
		fake_run_for(w->fake, 20);
	assert_true(w->version >= version);
}

/* "me" becomes the leader. */
static void lead(struct world *w, const struct lease_timing *timing)
{
	w->subject = join(w, "me", timing);
	assert_false(lease_fresh(w->subject));
	run_until(w, "started");
	assert_true(lease_fresh(w->subject));
	buf_clear(&w->log);
}

static const char *field(const struct world *w, const char *name)
{
	return json_get_str(json_get(w->lease, "spec"), name, "absent");
}

static int64_t number(const struct world *w, const char *name)
{
	return json_get_int(json_get(w->lease, "spec"), name, -1);
}

static void fault(struct world *w, const char *at, struct fake_answer fault, bool commits,
		  int times)
{
	w->fault_at = at;
	w->fault = fault;
	w->fault_commits = commits;
	w->fault_times = times;
}

/* ---- losing it ---- */

static void a_leader_that_cannot_renew_stops_in_time(void **state)
{
	static const struct fake_answer faults[] = {
	    {.status = 500}, {.status = 403}, {.how = FAKE_CLOSE}, {.how = FAKE_SILENT}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct world w = world_new();
		size_t requests;

		lead(&w, &hasty);
		fault(&w, "leases", faults[i], false, 1000000);
		run_until(&w, "lost");
		assert_false(lease_fresh(w.subject));
		assert_non_null(strstr(w.log.data, "trouble:"));
		requests = w.fake->requests;
		fake_run_for(w.fake, 100);
		assert_int_equal(w.fake->requests, requests); /* it is over */
		assert_string_equal(w.log.data + w.log.len - 5, "lost ");
		world_done(&w);
	}
}

static void a_leader_yields_to_another_holder(void **state)
{
	struct world w = world_new();

	(void)state;
	lead(&w, &patient);
	put_lease(&w, rival(&w));
	run_until(&w, "lost");
	assert_string_equal(w.log.data, "lost ");
	assert_string_equal(field(&w, "holderIdentity"), "rival");
	world_done(&w);
}

/* A process that was stopped finds out by the clock, before any timer runs. */
static void a_stopped_leader_is_not_fresh(void **state)
{
	struct world w = world_new();

	(void)state;
	lead(&w, &hasty);
	usleep(400 * 1000);
	assert_string_equal(w.log.data, "");
	assert_false(lease_fresh(w.subject));
	world_done(&w);
}

static void a_deleted_lease_is_made_again(void **state)
{
	struct world w = world_new();

	(void)state;
	lead(&w, &patient);
	json_free(steal(w.lease));
	run_until(&w, "trouble:");
	run_until_version(&w, 2);
	assert_true(lease_fresh(w.subject));
	assert_string_equal(field(&w, "holderIdentity"), "me");
	world_done(&w);
}

/* ---- waiting for it ---- */

static void a_living_holder_is_left_alone(void **state)
{
	struct world w = world_new();

	(void)state;
	w.alive = true;
	put_lease(&w, rival(&w));
	w.subject = join(&w, "me", &patient);
	fake_run_for(w.fake, 1500);
	assert_string_equal(w.log.data, "waiting:rival ");
	assert_null(strstr(w.fake->log.data, "PUT"));
	assert_null(strstr(w.fake->log.data, "POST"));
	world_done(&w);
}

/* Its own duration is waited out on our clock, whatever its clock said. */
static void a_silent_holder_is_replaced(void **state)
{
	struct world w = world_new();
	int64_t began = time_mono_ms();

	(void)state;
	put_lease(&w, rival(&w));
	w.subject = join(&w, "me", &patient);
	run_until(&w, "started");
	assert_true(time_mono_ms() - began >= 1000);
	assert_string_equal(field(&w, "holderIdentity"), "me");
	assert_int_equal(number(&w, "leaseTransitions"), 5);
	assert_int_equal(number(&w, "leaseDurationSeconds"), 20);
	assert_string_equal(field(&w, "acquireTime"), field(&w, "renewTime"));
	assert_string_equal(json_str(json_at(w.lease, "metadata", "labels", "kept")), "x");
	world_done(&w);
}

/* Polls are what counts here: a retry would come after half a minute, the end of a poll at once. */
static void a_release_is_seen_at_the_next_poll(void **state)
{
	static const struct lease_timing polling = {
	    .duration_ms = 90000, .deadline_ms = 80000, .retry_ms = 70000, .poll_ms = 50};
	struct world w = world_new();

	(void)state;
	w.alive = true;
	put_lease(&w, rival(&w));
	w.subject = join(&w, "me", &polling);
	run_until(&w, "waiting:");
	w.alive = false;
	put_lease(&w, json_build("{'spec': {'holderIdentity': '', 'leaseDurationSeconds': 1}}"));
	run_until(&w, "started");
	assert_string_equal(w.log.data, "waiting:rival started ");
	world_done(&w);
}

/* The end of its duration is not waited for longer than it lasts, however rare the polls are. */
static void the_end_of_silence_is_awaited_exactly(void **state)
{
	static const struct lease_timing rare = {
	    .duration_ms = 90000, .deadline_ms = 80000, .retry_ms = 70000, .poll_ms = 60000};
	struct world w = world_new();

	(void)state;
	put_lease(&w, rival(&w));
	w.subject = join(&w, "me", &rare);
	run_until(&w, "started");
	assert_string_equal(w.log.data, "waiting:rival started ");
	world_done(&w);
}

static void a_failing_server_is_not_polled(void **state)
{
	static const struct lease_timing polling = {
	    .duration_ms = 90000, .deadline_ms = 80000, .retry_ms = 70000, .poll_ms = 5};
	struct world w = world_new();

	(void)state;
	fault(&w, "GET", (struct fake_answer){.status = 500}, false, 1000000);
	w.subject = join(&w, "me", &polling);
	run_until(&w, "trouble:");
	fake_run_for(w.fake, 200);
	assert_int_equal(w.fake->requests, 1);
	assert_string_equal(w.log.data, "trouble:Retry ");
	world_done(&w);
}

static void odd_records_are_free(void **state)
{
	static const char *const odd[] = {
	    "{}",
	    "{'spec': null}",
	    "{'spec': []}",
	    "{'spec': {}}",
	    "{'spec': {'holderIdentity': ''}}",
	    "{'spec': {'holderIdentity': null, 'leaseDurationSeconds': 9}}",
	    "{'spec': {'holderIdentity': 7, 'leaseTransitions': 'x'}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct world w = world_new();

		put_lease(&w, json_build(odd[i]));
		lead(&w, &patient);
		assert_int_equal(number(&w, "leaseTransitions"), 1);
		world_done(&w);
	}
}

static void odd_durations_are_ours(void **state)
{
	static const char *const odd[] = {
	    "{'spec': {'holderIdentity': 'x', 'leaseDurationSeconds': 0}}",
	    "{'spec': {'holderIdentity': 'x', 'leaseDurationSeconds': -5}}",
	    "{'spec': {'holderIdentity': 'x', 'leaseDurationSeconds': 9223372036854775807}}",
	    "{'spec': {'holderIdentity': 'x'}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct world w = world_new();

		put_lease(&w, json_build(odd[i]));
		w.subject = join(&w, "me", &patient);
		run_until(&w, "waiting:");
		fake_run_for(w.fake, 150);
		assert_string_equal(w.log.data, "waiting:x ");
		world_done(&w);
	}
}

static void rivals_and_lost_replies(void **state)
{
	static const struct {
		const char *at;
		struct fake_answer fault;
		bool commits;
		const char *log;
	} cases[] = {
	    {"GET", {.status = 500}, false, "trouble:Retry started "},
	    {"POST", {.status = 409}, false, "started "},
	    {"POST", {.how = FAKE_CUT, .body = "{"}, true, "trouble:Retry started "},
	    {"POST", {.status = 404}, false, "trouble:NotFound started "},
	    {"POST", {.status = 403}, false, "trouble:Denied started "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w = world_new();

		fault(&w, cases[i].at, cases[i].fault, cases[i].commits, 1);
		w.subject = join(&w, "me", &patient);
		run_until(&w, "started");
		assert_string_equal(w.log.data, cases[i].log);
		world_done(&w);
	}
}

static void one_of_two_leads(void **state)
{
	struct world w = world_new();
	struct lease *first, *second;

	(void)state;
	first = join(&w, "one", &patient);
	second = join(&w, "two", &patient);
	run_until(&w, "waiting:");
	for (int i = 0; i < 1500 && !lease_fresh(first) && !lease_fresh(second); i++)
		fake_run_for(w.fake, 20);
	fake_run_for(w.fake, 200);
	assert_int_equal(lease_fresh(first) + lease_fresh(second), 1);
	lease_release(lease_fresh(first) ? first : second, on_released, &w);
	run_until(&w, "started");
	assert_non_null(strstr(w.log.data, "released started "));
	assert_int_equal(lease_fresh(first) + lease_fresh(second), 1);
	assert_int_equal(number(&w, "leaseTransitions"), 1);
	lease_free(first);
	lease_free(second);
	world_done(&w);
}

/* ---- having it ---- */

static void a_new_lease_says_who_and_since_when(void **state)
{
	struct world w = world_new();
	int64_t ms;

	(void)state;
	lead(&w, &patient);
	assert_non_null(strstr(w.fake->log.data,
			       "GET /apis/coordination.k8s.io/v1/namespaces/ns/leases/ctl \n"
			       "POST /apis/coordination.k8s.io/v1/namespaces/ns/leases {"));
	assert_string_equal(field(&w, "holderIdentity"), "me");
	assert_int_equal(number(&w, "leaseDurationSeconds"), 20);
	assert_int_equal(number(&w, "leaseTransitions"), 0);
	assert_int_equal(strlen(field(&w, "renewTime")), strlen("2026-11-24T10:00:00.123000Z"));
	assert_true(time_parse(field(&w, "renewTime"), &ms));
	assert_string_equal(field(&w, "acquireTime"), field(&w, "renewTime"));
	world_done(&w);
}

static void renewals_are_single_guarded_writes(void **state)
{
	struct world w = world_new();
	auto_free char *acquired = NULL;
	const char *puts;

	(void)state;
	lead(&w, &patient);
	acquired = xstrdup(field(&w, "acquireTime"));
	buf_clear(&w.fake->log);
	run_until_version(&w, 3);
	puts = w.fake->log.data;
	assert_non_null(strstr(puts, "\"resourceVersion\":\"1\""));
	assert_non_null(strstr(puts, "\"resourceVersion\":\"2\""));
	assert_null(strstr(puts, "GET"));
	assert_string_equal(field(&w, "acquireTime"), acquired);
	assert_string_not_equal(field(&w, "renewTime"), acquired);
	assert_int_equal(number(&w, "leaseTransitions"), 0);
	assert_string_equal(w.log.data, "");
	world_done(&w);
}

static void a_failed_renewal_is_made_good(void **state)
{
	static const struct fake_answer faults[] = {
	    {.status = 500}, {.status = 409}, {.how = FAKE_CUT, .body = "{"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct world w = world_new();

		lead(&w, &patient);
		fault(&w, "PUT", faults[i], i % 2 == 0, 1);
		run_until_version(&w, 3);
		assert_int_equal(w.fault_times, 0);
		assert_true(lease_fresh(w.subject));
		assert_null(strstr(w.log.data, "lost"));
		world_done(&w);
	}
}

/* ---- giving it up ---- */

static void release(struct world *w)
{
	lease_release(w->subject, on_released, w);
	assert_false(lease_fresh(w->subject));
	run_until(w, "released");
}

static void a_release_frees_the_lease(void **state)
{
	struct world w = world_new();

	(void)state;
	lead(&w, &patient);
	release(&w);
	assert_string_equal(w.log.data, "released ");
	assert_string_equal(field(&w, "holderIdentity"), "");
	assert_int_equal(number(&w, "leaseDurationSeconds"), 1);
	world_done(&w);
}

static void a_release_waits_for_the_renewal_on_its_way(void **state)
{
	struct world w = world_new();
	size_t before;

	(void)state;
	lead(&w, &patient);
	before = w.fake->requests;
	while (w.fake->requests == before) /* until a PUT has arrived whose reply has not */
		fake_run_for(w.fake, 1);
	release(&w);
	assert_string_equal(field(&w, "holderIdentity"), "");
	world_done(&w);
}

static void a_release_that_fails_ends_all_the_same(void **state)
{
	static const struct fake_answer faults[] = {
	    {.status = 500}, {.status = 409}, {.how = FAKE_CLOSE}, {.how = FAKE_SILENT}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct world w = world_new();

		lead(&w, &hasty);
		fault(&w, "leases", faults[i], false, 1000000);
		release(&w);
		fake_run_for(w.fake, 50);
		assert_string_equal(w.log.data, "released ");
		world_done(&w);
	}
}

static void a_candidate_has_nothing_to_release(void **state)
{
	struct world w = world_new();

	(void)state;
	put_lease(&w, rival(&w));
	w.subject = join(&w, "me", &patient);
	run_until(&w, "waiting:");
	release(&w);
	assert_string_equal(field(&w, "holderIdentity"), "rival");
	world_done(&w);
}

static void any_callback_may_free_the_lease(void **state)
{
	static const char *const moments[] = {"started", "lost",
					      "waiting:", "trouble:", "released"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		struct world w = world_new();

		w.free_at = moments[i];
		if (streq(moments[i], "waiting:"))
			put_lease(&w, rival(&w));
		if (streq(moments[i], "trouble:"))
			fault(&w, "GET", (struct fake_answer){.status = 500}, false, 1);
		w.subject = join(&w, "me", &hasty);
		if (streq(moments[i], "lost") || streq(moments[i], "released"))
			run_until(&w, "started");
		if (streq(moments[i], "lost"))
			put_lease(&w, rival(&w));
		if (streq(moments[i], "released"))
			lease_release(w.subject, on_released, &w);
		fake_run(w.fake);
		fake_run_for(w.fake, 50);
		assert_null(w.subject);
		world_done(&w);
	}
}

static void identities_differ(void **state)
{
	auto_free char *a = lease_identity();
	auto_free char *b = lease_identity();

	(void)state;
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(strrchr(a, '_')), 37);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_leader_that_cannot_renew_stops_in_time),
	    cmocka_unit_test(a_leader_yields_to_another_holder),
	    cmocka_unit_test(a_stopped_leader_is_not_fresh),
	    cmocka_unit_test(a_deleted_lease_is_made_again),
	    cmocka_unit_test(a_living_holder_is_left_alone),
	    cmocka_unit_test(a_silent_holder_is_replaced),
	    cmocka_unit_test(a_release_is_seen_at_the_next_poll),
	    cmocka_unit_test(the_end_of_silence_is_awaited_exactly),
	    cmocka_unit_test(a_failing_server_is_not_polled),
	    cmocka_unit_test(odd_records_are_free),
	    cmocka_unit_test(odd_durations_are_ours),
	    cmocka_unit_test(rivals_and_lost_replies),
	    cmocka_unit_test(one_of_two_leads),
	    cmocka_unit_test(a_new_lease_says_who_and_since_when),
	    cmocka_unit_test(renewals_are_single_guarded_writes),
	    cmocka_unit_test(a_failed_renewal_is_made_good),
	    cmocka_unit_test(a_release_frees_the_lease),
	    cmocka_unit_test(a_release_waits_for_the_renewal_on_its_way),
	    cmocka_unit_test(a_release_that_fails_ends_all_the_same),
	    cmocka_unit_test(a_candidate_has_nothing_to_release),
	    cmocka_unit_test(any_callback_may_free_the_lease),
	    cmocka_unit_test(identities_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
