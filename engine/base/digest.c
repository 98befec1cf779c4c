#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

void digest_hex(const unsigned char *sum, char out[DIGEST_HEX_LEN + 1])
{
	for (size_t i = 0; i < DIGEST_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX_LEN + 1])
{
	unsigned char sum[DIGEST_LEN];

	if (EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL) != 1)
		abort();
	digest_hex(sum, out);
}

void digest_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
		 unsigned char out[DIGEST_LEN])
{
	unsigned char sum[DIGEST_LEN];

	if (HMAC(EVP_sha256(), key, (int)key_len, bytes, len, sum, NULL) == NULL)
		abort();
	memcpy(out, sum, sizeof(sum));
}
