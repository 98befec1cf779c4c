#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/unit/control/policyscene.h"

#include "control/names.h"

/* The API server keeps annotations: the last PATCH is what the next offer shows. */
struct server {
	struct scene s;
	struct policymap *map;
	struct buf annotation; /* as patched, each on a line */
	int loads;
	int status; /* of the answers; 0: 200 */
};

static void answer(void *arg, const struct fake_request *request, struct fake_answer *out)
{
	struct server *server = arg;
	const char *body = strchr(request->text, '{');
	struct err err = ERR_INIT;
	auto_json struct json *patch = json_parse(body, strlen(body), &err);
	const struct json *annotations = json_at(patch, "metadata", "annotations");

	assert_memory_equal(request->text, "PATCH /api/v1/namespaces/ns/configmaps/p ", 41);
	buf_addf(&server->annotation, "%s %s\n", json_key(json_first(annotations)),
		 json_str(json_first(annotations)));
	*out = (struct fake_answer){.status = server->status, .body = "{}"};
}

static void on_loaded(void *arg, struct policymap *map, const struct err *err UNUSED)
{
	((struct server *)arg)->loads++;
	policymap_tell(map, "edit");
}

static void set_up(struct server *server)
{
	*server = (struct server){.annotation = BUF_INIT(1 << 20)};
	scene_set_up(&server->s, answer, server);
	server->map = policymap_new(&server->s.env, &(struct policymap_spec){.namespace = "ns",
									     .name = "p",
									     .bundle = "x",
									     .taken = "taken",
									     .loaded = on_loaded,
									     .arg = server});
}

static void tear_down(struct server *server)
{
	policymap_free(server->map);
	scene_tear_down(&server->s);
	buf_done(&server->annotation);
}

/* annotation: what the ConfigMap says already; NULL: nothing. */
static void offer(struct server *server, const char *text, const char *annotation)
{
	auto_json struct json *map = scene_configmap("p", "1", text);

	if (annotation != NULL) {
		json_set(json_mut(map, "metadata"), "annotations", json_object());
		json_set_str(json_mut(json_mut(map, "metadata"), "annotations"),
			     ANNOTATION_POLICY_STATUS, annotation);
	}
	policymap_offer(server->map, map);
}

/* What was annotated last, without its time. */
static struct json *last_status(const struct server *server)
{
	const char *line = server->annotation.data;
	struct err err = ERR_INIT;
	struct json *status;

	for (const char *p = line; (p = strstr(p, "{")) != NULL; p++)
		if (p > line && p[-1] == ' ')
			line = p;
	status = json_parse(line, strcspn(line, "\n"), &err);
	assert_non_null(json_get_str(status, "time", NULL));
	json_remove(status, "time");
	return status;
}

static void assert_status(const struct server *server, const char *expected)
{
	auto_json struct json *status = last_status(server), *wanted = json_build(expected);
	auto_free char *text = json_print(status);

	for (const struct json *w = json_first(wanted); w != NULL; w = json_next(w))
		if (!json_equal(w, json_get(status, json_key(w))))
			fail_msg("expected %s in %s", expected, text);
}

/* For half a minute at most. */
static void run_until_loads(struct server *server, int loads)
{
	for (int i = 0; i < 6000 && server->loads < loads; i++)
		fake_run_for(server->s.fake, 5);
	assert_true(server->loads >= loads);
}

/* ---- tests ---- */

/* What lost its worker was not judged; what was judged is not tried again. */
static void what_was_not_judged_is_tried_again(void **state UNUSED)
{
	const char *real = scene_program;
	char program[4096] = "/bin/false";
	struct server server;

	scene_program = program;
	set_up(&server);
	scene_program = real;
	offer(&server, GOOD("a"), NULL);
	run_until_loads(&server, 3);
	scene_until(&server.s, &server.annotation, "refused");
	assert_status(&server, "{'state': 'refused', 'kept': 'edit',"
			       " 'error': 'the policy worker ended with status 1'}");
	assert_int_equal(scene_count(&server.s.told, "Warning PolicyRefused"), 1);
	snprintf(program, sizeof(program), "%s", real);
	scene_until(&server.s, &server.annotation, "\"state\":\"active\"");
	server.loads = 0;
	offer(&server, BROKEN, NULL);
	run_until_loads(&server, 1);
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.loads, 1);
	tear_down(&server);
}

static void a_broken_bundle_is_refused(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	offer(&server, BROKEN, NULL);
	scene_until(&server.s, &server.annotation, "refused");
	assert_status(&server, "{'state': 'refused', 'active': '', 'kept': 'edit'}");
	assert_non_null(strstr(policymap_error(server.map), "contract.lua:1:"));
	assert_null(policymap_files(server.map));
	assert_non_null(strstr(server.s.told.data, "Warning PolicyRefused p: contract.lua:1:"));
	assert_non_null(strstr(server.s.told.data, "nothing is in force"));

	offer(&server, GOOD("a"), NULL);
	scene_until(&server.s, &server.annotation, "\"state\":\"active\"");
	assert_status(&server, "{'state': 'active'}");
	assert_null(policymap_error(server.map));
	assert_non_null(policymap_files(server.map));
	assert_non_null(strstr(server.s.told.data, "Normal PolicyActive p: sha256:"));
	tear_down(&server);
}

static void binary_data_is_refused_by_name(void **state UNUSED)
{
	auto_json struct json *map = scene_configmap("p", "1", GOOD("a"));
	struct server server;

	set_up(&server);
	json_set(map, "binaryData", json_build("{'status.lua': '6Q=='}"));
	policymap_offer(server.map, map);
	scene_until(&server.s, &server.annotation, "status.lua: ");
	tear_down(&server);
}

