#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

/* The examples of FIPS 180-4, and the empty text. */
static void known_digests(void **state UNUSED)
{
	static const struct {
		const char *text, *hex;
	} table[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char hex[DIGEST_HEX_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		digest_sha256(table[i].text, strlen(table[i].text), hex);
		assert_string_equal(hex, table[i].hex);
	}
}

/* RFC 4231, cases 1, 2 and 6: a key that is longer than a block. */
static void known_codes(void **state UNUSED)
{
	static const unsigned char long_key[131] = {[0 ... 130] = 0xAA},
				   short_key[20] = {[0 ... 19] = 0x0B};
	static const struct {
		const void *key;
		size_t key_len;
		const char *text, *hex;
	} table[] = {
	    {short_key, sizeof(short_key), "Hi There",
	     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	    {"Jefe", 4, "what do ya want for nothing?",
	     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	    {long_key, sizeof(long_key), "Test Using Larger Than Block-Size Key - Hash Key First",
	     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};
	unsigned char code[DIGEST_LEN];
	char hex[DIGEST_HEX_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		digest_hmac(table[i].key, table[i].key_len, table[i].text, strlen(table[i].text),
			    code);
		digest_hex(code, hex);
		assert_string_equal(hex, table[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(known_digests),
					   cmocka_unit_test(known_codes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
