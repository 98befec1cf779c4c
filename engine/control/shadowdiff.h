/*
 * shadowdiff.h - how the answers of a shadow bundle differ from those in force. Pure.
 */
#ifndef CONTROL_SHADOWDIFF_H
#define CONTROL_SHADOWDIFF_H

#include "base/json.h"

enum { SHADOW_DIFFERENCES_MAX = 5, SHADOW_VALUE_MAX = 120 };

enum shadow_result { SHADOW_SAME, SHADOW_DIFFERS, SHADOW_FAILED };

/*
 * active and shadow are results as host.h tells. manifest is what shape is asked with: the answer
 * of a bundle that was not asked for it. FAILED: a hook of the shadow ended with an error other
 * than reject().
 *
 * The first difference of each hook is added to differences, a list, while that has fewer than
 * SHADOW_DIFFERENCES_MAX:
 *	{"run": "ns/name", "hook": "contract", "path": "parameters.limit",
 *	 "active": "\"10\"", "shadow": "(nothing)"}
 * The path is "" where one of them is no answer but "rejected: ..." or "error: ...". A value is
 * told by its JSON, cut to SHADOW_VALUE_MAX bytes, an object or a list only by its size. What
 * looks like a secret, by its path or as a URL with a user, is not told at all.
 */
enum shadow_result shadow_compare(const char *run, const struct json *active,
				  const struct json *shadow, const struct json *manifest,
				  struct json *differences);

#endif
