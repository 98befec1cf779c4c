#include "kube/random.h"

#include <sys/random.h>

uint64_t random_u64(void)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
		abort();
	return n;
}

int64_t random_between(int64_t low, int64_t high)
{
	if (high <= low)
		return low;
	return low + (int64_t)(random_u64() % ((uint64_t)(high - low) + 1));
}

char *random_uuid(void)
{
	uint64_t high = random_u64(), low = random_u64();

	return xasprintf("%08llx-%04llx-4%03llx-%04llx-%012llx", (unsigned long long)(high >> 32),
			 (unsigned long long)((high >> 16) & 0xFFFF),
			 (unsigned long long)(high & 0xFFF),
			 (unsigned long long)(0x8000 | ((low >> 48) & 0x3FFF)),
			 (unsigned long long)(low & 0xFFFFFFFFFFFF));
}
