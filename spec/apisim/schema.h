/*
 * schema.h - what the schema of a CustomResourceDefinition does to an object: unknown fields are
 * pruned, defaults filled in, values and CEL rules checked, with the wording of kube-apiserver.
 *
 * Sources: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 * (structural schemas, pruning, defaulting, validation rules, ratcheting) and KEP-2885 (field
 * validation: Ignore, Warn, Strict).
 *
 * Keywords: type, properties, additionalProperties (a schema or a boolean), items, required, enum, nullable, default,
 * minimum, maximum (with exclusive*), multipleOf, minLength, maxLength, pattern, format, minItems,
 * maxItems, uniqueItems, minProperties, maxProperties, not, allOf, anyOf, oneOf,
 * x-kubernetes-preserve-unknown-fields, -int-or-string, -embedded-resource, -list-type (set, map),
 * -list-map-keys, -map-type, -validations. Any other keyword is refused by schema_check().
 */
#ifndef APISIM_SCHEMA_H
#define APISIM_SCHEMA_H

#include "base/json.h"

/* The query parameter fieldValidation. */
enum schema_unknown { SCHEMA_IGNORE, SCHEMA_WARN, SCHEMA_STRICT };

/* More causes than these are not listed. */
enum { SCHEMA_CAUSES_MAX = 64 };

/*
 * When a CRD is created or changed: is `crd` (the whole object) one whose schemas this module can
 * serve? Structural, only known keywords, patterns that compile, rules that parse. err: INVALID,
 * status 422; causes (an array, may be NULL) gets one cause per finding, as schema_admit.
 */
int schema_check(const struct json *crd, struct json *causes, struct err *err);

/*
 * Make `object` what the server would store, or refuse it. `version` is the element of the CRD's
 * spec.versions that the request is for; `old` is the stored object on an update, NULL on create.
 * apiVersion, kind and metadata are not touched and not checked: they are the server's.
 *
 * An unknown field is removed. With SCHEMA_WARN `warnings` (an array of strings, may be NULL) gets
 * `unknown field "spec.foo"`; with SCHEMA_STRICT the object is refused: status 400 and the real
 * server's `strict decoding error: unknown field "spec.foo"`, no causes.
 *
 * An invalid object: -1, err INVALID with status 422 and schema_message() of the causes.
 * `causes` (an array, may be NULL) gets {reason, message, field} as in Status.details.causes.
 * Where it fails, object may have been pruned and defaulted already: throw it away.
 */
int schema_admit(const struct json *version, struct json *object, const struct json *old,
		 enum schema_unknown mode, struct json *warnings, struct json *causes,
		 struct err *err);

/*
 * The causes as the server joins them behind `InferenceRun.ai.krateo.io "x" is invalid: `:
 * one as `spec.a: Required value`, several as `[spec.a: ..., spec.b: ...]`; yours.
 */
char *schema_message(const struct json *causes);

#endif
