/*
 * select.h - label and field selectors.
 *
 * Labels: a=b, a==b, a!=b, a in (x,y), a notin (x,y), a, !a, joined by commas
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/). Fields: path=value,
 * path==value, path!=value; which paths there are depends on the kind.
 */
#ifndef APISIM_SELECT_H
#define APISIM_SELECT_H

#include "spec/apisim/objects.h"

struct selector;

enum { SELECTOR_TEXT_MAX = 16384, SELECTOR_TERMS_MAX = 256 };

/* NULL or "" selects everything. NULL with err INVALID when the text is no selector. */
struct selector *selector_labels(const char *text, struct err *err);
struct selector *selector_fields(const char *text, const struct resource *resource,
				 struct err *err);
void selector_free(struct selector *selector);
static inline void cleanup_selector(struct selector **selector)
{
	selector_free(*selector);
}
#define auto_selector __attribute__((cleanup(cleanup_selector)))

/* True where it selects everything, so that nobody needs to parse the object. */
bool selector_all(const struct selector *selector);

bool selector_match(const struct selector *selector, const struct json *object);

#endif
