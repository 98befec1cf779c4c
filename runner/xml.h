/*
 * xml.h - a strict scanner for the small XML that S3 answers with (XML 1.0, UTF-8).
 *
 * It knows elements, text, the five named entities and numeric ones, and steps over the
 * declaration, comments and attributes. What S3 never sends is refused: a DOCTYPE (and with it
 * entities of one's own), CDATA, processing instructions, text beside elements other than blanks.
 *
 *	struct xml x;
 *
 *	xml_init(&x, text, len);
 *	while ((token = xml_next(&x)) == XML_OPEN || token == XML_CLOSE)
 *		if (token == XML_CLOSE && streq(x.path.data, "ListBucketResult/Contents/Key"))
 *			use(x.text.data);
 *	xml_done(&x);
 *
 * Limits: XML_DEPTH_MAX elements deep, names of XML_NAME_MAX bytes.
 */
#ifndef RUNNER_XML_H
#define RUNNER_XML_H

#include "base/buf.h"

enum { XML_DEPTH_MAX = 16, XML_NAME_MAX = 64 };

enum xml_token {
	XML_ERROR, /* x->problem tells; every later call says XML_ERROR again */
	XML_END,
	XML_OPEN,  /* path leads to the element that begins */
	XML_CLOSE, /* path leads to the element that ends, text is its text, empty if it has
		      elements */
};

struct xml {
	struct buf path, text;
	const char *problem;

	/* private */
	const char *at, *end;
	int depth;
	size_t starts[XML_DEPTH_MAX]; /* of the names in path */
	bool leaf;                    /* the element that is open has no elements */
	bool closing;                 /* <a/>: its end is the next token */
	bool closed;                  /* the path names an element that has ended */
	bool over;                    /* the root has ended */
};

void xml_init(struct xml *x, const char *text, size_t len);
enum xml_token xml_next(struct xml *x);
void xml_done(struct xml *x);
#define auto_xml __attribute__((cleanup(xml_done)))

/* The text of the first element with this path, NULL if there is none before the text ends or
 * breaks the rules; yours. */
char *xml_find(const char *text, size_t len, const char *path);

#endif
