/*
 * patch.h - JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and Kubernetes' strategic merge
 * patch.
 *
 * Strategic: lists of objects that the API merges by a key (containers, env, volumes, ports,
 * conditions, ownerReferences, ...) are merged by it, finalizers as a set, other lists are
 * replaced. $patch: replace and delete, $deleteFromPrimitiveList and $retainKeys work;
 * $setElementOrder is dropped, so a list keeps its order and new elements come last. The source:
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
#ifndef APISIM_PATCH_H
#define APISIM_PATCH_H

#include "base/json.h"

/* Operations in one JSON patch; the server's limit. */
enum { PATCH_OPERATIONS_MAX = 10000 };

/* Each changes *target in place and may leave it half changed when it fails: patch a copy. err is
 * INVALID: status 422 where the patch does not fit the target, 400 where it is no patch. */
int patch_json(struct json **target, const struct json *patch, struct err *err);
int patch_merge(struct json **target, const struct json *patch, struct err *err);
int patch_strategic(struct json **target, const struct json *patch, struct err *err);

#endif
