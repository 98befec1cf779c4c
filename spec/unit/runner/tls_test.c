/*
 * tls_test.c - what http.c accepts of a server, and what it shows of itself: own CA, other CA,
 * other host, no verification, client certificates. The certificates are made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "runner/http.h"
#include "spec/unit/runner/scripted.h"

struct identity {
	EVP_PKEY *key;
	X509 *cert;
	char *key_pem, *cert_pem;
};

struct tls_server {
	SSL_CTX *context;
	int fd, port, answered;
	pthread_t thread;
};

static struct identity ca, other_ca, server, wrong_host, expired, client;

static char *pem_of(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* issuer NULL: a CA of its own. It is good for so many seconds. */
static void make_identity(struct identity *id, const char *name, const char *host,
			  const struct identity *issuer, long seconds)
{
	BIO *key_bio = BIO_new(BIO_s_mem()), *cert_bio = BIO_new(BIO_s_mem());

	id->key = EVP_EC_gen("P-256");
	id->cert = X509_new();
	X509_set_version(id->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id->cert), issuer != NULL ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(id->cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(id->cert), seconds);
	X509_set_pubkey(id->cert, id->key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(id->cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(id->cert,
			     X509_get_subject_name(issuer != NULL ? issuer->cert : id->cert));
	if (issuer == NULL)
		add_extension(id->cert, NID_basic_constraints, "critical,CA:TRUE");
	if (host != NULL)
		add_extension(id->cert, NID_subject_alt_name, host);
	assert_true(X509_sign(id->cert, issuer != NULL ? issuer->key : id->key, EVP_sha256()) > 0);
	PEM_write_bio_PrivateKey(key_bio, id->key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(cert_bio, id->cert);
	id->key_pem = pem_of(key_bio);
	id->cert_pem = pem_of(cert_bio);
}

static void free_identity(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	free(id->key_pem);
	free(id->cert_pem);
}

static void *serve(void *arg)
{
	static const char answer[] = OK("{}");
	struct tls_server *s = arg;
	char bytes[4096];
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		SSL *ssl = SSL_new(s->context);

		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, bytes, sizeof(bytes)) > 0) {
			SSL_write(ssl, answer, sizeof(answer) - 1);
			SSL_shutdown(ssl);
			s->answered++;
		}
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

static void start(struct tls_server *s, const struct identity *id, bool want_client)
{
	s->context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(s->context, id->cert);
	SSL_CTX_use_PrivateKey(s->context, id->key);
	if (want_client) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(s->context), ca.cert);
		SSL_CTX_set_verify(s->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	s->fd = scripted_socket(&s->port);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct tls_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->context);
}

static int call(const struct identity *id, bool want_client, const struct http_peer *peer,
		struct err *err)
{
	struct tls_server s = {.fd = -1};
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = NULL;
	struct http_request request = {.method = "GET", .peer = peer};
	int rc;

	start(&s, id, want_client);
	url = xasprintf("https://127.0.0.1:%d/", s.port);
	request.url = url;
	rc = http_call(&request, &reply, err);
	stop(&s);
	assert_int_equal(s.answered, rc == 0 ? 1 : 0);
	return rc;
}

static void test_refused(void **state UNUSED)
{
	const struct {
		const struct identity *id;
		struct http_peer peer;
	} cases[] = {
	    {&server, {.ca = NULL}}, /* the system does not know our CA */
	    {&server, {.ca = other_ca.cert_pem}},
	    {&wrong_host, {.ca = ca.cert_pem}},
	    {&expired, {.ca = ca.cert_pem}},
	    {&server, {.ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}},
	    {&server, {.ca = ca.cert_pem, .cert = client.cert_pem, .key = server.key_pem}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(call(cases[i].id, false, &cases[i].peer, &err), -1);
		if (err.kind != ERR_INVALID)
			fail_msg("case %zu: %s: %s", i, err_kind_name(err.kind), err.msg);
	}
}

static void test_client_certificate_needed(void **state UNUSED)
{
	const struct http_peer peer = {.ca = ca.cert_pem};
	struct err err = ERR_INIT;

	assert_int_equal(call(&server, true, &peer, &err), -1);
}

static void test_accepted(void **state UNUSED)
{
	const struct {
		const struct identity *id;
		bool want_client;
		struct http_peer peer;
	} cases[] = {
	    {&server, false, {.ca = ca.cert_pem}},
	    {&server, false, {.insecure = true}},
	    {&wrong_host, false, {.insecure = true}},
	    {&expired, false, {.insecure = true}},
	    {&server, true, {.ca = ca.cert_pem, .cert = client.cert_pem, .key = client.key_pem}},
	    {&wrong_host, true, {.cert = client.cert_pem, .key = client.key_pem, .insecure = true}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;

		if (call(cases[i].id, cases[i].want_client, &cases[i].peer, &err) < 0)
			fail_msg("case %zu: %s", i, err.msg);
	}
}

static int set_up(void **state UNUSED)
{
	struct err err = ERR_INIT;

	setenv("KSERVE_RETRY_DELAY", "1ms", 1);
	signal(SIGPIPE, SIG_IGN);
	make_identity(&ca, "ca", NULL, NULL, 3600);
	make_identity(&other_ca, "other", NULL, NULL, 3600);
	make_identity(&server, "server", "IP:127.0.0.1", &ca, 3600);
	make_identity(&expired, "server", "IP:127.0.0.1", &ca, -30);
	make_identity(&wrong_host, "server", "DNS:elsewhere.invalid", &ca, 3600);
	make_identity(&client, "client", NULL, &ca, 3600);
	return http_setup(&err);
}

static int tear_down(void **state UNUSED)
{
	free_identity(&ca);
	free_identity(&other_ca);
	free_identity(&server);
	free_identity(&wrong_host);
	free_identity(&expired);
	free_identity(&client);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_client_certificate_needed),
	    cmocka_unit_test(test_accepted),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
