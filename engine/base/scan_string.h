/*
 * scan_string.h - the strings of a JSON text (RFC 8259 section 7), for scan.c alone.
 *
 * Both step over the string that begins at s->at and make what is between its quotes the span;
 * false where there is none, and s->problem says why.
 */
#ifndef BASE_SCAN_STRING_H
#define BASE_SCAN_STRING_H

#include "base/scan.h"

bool scan_string(struct scan *s);
bool scan_quoted(struct scan *s); /* nothing but the quotes is checked */

/* The text is wrong at s->at; the first problem stays. Returns SCAN_ERROR. */
enum scan_token scan_refuse(struct scan *s, const char *problem);

#endif
