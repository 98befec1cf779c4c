/* The policies for all: what is in force after each start, and what is told when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/unit/control/policyscene.h"

#include "control/policies.h"

#define LIST_OF(items) "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" items "]}"

/* What the API server has. */
struct server {
	struct scene s;
	struct policies *policies;
	const char *text;      /* contract.lua of the ConfigMap; NULL: there is none */
	const char *last_good; /* of its last good one; NULL: none */
	const char *edit;      /* comes by the first watch; NULL: nothing */
	bool deleted;          /* so does this */
	enum fake_how how;     /* of the answer about the last good one */
	char *body;            /* of the answer under way */
	struct buf status, saved;
	int settled, changed;
};

static char *event(const char *type, const char *text)
{
	auto_json struct json *map = scene_configmap("p", "6", text);
	auto_free char *object = json_print(map);

	return xasprintf("{\"type\":\"%s\",\"object\":%s}\n", type, object);
}

static char *list(const char *text)
{
	auto_json struct json *map = text != NULL ? scene_configmap("p", "5", text) : NULL;
	auto_free char *object = map != NULL ? json_print(map) : xstrdup("");

	return xasprintf(LIST_OF("%s"), object);
}

static char *last_good(const char *text)
{
	auto_json struct json *map =
	    json_build("{'metadata': {'name': 'p-last-good', 'resourceVersion': '3', 'labels':"
		       " {'app.kubernetes.io/managed-by': 'kserve-controller'},"
		       " 'ownerReferences': [{'uid': 'p'}]}, 'data': {'contract.lua': %s}}",
		       text);

	return json_print(map);
}

static void answer(void *arg, const struct fake_request *request, struct fake_answer *out)
{
	struct server *server = arg;
	const char *text = request->text;

	free(server->body);
	server->body = NULL;
	out->how = FAKE_REPLY;
	if (strstr(text, "watch=") != NULL) {
		out->how = FAKE_HOLD;
		server->body = server->edit != NULL ? event("MODIFIED", server->edit)
			       : server->deleted    ? event("DELETED", server->text)
						    : xstrdup("");
	} else if (strstr(text, "fieldSelector") != NULL) {
		server->body = list(server->text);
	} else if (has_prefix(text, "PATCH")) {
		buf_adds(&server->status, strchr(text, '{'));
		server->body = xstrdup("{}");
	} else if (has_prefix(text, "GET")) {
		out->how = server->how;
		out->status = server->last_good != NULL ? 200 : 404;
		server->body =
		    server->last_good != NULL ? last_good(server->last_good) : xstrdup("{}");
	} else {
		buf_adds(&server->saved, strchr(text, '{'));
		server->body = xstrdup(strchr(text, '{'));
	}
	out->body = server->body;
}

static void on_settled(void *arg)
{
	((struct server *)arg)->settled++;
}

static void on_changed(void *arg)
{
	((struct server *)arg)->changed++;
}

static void on_trouble(void *arg, const struct err *err)
{
	scene_trouble(&((struct server *)arg)->s, err);
}

static void begin(struct server *server)
{
	server->status = server->saved = (struct buf)BUF_INIT(1 << 20);
	scene_set_up(&server->s, answer, server);
	server->policies = policies_new(server->s.fake->loop, &server->s.env,
					&(struct policies_spec){.namespace = "ns",
								.name = "p",
								.settled = on_settled,
								.changed = on_changed,
								.trouble = on_trouble,
								.arg = server});
}

static void end(struct server *server)
{
	policies_free(server->policies);
	scene_tear_down(&server->s);
	buf_done(&server->status);
	buf_done(&server->saved);
	free(server->body);
}

/* The team of the contract that is made now. */
static void on_contract(void *arg, const struct json *reply, const struct err *err)
{
	char **team = arg;

	assert_null(err);
	*team = xstrdup(json_get_str(json_at(reply, "results", "contract", "ok"), "team", "none"));
}

static void assert_in_force(struct server *server, const char *team)
{
	auto_json struct json *question =
	    json_build("{'hooks': ['contract'], 'run': {'metadata': {}, 'spec': {}},"
		       " 'config': {'spec': {}}, 'job': {'id': 'i', 'name': 'n'}}");
	auto_free char *found = NULL;

	policy_eval(server->s.host, "", question, on_contract, &found);
	while (found == NULL)
		fake_run_for(server->s.fake, 10);
	assert_string_equal(found, team);
}

static void until_settled(struct server *server)
{
	for (int i = 0; i < 1500 && server->settled == 0; i++)
		fake_run_for(server->s.fake, 20);
	assert_int_equal(server->settled, 1);
}

/* ---- the start ---- */

static void each_start_puts_something_in_force(void **state UNUSED)
{
	static const struct {
		const char *text, *last_good, *in_force, *status, *trouble;
	} rows[] = {
	    {NULL, NULL, "none", "", ""},
	    {NULL, GOOD("old"), "none", "", ""},
	    {GOOD("a"), NULL, "a", "active", ""},
	    {GOOD("a"), GOOD("old"), "a", "active", ""},
	    {BROKEN, NULL, "none", "built-in", ""},
	    {BROKEN, GOOD("old"), "old", "last-good", ""},
	    {BROKEN, BROKEN, "none", "built-in", "the last good policies are refused too"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server server = {.text = rows[i].text, .last_good = rows[i].last_good};

		begin(&server);
		until_settled(&server);
		assert_in_force(&server, rows[i].in_force);
		scene_until(&server.s, &server.status, rows[i].status);
		assert_non_null(strstr(server.s.told.data, rows[i].trouble));
		end(&server);
	}
}

static void a_good_edit_while_the_last_good_one_is_asked_for(void **state UNUSED)
{
	struct server server = {.text = BROKEN, .edit = GOOD("new"), .how = FAKE_SILENT};

	begin(&server);
	scene_until(&server.s, &server.s.told, "in force");
	until_settled(&server);
	assert_in_force(&server, "new");
	end(&server);
}

static void deletion_puts_the_built_in_ones_in_force(void **state UNUSED)
{
	struct server server = {.text = GOOD("a"), .deleted = true};

	begin(&server);
	scene_until(&server.s, &server.s.told, "in force\np in force\n");
	assert_in_force(&server, "none");
	assert_int_equal(server.settled, 1);
	end(&server);
}

/* A process that does not lead changes nothing; when it leads, it makes up for it. */
static void who_does_not_lead_writes_nothing(void **state UNUSED)
{
	struct server server = {.text = GOOD("a")};

	begin(&server);
	server.s.may_write = false;
	until_settled(&server);
	assert_in_force(&server, "a");
	assert_int_equal(server.status.len + server.saved.len, 0);
	server.s.may_write = true;
	policies_lead(server.policies);
	scene_until(&server.s, &server.status, "active");
	scene_until(&server.s, &server.saved, "p-last-good");
	end(&server);
}

static void it_may_be_freed_at_any_time(void **state UNUSED)
{
	for (int turns = 0; turns < 12; turns++) {
		struct server server = {.text = BROKEN, .last_good = GOOD("old")};

		begin(&server);
		fake_run_for(server.s.fake, turns * 2);
		end(&server);
	}
}

static int tests(void)
{
	const struct CMUnitTest list_of_tests[] = {
	    cmocka_unit_test(each_start_puts_something_in_force),
	    cmocka_unit_test(a_good_edit_while_the_last_good_one_is_asked_for),
	    cmocka_unit_test(deletion_puts_the_built_in_ones_in_force),
	    cmocka_unit_test(who_does_not_lead_writes_nothing),
	    cmocka_unit_test(it_may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(list_of_tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	return scene_main(argc, argv, tests);
}
