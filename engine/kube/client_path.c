#include "kube/client.h"

enum { PATH_MAX_LEN = 16 << 10 };

void client_escape(struct buf *out, const char *text)
{
	bool dots = streq(text, ".") || streq(text, ".."); /* must not climb in a path */

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			     c == '-' || c == '_' || c == '~' || (c == '.' && !dots);

		if (plain)
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static void add_segment(struct buf *path, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	buf_addc(path, '/');
	client_escape(path, text);
}

char *client_path(const struct kind *kind, const char *namespace, const char *name,
		  const char *subresource)
{
	struct buf path = BUF_INIT(PATH_MAX_LEN);

	buf_adds(&path, *kind->group != '\0' ? "/apis" : "/api");
	add_segment(&path, kind->group);
	add_segment(&path, kind->version);
	if (namespace != NULL && *namespace != '\0') {
		buf_adds(&path, "/namespaces");
		add_segment(&path, namespace);
	}
	add_segment(&path, kind->plural);
	add_segment(&path, name);
	add_segment(&path, subresource);
	return buf_steal(&path);
}
