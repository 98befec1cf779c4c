/*
 * proto.h - request bodies in Kubernetes' protobuf form, which kubectl create sends for built-in
 * kinds since 1.32 (replies may be JSON).
 *
 * Known: ConfigMap, Secret, Namespace, ServiceAccount, Job, CronJob, with the fields that kubectl
 * can set. A field that is not known is refused by number, never dropped. The source:
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding and the
 * generated.proto files of k8s.io/api.
 */
#ifndef APISIM_PROTO_H
#define APISIM_PROTO_H

#include "base/json.h"

/* NULL with err INVALID set where it cannot be read. */
struct json *proto_parse(const char *bytes, size_t len, struct err *err);

#endif
