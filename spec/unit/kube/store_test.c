#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "kube/store.h"

/* What the reports say, as "-a/x +b/y ~c/z " in the order of the calls. */
struct heard {
	struct buf text;
	struct store *store;
	struct store_list *abort_at_first; /* or NULL */
	size_t calls;
};

static void hear(struct heard *heard, char what, const struct store_meta *meta)
{
	buf_addf(&heard->text, "%c%s:%s ", what, meta->key, meta->resource_version);
	if (heard->calls++ == 0 && heard->abort_at_first != NULL) {
		store_abort(heard->abort_at_first);
		store_free(steal(heard->store));
	}
}

static void hear_gone(void *arg, const struct store_meta *meta)
{
	struct heard *heard = arg;

	assert_ptr_equal(store_find(heard->store, meta->key), meta); /* just before the deletion */
	hear(heard, '-', meta);
}

static void hear_added(void *arg, const struct store_meta *meta)
{
	struct heard *heard = arg;

	assert_ptr_equal(store_find(heard->store, meta->key), meta);
	hear(heard, '+', meta);
}

static void hear_modified(void *arg, const struct store_meta *meta)
{
	hear(arg, '~', meta);
}

static void hear_any(void *arg, const struct store_meta *meta)
{
	hear(arg, '.', meta);
}

static struct heard heard_new(struct store *store)
{
	return (struct heard){.text = BUF_INIT(1 << 16), .store = store};
}

static struct store_changes report_to(struct heard *heard)
{
	return (struct store_changes){
	    .gone = hear_gone, .added = hear_added, .modified = hear_modified, .arg = heard};
}

/* "namespace/name" or "name", a version, and the uid of the controller owner (NULL: none). */
static struct json *object(const char *key, const char *version, const char *owner)
{
	const char *slash = strchr(key, '/');
	auto_free char *namespace = slash != NULL ? xstrndup(key, (size_t)(slash - key)) : NULL;
	auto_free char *uid = xasprintf("uid-of-%s", key);
	struct json *o = json_build("{'metadata': {'name': %s, 'uid': %s, 'resourceVersion': %s}}",
				    slash != NULL ? slash + 1 : key, uid, version);

	if (namespace != NULL)
		json_set_str(json_mut(o, "metadata"), "namespace", namespace);
	if (owner != NULL)
		json_set(json_mut(o, "metadata"), "ownerReferences",
			 json_build("[{'uid': 'other'}, {'uid': %s, 'controller': true}]", owner));
	return o;
}

static void put(struct store *store, const char *key, const char *version, const char *owner)
{
	auto_json struct json *o = object(key, version, owner);
	struct err err = ERR_INIT;

	assert_int_equal(store_put(store, o, &err), 0);
}

static void stage(struct store_list *list, const char *key, const char *version)
{
	auto_json struct json *o = object(key, version, NULL);
	struct err err = ERR_INIT;

	assert_int_equal(store_stage(list, o, &err), 0);
}

static const char *version_of(const struct store *store, const char *key)
{
	const struct store_meta *meta = store_find(store, key);

	return meta != NULL ? meta->resource_version : "absent";
}

/* ---- hostile objects ---- */

static void objects_without_a_usable_name_are_refused(void **state)
{
	static const char *const bad[] = {
	    "null",
	    "17",
	    "'text'",
	    "[]",
	    "{}",
	    "{'metadata': null}",
	    "{'metadata': []}",
	    "{'metadata': {'namespace': 'a'}}",
	    "{'metadata': {'name': ''}}",
	    "{'metadata': {'name': 7}}",
	    "{'metadata': {'name': 'a/b'}}", /* not b in the namespace a */
	    "{'metadata': {'namespace': 'a/b', 'name': 'c'}}",
	};
	struct store *store = store_new(NULL);
	struct store_list *list = store_begin(store, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_json struct json *o = json_build(bad[i]);
		struct err err = ERR_INIT;

		assert_int_equal(store_put(store, o, &err), -1);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.msg, "metadata.name"));
		assert_int_equal(store_stage(list, o, &err), -1);
		assert_null(store_key(o));
	}
	assert_int_equal(store_len(store), 0);
	store_abort(list);
	store_free(store);
}

static void odd_metadata_is_kept_as_absent(void **state)
{
	static const char *const odd[] = {
	    "{'metadata': {'name': 'a'}}",
	    "{'metadata': {'name': 'a', 'uid': 7, 'resourceVersion': 12}}",
	    "{'metadata': {'name': 'a', 'ownerReferences': {'uid': 'x', 'controller': true}}}",
	    "{'metadata': {'name': 'a', 'ownerReferences': [7, {'controller': true}]}}",
	    "{'metadata': {'name': 'a', 'ownerReferences': [{'uid': 'x', 'controller': 'true'}]}}",
	    "{'metadata': {'name': 'a', 'annotations': [], 'managedFields': 7}}",
	};
	struct store *store = store_new(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		auto_json struct json *o = json_build(odd[i]);
		struct err err = ERR_INIT;

		assert_int_equal(store_put(store, o, &err), 0);
		assert_string_equal(store_find(store, "a")->uid, "");
		assert_string_equal(store_find(store, "a")->resource_version, "");
		assert_int_equal(store_len(store), 1);
	}
	store_free(store);
}

