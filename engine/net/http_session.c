#include "net/http_session.h"

static char *copy(const char *text)
{
	return text == NULL || *text == '\0' ? NULL : xstrdup(text);
}

struct session *session_new(struct loop *loop, mux_ended_fn *ended, const struct http_tls *tls)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->mux = mux_new(loop, ended);
	s->tls = (struct http_tls){
	    .ca = copy(tls->ca),
	    .cert = copy(tls->cert),
	    .key = copy(tls->key),
	    .server_name = copy(tls->server_name),
	    .insecure = tls->insecure,
	};
	return s;
}

void session_free(struct session *s)
{
	mux_free(s->mux);
	free((char *)s->tls.ca);
	free((char *)s->tls.cert);
	free((char *)s->tls.key);
	free((char *)s->tls.server_name);
	free(s);
}
