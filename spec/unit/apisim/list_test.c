#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/kinds.h"
#include "spec/apisim/list.h"

enum { HISTORY = 8 };

struct world {
	struct server server;
	struct resource *maps;
	struct selector *all;
};

static int setup(void **state)
{
	static struct world world;
	struct err err = ERR_INIT;

	world.server.store = store_new(HISTORY);
	world.server.kinds = kinds_new();
	world.maps = kinds_find(world.server.kinds, "", "v1", "configmaps");
	world.all = selector_labels("", &err);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	selector_free(world->all);
	store_free(world->server.store);
	kinds_free(world->server.kinds);
	return 0;
}

static struct object *put(struct world *world, const char *namespace, const char *name)
{
	auto_free char *uid = xasprintf("uid-%s-%s", namespace, name);
	auto_json struct json *tree =
	    json_build("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':%s,'name':%s,"
		       "'uid':%s}}",
		       namespace, name, uid);
	struct object *old = store_find(world->maps, namespace, name);
	auto_json struct json *before = old != NULL ? object_tree(old) : NULL;

	return store_put(world->server.store, world->maps, tree, before);
}

static void drop(struct world *world, const char *namespace, const char *name)
{
	struct object *object = store_find(world->maps, namespace, name);
	auto_json struct json *tree = object_tree(object);

	store_remove(world->server.store, object, tree);
}

/* The names of one page, joined; *token becomes the next token (yours) or NULL. */
static char *page(struct world *world, const char *namespace, int64_t limit, char **token,
		  int *code)
{
	auto_buf struct buf out = BUF_INIT(1 << 20);
	struct buf names = BUF_INIT(4096);
	struct list_query query = {
	    .resource = world->maps,
	    .namespace = namespace,
	    .labels = world->all,
	    .fields = world->all,
	    .token = *token,
	    .limit = limit,
	};
	auto_json struct json *refused = list_objects(&world->server, &query, &out);
	auto_json struct json *list = NULL;
	struct err err = ERR_INIT;
	const char *next;

	free(*token);
	*token = NULL;
	*code = (int)json_get_int(refused, "code", 200);
	if (refused != NULL)
		return buf_steal(&names);
	list = json_parse(out.data, out.len, &err);
	assert_non_null(list);
	for (const struct json *i = json_first(json_get(list, "items")); i != NULL;
	     i = json_next(i)) {
		assert_null(json_get(i, "kind"));
		buf_addf(&names, "%s ", json_get_str(json_get(i, "metadata"), "name", "?"));
	}
	next = json_get_str(json_get(list, "metadata"), "continue", NULL);
	*token = next != NULL ? xstrdup(next) : NULL;
	return buf_steal(&names);
}

static void expect_page(struct world *world, const char *namespace, int64_t limit, char **token,
			const char *expected)
{
	int code;
	auto_free char *names = page(world, namespace, limit, token, &code);

	assert_int_equal(code, 200);
	assert_string_equal(names, expected);
}

static void a_page_shows_the_first_ones_version(void **state)
{
	struct world *world = *state;
	char *token = NULL;

	put(world, "n", "b");
	put(world, "n", "d");
	put(world, "n", "f");
	put(world, "n-x", "a");
	expect_page(world, "n", 1, &token, "b ");
	drop(world, "n", "d");
	put(world, "n", "c");
	put(world, "n", "f");
	expect_page(world, "n", 1, &token, "d ");
	expect_page(world, "n", 1, &token, "f ");
	assert_null(token);
	expect_page(world, "n", 0, &token, "b c f ");
	expect_page(world, "", 0, &token, "a b c f ");
}

static void a_token_expires(void **state)
{
	struct world *world = *state;
	char *token = NULL;
	int code;

	put(world, "n", "a");
	put(world, "n", "b");
	for (int changes = HISTORY; changes <= HISTORY + 1; changes++) {
		expect_page(world, "n", 1, &token, "a ");
		for (int i = 0; i < changes; i++)
			put(world, "n", "a");
		free(page(world, "n", 1, &token, &code));
		assert_int_equal(code, changes == HISTORY ? 200 : 410);
	}
	expect_page(world, "n", 1, &token, "a ");
	store_forget(world->server.store);
	free(page(world, "n", 1, &token, &code));
	assert_int_equal(code, 410);
}

static void bad_tokens(void **state)
{
	static const char *const tokens[] = {"x", "zz", "00", "41", "3120", "20", "31"};
	struct world *world = *state;

	put(world, "n", "a");
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		char *token = xstrdup(tokens[i]);
		int code;

		free(page(world, "n", 1, &token, &code));
		if (code == 200)
			assert_string_equal(tokens[i], "3120"); /* "1 ": all of version 1 */
		free(token);
	}
}

static void owners_are_found(void **state)
{
	struct world *world = *state;
	struct store *store = world->server.store;
	auto_json struct json *child =
	    json_build("{'metadata':{'namespace':'n','name':'c','uid':'uid-c','ownerReferences':["
		       "{'uid':'o1'},{'uid':'o2'}]}}");
	struct object *object = store_put(store, world->maps, child, NULL);
	auto_json struct json *old = object_tree(object);
	size_t count;

	assert_ptr_equal(store_dependents(store, "o1", &count)[0], object);
	assert_int_equal(count, 1);
	assert_ptr_equal(store_by_uid(store, "uid-c"), object);
	json_set(json_mut(child, "metadata"), "ownerReferences", json_build("[{'uid':'o2'}]"));
	store_put(store, world->maps, child, old);
	assert_null(store_dependents(store, "o1", &count));
	assert_int_equal(count, 0);
	drop(world, "n", "c");
	assert_null(store_dependents(store, "o2", &count));
	assert_null(store_by_uid(store, "uid-c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_page_shows_the_first_ones_version, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_token_expires, setup, teardown),
	    cmocka_unit_test_setup_teardown(bad_tokens, setup, teardown),
	    cmocka_unit_test_setup_teardown(owners_are_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