/* ---- what is kept ---- */

static void drop_status(struct json *o)
{
	json_remove(o, "status");
}

static void ballast_is_cut_off(void **state)
{
	static const char *const cases[][2] = {
	    {"{'metadata': {'name': 'a', 'managedFields': [{'a': 1}]}, 'spec': {'n': 1e400}}",
	     "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"n\":1e400}}"},
	    {"{'metadata': {'name': 'a', 'annotations': {'kubectl.kubernetes.io/"
	     "last-applied-configuration': '{}', 'kept': 'x'}}}",
	     "{\"metadata\":{\"annotations\":{\"kept\":\"x\"},\"name\":\"a\"}}"},
	    {"{'metadata': {'name': 'a', 'annotations': {'kubectl.kubernetes.io/"
	     "last-applied-configuration': '{}'}}, 'status': {'big': true}}",
	     "{\"metadata\":{\"name\":\"a\"}}"},
	};
	struct store *store = store_new(drop_status);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *o = json_build(cases[i][0]);
		auto_json struct json *kept = NULL;
		auto_free char *text = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(store_put(store, o, &err), 0);
		assert_true(json_equal(o, kept = store_get(store, "a")));
		text = json_print(kept);
		assert_string_equal(text, cases[i][1]);
	}
	store_free(store);
}

/* What is stored once only comes back, and what is odd stays as it was. */
static void an_object_comes_back_as_it_was(void **state)
{
	static const char *const rows[] = {
	    "{'metadata': {'name': 'a'}}",
	    "{'metadata': {'namespace': 'n', 'name': 'a', 'uid': 'u', 'resourceVersion': '5'}, "
	    "'x': 1}",
	    "{'metadata': {'name': 'a', 'uid': 7, 'resourceVersion': null, 'namespace': []}}",
	    "{'metadata': {'name': 'a', 'uid': 'u', 'ownerReferences': [{'uid': 'u', 'name': "
	    "'a'}]}}",
	};
	struct store *store = store_new(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *o = json_build(rows[i]);
		auto_json struct json *before = json_copy(o);
		auto_json struct json *stored = NULL;
		auto_free char *key = store_key(o);
		struct err err = ERR_INIT;

		assert_int_equal(store_put(store, o, &err), 0);
		assert_true(json_equal(o, before));
		assert_true(json_equal(stored = store_get(store, key), before));
	}
	store_free(store);
}

static void put_get_delete(void **state)
{
	struct store *store = store_new(NULL);

	(void)state;
	assert_null(store_get(store, "a/x"));
	assert_null(store_find(store, "a/x"));
	store_delete(store, "a/x");
	put(store, "a/x", "5", NULL);
	put(store, "x", "6", "owner");
	assert_int_equal(store_len(store), 2);
	assert_string_equal(store_find(store, "a/x")->uid, "uid-of-a/x");
	assert_string_equal(store_find(store, "a/x")->owner_uid, "");
	assert_string_equal(store_find(store, "x")->owner_uid, "owner");
	put(store, "a/x", "4", NULL); /* versions have no order */
	assert_string_equal(version_of(store, "a/x"), "4");
	assert_int_equal(store_len(store), 2);
	store_delete(store, "a/x");
	store_delete(store, "x");
	assert_int_equal(store_len(store), 0);
	store_free(store);
	store_free(NULL);
}

static size_t count_owned(const struct store *store, const char *owner)
{
	struct heard heard = heard_new(NULL);

	store_each_owned(store, owner, hear_any, &heard);
	buf_done(&heard.text);
	return heard.calls;
}

/* Every order of removal of three siblings: first, middle and last of the chain. */
static void the_owner_index_survives_every_removal(void **state)
{
	static const char *const orders[][3] = {{"a", "b", "c"}, {"a", "c", "b"}, {"b", "a", "c"},
						{"b", "c", "a"}, {"c", "a", "b"}, {"c", "b", "a"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct store *store = store_new(NULL);

		put(store, "a", "1", "u");
		put(store, "b", "1", "u");
		put(store, "c", "1", "u");
		put(store, "d", "1", "v");
		put(store, "b", "2", "u");
		assert_int_equal(count_owned(store, "u"), 3);
		store_delete(store, orders[i][0]);
		assert_int_equal(count_owned(store, "u"), 2);
		put(store, orders[i][1], "3", "v"); /* an owner may change */
		assert_int_equal(count_owned(store, "u"), 1);
		assert_int_equal(count_owned(store, "v"), 2);
		put(store, orders[i][2], "3", NULL);
		assert_int_equal(count_owned(store, "u"), 0);
		assert_int_equal(count_owned(store, ""), 0);
		store_free(store);
	}
}

static void an_owner_of_many_has_all(void **state)
{
	struct store *store = store_new(NULL);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char key[24];

		snprintf(key, sizeof(key), "ns/n%d", i);
		put(store, key, "1", "u");
	}
	assert_int_equal(count_owned(store, "u"), 1000);
	store_free(store);
}

