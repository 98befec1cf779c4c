#include "spec/podrunner/layout.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/base64.h"

enum { REMOVE_FDS = 16 };

const struct json *layout_container(const struct json *pod)
{
	const struct json *spec = json_get(pod, "spec");
	const struct json *containers = json_get(spec, "containers");

	if (json_len(containers) != 1 || json_len(json_get(spec, "initContainers")) != 0)
		return NULL;
	return json_first(containers);
}

/* ---- what is referred to ---- */

static void need(struct json *needs, const char *kind, const char *name)
{
	if (name == NULL)
		return;
	for (const struct json *c = json_first(needs); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "kind", ""), kind) &&
		    streq(json_get_str(c, "name", ""), name))
			return;
	json_append(needs, json_build("{'kind': %s, 'name': %s}", kind, name));
}

static void needs_of_source(struct json *needs, const struct json *source)
{
	const struct json *secret = json_get(source, "secret");

	need(needs, "ConfigMap", json_get_str(json_get(source, "configMap"), "name", NULL));
	need(needs, "Secret",
	     json_get_str(secret, "secretName", json_get_str(secret, "name", NULL)));
}

struct json *layout_needs(const struct json *pod)
{
	const struct json *container = layout_container(pod);
	struct json *needs = json_array();

	for (const struct json *v = json_first(json_at(pod, "spec", "volumes")); v;
	     v = json_next(v)) {
		needs_of_source(needs, v);
		for (const struct json *s = json_first(json_at(v, "projected", "sources")); s;
		     s = json_next(s))
			needs_of_source(needs, s);
	}
	for (const struct json *e = json_first(json_get(container, "env")); e; e = json_next(e)) {
		const struct json *from = json_get(e, "valueFrom");

		need(needs, "ConfigMap",
		     json_get_str(json_get(from, "configMapKeyRef"), "name", NULL));
		need(needs, "Secret", json_get_str(json_get(from, "secretKeyRef"), "name", NULL));
	}
	for (const struct json *e = json_first(json_get(container, "envFrom")); e;
	     e = json_next(e)) {
		need(needs, "ConfigMap", json_get_str(json_get(e, "configMapRef"), "name", NULL));
		need(needs, "Secret", json_get_str(json_get(e, "secretRef"), "name", NULL));
	}
	return needs;
}

bool layout_value(const struct json *object, const char *key, struct buf *out)
{
	bool secret = streq(json_get_str(object, "kind", ""), "Secret");
	const char *text = json_get_str(json_get(object, "data"), key, NULL);
	const char *binary = json_get_str(json_get(object, "binaryData"), key, NULL);
	struct err err = ERR_INIT;

	if (text != NULL && !secret)
		return buf_adds(out, text) == 0;
	if (secret)
		binary = text;
	return binary != NULL && base64_decode(binary, strlen(binary), out, &err) == 0;
}

char *layout_field(const struct json *pod, const char *path)
{
	const struct json *metadata = json_get(pod, "metadata"), *spec = json_get(pod, "spec");
	static const char *const maps[] = {"labels", "annotations"};
	static const char *const plain[] = {"name", "namespace", "uid"};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (has_prefix(path, "metadata.") && streq(path + strlen("metadata."), plain[i]))
			return xstrdup(json_get_str(metadata, plain[i], ""));
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		auto_free char *prefix = xasprintf("metadata.%s['", maps[i]);
		auto_free char *key = NULL;

		if (!has_prefix(path, prefix))
			continue;
		key = xstrdup(path + strlen(prefix));
		key[strcspn(key, "'")] = '\0';
		return xstrdup(json_get_str(json_get(metadata, maps[i]), key, ""));
	}
	if (streq(path, "spec.nodeName"))
		return xstrdup(json_get_str(spec, "nodeName", ""));
	if (streq(path, "spec.serviceAccountName"))
		return xstrdup(json_get_str(spec, "serviceAccountName", "default"));
	if (streq(path, "status.podIP") || streq(path, "status.hostIP"))
		return xstrdup("127.0.0.1");
	return NULL;
}

/* ---- mounts ---- */

static int add_mount(struct layout *out, char *source_taken, const char *target, bool read_only,
		     struct err *err)
{
	size_t at = out->mount_count;

	if (at == LAYOUT_MOUNTS_MAX) {
		free(source_taken);
		return err_set(err, ERR_INVALID, "expected at most %d mounts, found more",
			       LAYOUT_MOUNTS_MAX);
	}
	if (streq(target, "/tmp/contract.json")) {
		free(out->contract);
		out->contract = xstrdup(source_taken);
	}
	/* A path is longer than the paths that lead to it, so sorting by length nests them. */
	for (; at > 0 && strlen(out->mounts[at - 1].target) > strlen(target); at--)
		out->mounts[at] = out->mounts[at - 1];
	out->mounts[at] = (struct mount){source_taken, xstrdup(target), read_only};
	out->mount_count++;
	return 0;
}

