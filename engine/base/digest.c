#include "base/digest.h"

#include <openssl/evp.h>

void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX_LEN + 1])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (EVP_Digest(bytes, len, sum, &n, EVP_sha256(), NULL) != 1)
		abort();
	for (unsigned int i = 0; i < n; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", sum[i]);
}