static void what_is_told_already_is_not_told_again(void **state UNUSED)
{
	struct server server;
	auto_free char *status = NULL;
	auto_json struct json *object = NULL;

	set_up(&server);
	offer(&server, GOOD("a"), NULL);
	scene_until(&server.s, &server.annotation, "active");
	object = last_status(&server);
	json_set_str(object, "time", "2026-11-24T10:00:00Z"); /* any */
	status = json_print(object);
	for (int i = 0; i < 5; i++)
		offer(&server, GOOD("a"), status);
	policymap_tell(server.map, "edit");
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.s.fake->requests, 1);
	assert_int_equal(server.loads, 1);

	/* Taken away, or nonsense: put back, without another Event. */
	offer(&server, GOOD("a"), NULL);
	scene_until(&server.s, &server.s.fake->log, "\nPATCH");
	for (int i = 0; i < 1500 && server.s.fake->requests < 3; i++) {
		offer(&server, GOOD("a"), "no JSON"); /* in vain until the last write is answered */
		fake_run_for(server.s.fake, 20);
	}
	assert_int_equal(server.s.fake->requests, 3);
	assert_int_equal(server.loads, 1);
	assert_int_equal(scene_count(&server.s.told, "PolicyActive"), 1);
	tear_down(&server);
}

static void who_may_not_write_tells_later(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	server.s.may_write = false;
	offer(&server, GOOD("a"), NULL);
	scene_until(&server.s, &server.s.told, "p taken");
	policymap_annotate(server.map, "other", "text");
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.s.fake->requests, 0);
	assert_int_equal(scene_count(&server.s.told, "PolicyActive"), 0);
	server.s.may_write = true;
	policymap_tell(server.map, "edit");
	policymap_annotate(server.map, "other", "text");
	scene_until(&server.s, &server.annotation, "active");
	scene_until(&server.s, &server.annotation, "other text\n");
	assert_int_equal(scene_count(&server.s.told, "PolicyActive"), 1);
	tear_down(&server);
}

/* Only the last of those that come while one is being loaded is loaded too. */
static void edits_in_a_row(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	offer(&server, GOOD("a"), NULL);
	offer(&server, BROKEN, NULL);
	offer(&server, GOOD("b"), NULL);
	offer(&server, GOOD("c"), NULL);
	run_until_loads(&server, 2);
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.loads, 2);
	assert_string_equal(json_get_str(policymap_files(server.map), "contract.lua", ""),
			    GOOD("c"));
	offer(&server, GOOD("d"), NULL);
	offer(&server, GOOD("e"), NULL);
	offer(&server, GOOD("d"), NULL); /* what is being loaded: nothing is to be done after it */
	run_until_loads(&server, 3);
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.loads, 3);
	tear_down(&server);
}

static void a_deleted_one_is_a_bundle_without_files(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	offer(&server, GOOD("a"), NULL);
	scene_until(&server.s, &server.annotation, "active");
	policymap_gone(server.map);
	run_until_loads(&server, 2);
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.s.fake->requests, 1);
	assert_int_equal(json_len(policymap_files(server.map)), 0);
	assert_int_equal(scene_count(&server.s.told, "PolicyActive"), 2);
	tear_down(&server);
}

static void one_too_many_is_refused_until_there_is_a_place(void **state UNUSED)
{
	auto_json struct json *map = scene_configmap("p", "1", GOOD("a"));
	struct err err = ERR_INIT;
	struct server server;

	set_up(&server);
	err_set(&err, ERR_LIMIT, "too many");
	policymap_refuse(server.map, map, &err);
	policymap_refuse(server.map, map, &err);
	assert_int_equal(server.loads, 1);
	scene_until(&server.s, &server.annotation, "too many");
	policymap_offer(server.map, map);
	scene_until(&server.s, &server.annotation, "\"state\":\"active\"");
	assert_int_equal(server.loads, 2);
	tear_down(&server);
}

static void a_write_that_fails_is_told(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	server.status = 403;
	offer(&server, GOOD("a"), NULL);
	scene_until(&server.s, &server.s.told, "trouble ");
	server.status = 404; /* gone meanwhile: nobody needs to know */
	policymap_annotate(server.map, "other", "text");
	scene_until(&server.s, &server.annotation, "other");
	fake_run_for(server.s.fake, 50);
	assert_int_equal(scene_count(&server.s.told, "trouble"), 1);
	tear_down(&server);
}

static void it_may_be_freed_at_any_time(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	offer(&server, GOOD("a"), NULL);
	offer(&server, GOOD("b"), NULL);
	fake_run_for(server.s.fake, 0);
	policymap_free(server.map);
	server.map = NULL;
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.loads, 0);
	assert_false(policy_has(server.s.host, "x"));
	tear_down(&server);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test(what_was_not_judged_is_tried_again),
	    cmocka_unit_test(a_broken_bundle_is_refused),
	    cmocka_unit_test(binary_data_is_refused_by_name),
	    cmocka_unit_test(what_is_told_already_is_not_told_again),
	    cmocka_unit_test(who_may_not_write_tells_later),
	    cmocka_unit_test(edits_in_a_row),
	    cmocka_unit_test(a_deleted_one_is_a_bundle_without_files),
	    cmocka_unit_test(one_too_many_is_refused_until_there_is_a_place),
	    cmocka_unit_test(a_write_that_fails_is_told),
	    cmocka_unit_test(it_may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return scene_main(argc, argv, tests);
}
