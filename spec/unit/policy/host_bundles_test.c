/* Bundles that have names: what lies over what, and how many there may be. */
#include "host_scene.h"

#include "policy/shelf.h"

static void bundles_have_names(void **state)
{
	struct scene *s = *state;

	assert_false(policy_has(s->host, "a"));
	assert_null(policy_digest(s->host, "a"));
	eval_named(s, "a", "[\"contract\"]");
	assert_int_equal(s->err.kind, ERR_NOT_FOUND);
	assert_string_equal(s->err.msg, "there is no policy bundle a");

	load(s, "contract.lua", CONTRACT("all"));
	load_named(s, "a", false, "contract.lua", CONTRACT("a"));
	load_named(s, "b", false, "job.lua", "return {shape = function(m) return m end}");
	assert_true(policy_has(s->host, "a"));
	assert_true(policy_shapes(s->host, "b"));
	assert_false(policy_shapes(s->host, "a"));
	assert_from(s, "a", "a");
	assert_from(s, "", "all");
	assert_from(s, "b", "?"); /* the default one */
	load_named(s, "a", false, "contract.lua", "return {");
	assert_from(s, "a", "a");
	load_named(s, "a", false, "contract.lua", CONTRACT("a2"));
	assert_from(s, "a", "a2");

	policy_forget(s->host, "a");
	policy_forget(s->host, "a");
	policy_forget(s->host, "");
	assert_false(policy_has(s->host, "a"));
	eval_named(s, "a", "[\"contract\"]");
	assert_int_equal(s->err.kind, ERR_NOT_FOUND);
	assert_from(s, "", "all");
	load_named(s, "a", false, "contract.lua", CONTRACT("a3"));
	assert_from(s, "a", "a3");
}

static void a_bundle_laid_over_follows_the_one_in_force(void **state)
{
	struct scene *s = *state;
	auto_free char *before = NULL;

	load_named(s, "over", true, "status.lua",
		   "local phase = require 'phase' return {status = function() return phase end}");
	assert_int_equal(s->err.kind, ERR_INVALID); /* no such module yet */
	load_named(s, "over", true, "parameters.lua", "return {validate = function() end}");
	before = xstrdup(policy_digest(s->host, "over"));
	assert_from(s, "over", "?");
	load(s, "contract.lua", CONTRACT("all"));
	assert_from(s, "over", "all");
	assert_string_not_equal(policy_digest(s->host, "over"), before);
	load(s, "job.lua", "return {shape = function(m) return m end}");
	assert_true(policy_shapes(s->host, "over"));
	assert_from(s, "over", "?");
	/* A new worker gets both. */
	set_role("");
	load(s, "contract.lua", CONTRACT("again"));
	load_named(s, "over", true, "status.lua",
		   "return {status = function() string.find(('a'):rep(30000), ('.-'):rep(6) .. "
		   "'b') end}");
	eval_named(s, "over", "[\"status\"]");
	assert_error(s, "status", "limit", "status.lua:1: ");
	assert_from(s, "over", "again");
}

static void the_number_of_named_bundles_is_limited(void **state)
{
	struct scene *s = *state;
	char name[SHELF_NAME_MAX + 2];

	for (int i = 0; i < SHELF_NAMED_MAX; i++) {
		snprintf(name, sizeof(name), "bundle-%d", i);
		load_named(s, name, true, "contract.lua", CONTRACT("x"));
		assert_int_equal(s->err.kind, ERR_NONE);
	}
	load_named(s, "one-more", true, "contract.lua", CONTRACT("x"));
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_string_equal(s->err.msg,
			    "no room for the policy bundle one-more: 256 named ones are "
			    "loaded, which is the limit");
	load_named(s, name, true, "contract.lua", CONTRACT("y"));
	assert_from(s, name, "y");
	policy_forget(s->host, name);

	memset(name, 'n', sizeof(name) - 1);
	name[SHELF_NAME_MAX + 1] = '\0';
	load_named(s, name, true, "contract.lua", CONTRACT("x"));
	assert_int_equal(s->err.kind, ERR_LIMIT);
	name[SHELF_NAME_MAX] = '\0';
	load_named(s, name, true, "contract.lua", CONTRACT("x"));
	assert_from(s, name, "x");
}

static void the_size_of_all_named_bundles_is_limited(void **state)
{
	auto_free char *text = xcalloc(1, POLICY_BUNDLE_MAX + 1);
	auto_json struct json *files = NULL;
	struct shelf *shelf = shelf_new();
	struct err err = ERR_INIT;
	struct bundle *bundle;

	(void)state;
	memset(text, ' ', POLICY_BUNDLE_MAX);
	files = json_build("{'contract.lua': %s}", text);
	for (int i = 0; i < SHELF_BYTES_MAX / POLICY_BUNDLE_MAX; i++) {
		auto_free char *name = xasprintf("b%d", i);

		bundle = shelf_make(shelf, true, files, &err);
		assert_int_equal(shelf_room(shelf, name, bundle, &err), 0);
		shelf_put(shelf, name, true, bundle);
	}
	bundle = bundle_of("x");
	assert_int_equal(shelf_room(shelf, "more", bundle, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(shelf_room(shelf, "b0", bundle, &err), 0); /* in place of a larger one */
	shelf_forget(shelf, "b1");
	assert_int_equal(shelf_room(shelf, "more", bundle, &err), 0);
	bundle_free(bundle);
	shelf_free(shelf);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    host_test(bundles_have_names),
	    host_test(a_bundle_laid_over_follows_the_one_in_force),
	    host_test(the_number_of_named_bundles_is_limited),
	    cmocka_unit_test(the_size_of_all_named_bundles_is_limited),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return host_main(argc, argv, tests);
}
