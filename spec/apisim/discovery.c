#include "spec/apisim/kinds.h"

struct json *discovery_version(void)
{
	return json_build(
	    "{'major':'1','minor':'32','gitVersion':'v1.32.0-apisim',"
	    "'gitCommit':'','gitTreeState':'clean','buildDate':'1970-01-01T00:00:00Z',"
	    "'goVersion':'none','compiler':'cc','platform':'linux/amd64'}");
}

struct json *discovery_api(void)
{
	return json_build("{'kind':'APIVersions','versions':['v1'],"
			  "'serverAddressByClientCIDRs':[]}");
}

static struct json *group_document(const char *group, const char *version)
{
	auto_free char *both = xasprintf("%s/%s", group, version);

	return json_build("{'name':%s,'versions':[{'groupVersion':%s,'version':%s}],"
			  "'preferredVersion':{'groupVersion':%s,'version':%s}}",
			  group, both, version, both, version);
}

static bool listed(const struct json *groups, const char *name)
{
	for (const struct json *g = json_first(groups); g != NULL; g = json_next(g))
		if (streq(json_get_str(g, "name", ""), name))
			return true;
	return false;
}

struct json *discovery_groups(const struct kinds *kinds)
{
	struct json *list = json_build("{'kind':'APIGroupList','apiVersion':'v1','groups':[]}");
	struct json *groups = json_mut(list, "groups");
	const struct resource *r;

	for (size_t at = 0; (r = kinds_next(kinds, &at)) != NULL;)
		if (r->group[0] != '\0' && !listed(groups, r->group))
			json_append(groups, group_document(r->group, r->version));
	return list;
}

struct json *discovery_group(const struct kinds *kinds, const char *group)
{
	const struct resource *r;

	for (size_t at = 0; (r = kinds_next(kinds, &at)) != NULL;) {
		struct json *document;

		if (group[0] == '\0' || !streq(r->group, group))
			continue;
		document = group_document(r->group, r->version);
		json_set_str(document, "kind", "APIGroup");
		json_set_str(document, "apiVersion", "v1");
		return document;
	}
	return NULL;
}

static void add_resource(struct json *resources, const struct resource *r)
{
	auto_free char *sub = xasprintf("%s/status", r->plural);
	struct json *document =
	    json_build("{'name':%s,'singularName':%s,'namespaced':%b,'kind':%s,'verbs':"
		       "['create','delete','deletecollection','get','list','patch','update',"
		       "'watch']}",
		       r->plural, r->singular, r->namespaced, r->kind);

	if (r->short_names != NULL)
		json_set(document, "shortNames", json_copy(r->short_names));
	if (r->categories != NULL)
		json_set(document, "categories", json_copy(r->categories));
	json_append(resources, document);
	if (r->status)
		json_append(resources, json_build("{'name':%s,'singularName':'','namespaced':%b,"
						  "'kind':%s,'verbs':['get','patch','update']}",
						  sub, r->namespaced, r->kind));
}

struct json *discovery_resources(const struct kinds *kinds, const char *group, const char *version)
{
	auto_free char *both =
	    group[0] != '\0' ? xasprintf("%s/%s", group, version) : xstrdup(version);
	struct json *resources = json_array();
	struct json *list = NULL;
	const struct resource *r;

	for (size_t at = 0; (r = kinds_next(kinds, &at)) != NULL;)
		if (streq(r->group, group) && streq(r->version, version))
			add_resource(resources, r);
	if (json_len(resources) > 0)
		list = json_build("{'kind':'APIResourceList','apiVersion':'v1','groupVersion':%s,"
				  "'resources':%j}",
				  both, resources);
	json_free(resources);
	return list;
}
