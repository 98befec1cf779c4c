/*
 * digest.h - SHA-256 (FIPS 180-4). The only user of OpenSSL in the engine.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/base.h"

enum { DIGEST_HEX_LEN = 64 };

/* The digest as lower-case hexadecimal text. */
void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX_LEN + 1]);

#endif
