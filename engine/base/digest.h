/*
 * digest.h - SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104). The only user of OpenSSL's libcrypto.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/base.h"

enum { DIGEST_LEN = 32, DIGEST_HEX_LEN = 2 * DIGEST_LEN };

/* The digest as lower-case hexadecimal text. */
void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX_LEN + 1]);

/* The code of a message, as bytes; out may be the key. */
void digest_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
		 unsigned char out[DIGEST_LEN]);

/* DIGEST_LEN bytes as lower-case hexadecimal text. */
void digest_hex(const unsigned char *sum, char out[DIGEST_HEX_LEN + 1]);

#endif
