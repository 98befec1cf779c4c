/*
 * documents.h - Kubernetes objects from a file of YAML or JSON: several documents, and lists.
 */
#ifndef TOOLS_DOCUMENTS_H
#define TOOLS_DOCUMENTS_H

#include "base/json.h"

enum { DOCUMENTS_MAX = 64 << 20 }; /* bytes of a file of JSON; of YAML: YAML_MAX */

/* 0 to go on; -1 with err set to stop. */
typedef int document_fn(void *arg, const struct json *object, struct err *err);

/*
 * Call fn for each object in the file ("-": standard input), in order. The items of a list ("List",
 * "InferenceRunList", ...) are given one by one, with the apiVersion and kind that the API server
 * leaves out of them. An empty document is passed over. -1: "path: what is wrong".
 */
int documents_read(const char *path, document_fn *fn, void *arg, struct err *err);

#endif
