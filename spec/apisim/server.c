#include "spec/apisim/server.h"

#include <sys/random.h>

#include "base/timefmt.h"

const char *server_now(char out[32])
{
	time_format(time_now_ms(), false, out);
	return out;
}

static void random_bytes(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		abort();
}

void random_uid(char out[37])
{
	unsigned char b[16];

	random_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

void random_suffix(char out[6])
{
	/* No vowels and no look-alikes, as apimachinery's rand.String. */
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	unsigned char b[5];

	random_bytes(b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++)
		out[i] = letters[b[i] % (sizeof(letters) - 1)];
	out[5] = '\0';
}