static int mount_volumes(const struct json *container, struct layout *out, struct err *err)
{
	for (const struct json *m = json_first(json_get(container, "volumeMounts")); m;
	     m = json_next(m)) {
		const char *target = json_get_str(m, "mountPath", "");
		const char *name = json_get_str(m, "name", ""),
			   *sub = json_get_str(m, "subPath", "");
		char *source = xasprintf("%s/volumes/%s%s%s", out->dir, name, *sub ? "/" : "", sub);

		if (*target != '/' || strstr(target, "..") != NULL || strstr(sub, "..") != NULL) {
			free(source);
			return err_set(err, ERR_INVALID,
				       "volumeMount %s: expected an absolute path", name);
		}
		/* The kubelet makes a subPath that is not there a folder. */
		if (*sub != '\0' && access(source, F_OK) < 0 && mkdir(source, 0777) < 0) {
			free(source);
			return err_set(err, ERR_NOT_FOUND,
				       "failed to create subPath %s of volume \"%s\": %m", sub,
				       name);
		}
		if (add_mount(out, source, target, json_is_true(json_get(m, "readOnly")), err) < 0)
			return -1;
	}
	return 0;
}

static bool is_mounted(const struct layout *layout, const char *target)
{
	for (size_t i = 0; i < layout->mount_count; i++)
		if (streq(layout->mounts[i].target, target))
			return true;
	return false;
}

/* What a cluster's admission adds as a projected volume, where no admission has done so. */
static int mount_serviceaccount(const struct json *pod, const struct layout_spec *spec,
				struct layout *out, struct err *err)
{
	const struct json *automount = json_at(pod, "spec", "automountServiceAccountToken");
	const char *namespace = json_get_str(json_get(pod, "metadata"), "namespace", "default");
	const struct {
		const char *name, *text;
	} files[] = {{"namespace", namespace}, {"token", spec->token}, {"ca.crt", spec->ca}};

	for (size_t i = 0; i < out->mount_count; i++)
		if (streq(out->mounts[i].target, SERVICEACCOUNT_DIR))
			out->serviceaccount = xstrdup(out->mounts[i].source);
	if (out->serviceaccount != NULL ||
	    (json_type(automount) == JSON_BOOL && !json_is_true(automount)))
		return 0;
	out->serviceaccount = xasprintf("%s/serviceaccount", out->dir);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (files[i].text != NULL &&
		    layout_write(out->serviceaccount, files[i].name, files[i].text,
				 strlen(files[i].text), err) < 0)
			return -1;
	return add_mount(out, xstrdup(out->serviceaccount), SERVICEACCOUNT_DIR, true, err);
}

static int mount_termination_log(const struct json *container, struct layout *out, struct err *err)
{
	const char *target =
	    json_get_str(container, "terminationMessagePath", "/dev/termination-log");

	if (is_mounted(out, target))
		return 0;
	out->termination_log = xasprintf("%s/termination-log", out->dir);
	if (layout_write(out->dir, "termination-log", "", 0, err) < 0)
		return -1;
	chmod(out->termination_log, 0666);
	return add_mount(out, xstrdup(out->termination_log), target, false, err);
}

/* ---- all of it ---- */

static void read_security(const struct json *pod, const struct json *container, struct layout *out)
{
	const struct json *of_pod = json_at(pod, "spec", "securityContext");
	const struct json *own = json_get(container, "securityContext");

	out->uid = json_get_int(own, "runAsUser", json_get_int(of_pod, "runAsUser", -1));
	out->gid = json_get_int(own, "runAsGroup", json_get_int(of_pod, "runAsGroup", out->uid));
	out->read_only_root = json_is_true(json_get(own, "readOnlyRootFilesystem"));
}

int layout_make(const struct json *pod, const struct layout_spec *spec, struct layout *out,
		struct err *err)
{
	const struct json *container = layout_container(pod);

	memset(out, 0, sizeof(*out));
	if (container == NULL)
		return err_set(
		    err, ERR_INVALID,
		    "podrunner runs pods of exactly one container and no init container");
	out->dir =
	    xasprintf("%s/%s", spec->root, json_get_str(json_get(pod, "metadata"), "uid", "-"));
	layout_remove(out->dir);
	out->working_dir = xstrdup(json_get_str(container, "workingDir", "/"));
	read_security(pod, container, out);
	if (layout_volumes(pod, spec, out, err) < 0 || mount_volumes(container, out, err) < 0 ||
	    mount_serviceaccount(pod, spec, out, err) < 0 ||
	    mount_termination_log(container, out, err) < 0)
		return -1;
	return layout_environment(pod, spec, out, err);
}

void layout_done(struct layout *layout)
{
	for (size_t i = 0; i < layout->mount_count; i++) {
		free(layout->mounts[i].source);
		free(layout->mounts[i].target);
	}
	for (size_t i = 0; i < layout->env_count; i++)
		free(layout->env[i]);
	for (size_t i = 0; i < layout->argc; i++)
		free(layout->argv[i]);
	free(layout->dir);
	free(layout->working_dir);
	free(layout->termination_log);
	free(layout->contract);
	free(layout->serviceaccount);
	memset(layout, 0, sizeof(*layout));
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
		      struct FTW *ftw UNUSED)
{
	remove(path);
	return 0;
}

void layout_remove(const char *dir)
{
	nftw(dir, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