/* ---- lists ---- */

static struct store *three(void)
{
	struct store *store = store_new(NULL);

	put(store, "a/x", "1", NULL);
	put(store, "a/y", "1", NULL);
	put(store, "b/x", "1", NULL);
	return store;
}

static void an_aborted_list_changes_nothing(void **state)
{
	struct store *store = three();
	struct store_list *list = store_begin(store, NULL);

	(void)state;
	stage(list, "a/x", "2");
	stage(list, "c/x", "1");
	stage(list, "c/x", "2");
	store_abort(list);
	store_abort(NULL);
	assert_int_equal(store_len(store), 3);
	assert_string_equal(version_of(store, "a/x"), "1");
	store_free(store);
}

static void a_list_takes_effect_as_one(void **state)
{
	struct store *store = three();
	struct store_list *list = store_begin(store, NULL);
	struct heard heard = heard_new(store);
	struct store_changes report = report_to(&heard);

	(void)state;
	stage(list, "a/x", "1");
	stage(list, "b/x", "2");
	stage(list, "b/x", "3"); /* seen on two pages */
	stage(list, "c/x", "1");
	assert_string_equal(version_of(store, "b/x"), "1");
	assert_int_equal(store_len(store), 3);
	store_commit(list, &report);
	assert_int_equal(heard.calls, 3);
	assert_int_equal(strncmp(heard.text.data, "-a/y:1 ", 7), 0);
	assert_non_null(strstr(heard.text.data, "~b/x:3 "));
	assert_non_null(strstr(heard.text.data, "+c/x:1 "));
	assert_int_equal(store_len(store), 3);
	buf_done(&heard.text);
	store_free(store);
}

static void a_list_of_a_namespace_leaves_the_others(void **state)
{
	struct store *store = three();
	struct store_list *a = store_begin(store, "a");
	struct store_list *b = store_begin(store, "b");
	struct heard heard = heard_new(store);
	struct store_changes report = report_to(&heard);

	(void)state;
	stage(b, "b/x", "1");
	stage(a, "a/x", "1");
	store_commit(a, &report);
	assert_string_equal(heard.text.data, "-a/y:1 ");
	store_commit(b, &report);
	assert_string_equal(heard.text.data, "-a/y:1 ");
	store_commit(store_begin(store, "a"), &report);
	assert_string_equal(heard.text.data, "-a/y:1 -a/x:1 ");
	assert_int_equal(store_len(store), 1);
	buf_done(&heard.text);
	store_free(store);
}

static void a_namesake_is_another_object(void **state)
{
	struct store *store = three();
	struct store_list *list = store_begin(store, "b");
	struct heard heard = heard_new(store);
	struct store_changes report = report_to(&heard);
	struct err err = ERR_INIT;
	auto_json struct json *o =
	    json_build("{'metadata': {'name': 'x', 'namespace': 'b', 'uid': 'new', "
		       "'resourceVersion': '1'}}");

	(void)state;
	assert_int_equal(store_stage(list, o, &err), 0);
	store_commit(list, &report);
	assert_string_equal(heard.text.data, "-b/x:1 +b/x:1 ");
	assert_string_equal(store_find(store, "b/x")->uid, "new");
	buf_done(&heard.text);
	store_free(store);
}

/* A report may abort the list and free the store: first while deleting, then while reporting. */
static void a_report_may_end_everything(void **state)
{
	(void)state;
	for (int while_deleting = 0; while_deleting < 2; while_deleting++) {
		struct store *store = three();
		struct store_list *list = store_begin(store, NULL);
		struct heard heard = heard_new(store);
		struct store_changes report = report_to(&heard);

		heard.abort_at_first = list;
		if (!while_deleting) {
			stage(list, "a/x", "1");
			stage(list, "a/y", "1");
			stage(list, "b/x", "1");
		}
		stage(list, "c/x", "1");
		stage(list, "c/y", "1");
		store_commit(list, &report);
		assert_int_equal(heard.calls, 1);
		assert_null(heard.store);
		buf_done(&heard.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_without_a_usable_name_are_refused),
	    cmocka_unit_test(odd_metadata_is_kept_as_absent),
	    cmocka_unit_test(ballast_is_cut_off),
	    cmocka_unit_test(an_object_comes_back_as_it_was),
	    cmocka_unit_test(put_get_delete),
	    cmocka_unit_test(the_owner_index_survives_every_removal),
	    cmocka_unit_test(an_owner_of_many_has_all),
	    cmocka_unit_test(an_aborted_list_changes_nothing),
	    cmocka_unit_test(a_list_takes_effect_as_one),
	    cmocka_unit_test(a_list_of_a_namespace_leaves_the_others),
	    cmocka_unit_test(a_namesake_is_another_object),
	    cmocka_unit_test(a_report_may_end_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
