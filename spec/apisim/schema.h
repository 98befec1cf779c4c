/*
 * schema.h - what the schema of a CustomResourceDefinition does to an object: unknown fields are
 * pruned, defaults filled in, values and CEL rules checked, with the wording of kube-apiserver.
 *
 * Sources: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/ (structural
 * schemas, pruning, defaulting, validation rules, ratcheting) and KEP-2885 (Ignore, Warn, Strict).
 *
 * Keywords: type, properties, additionalProperties (a schema or a boolean), items, required, enum,
 * nullable, default, minimum, maximum, minLength, maxLength, pattern, format, minItems, maxItems,
 * minProperties, maxProperties, x-kubernetes-preserve-unknown-fields, -int-or-string,
 * -embedded-resource, -list-type, -list-map-keys, -map-type, -validations, and the words that only
 * document. schema_new() refuses any other: better than ignoring it.
 */
#ifndef APISIM_SCHEMA_H
#define APISIM_SCHEMA_H

#include "base/json.h"

/* The query parameter fieldValidation. */
enum schema_unknown { SCHEMA_IGNORE, SCHEMA_WARN, SCHEMA_STRICT };

/* More causes than these are not listed. */
enum { SCHEMA_CAUSES_MAX = 64 };

struct schema;

/*
 * Read the element `version` of a CRD's spec.versions. NULL where it is not structural, holds an
 * unknown keyword, a pattern that does not compile or a rule that does not parse: err INVALID with
 * status 422, and one cause per finding as in schema_admit() (the field is below the version:
 * `schema.openAPIV3Schema.properties[spec].pattern`).
 */
struct schema *schema_new(const struct json *version, struct json *causes, struct err *err);
void schema_free(struct schema *schema);

/*
 * Make `object` what the server would store, or refuse it. `old` is the stored object
 * on an update, NULL on create. apiVersion, kind and metadata are left alone: they are the
 * server's.
 *
 * An unknown field is removed. With SCHEMA_WARN `warnings` (an array of strings, may be NULL) gets
 * `unknown field "spec.foo"`; with SCHEMA_STRICT the object is refused: status 400 and the real
 * server's `strict decoding error: unknown field "spec.foo"`, no causes.
 *
 * An invalid object: -1, err INVALID with status 422 and schema_message() of the causes.
 * `causes` (an array, may be NULL) gets {reason, message, field} as in Status.details.causes.
 * Where it fails, object may have been pruned and defaulted already: throw it away.
 */
int schema_admit(const struct schema *schema, struct json *object, const struct json *old,
		 enum schema_unknown mode, struct json *warnings, struct json *causes,
		 struct err *err);

/*
 * The causes as the server joins them behind `InferenceRun.ai.krateo.io "x" is invalid: `:
 * one as `spec.a: Required value`, several as `[spec.a: ..., spec.b: ...]`; yours.
 */
char *schema_message(const struct json *causes);

#endif
