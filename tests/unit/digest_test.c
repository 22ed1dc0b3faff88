/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * CRC-32 and SHA-256 against published vectors and against slow, obvious versions.
 */
#include <stdlib.h>
#include <string.h>

#include <pvrom/abi.h>

#include "../../digest/digest.h"
#include "../cunit_tap.h"

static void crc32_of_the_check_string(void)
{
	/* The check value of CRC-32/ISO-HDLC in every catalogue of CRCs. */
	CU_ASSERT_EQUAL(pvrom_crc32(0, "123456789", 9), 0xcbf43926);
	CU_ASSERT_EQUAL(pvrom_crc32(0, "", 0), 0);
	CU_ASSERT_EQUAL(pvrom_crc32(0, "a", 1), 0xe8b7be43);
}

/* Bit by bit, as the polynomial is written. */
static uint32_t crc32_slow(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size * 8; i++) {
		uint32_t bit = (uint32_t)(data[i / 8] >> i % 8) & 1;

		crc = (crc ^ bit) & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void crc32_equals_the_slow_one(void)
{
	uint8_t data[600];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 167 + (i >> 3));
	for (size_t size = 0; size < sizeof(data); size += 7)
		CU_ASSERT_EQUAL(pvrom_crc32(0, data, size), crc32_slow(data, size));
}

static void crc32_goes_on(void)
{
	CU_ASSERT_EQUAL(pvrom_crc32(pvrom_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
	CU_ASSERT_EQUAL(pvrom_crc32(pvrom_crc32(0, "", 0), "123456789", 9), 0xcbf43926);
}

static void rom_checksum_leaves_two_fields_out(void)
{
	uint8_t rom[512], zeroed[512];
	uint32_t sum;

	for (size_t i = 0; i < sizeof(rom); i++)
		rom[i] = (uint8_t)(i + 1);
	memcpy(zeroed, rom, sizeof(rom));
	zeroed[4] = 0;
	memset(zeroed + 0x34, 0, 4);
	sum = pvrom_rom_checksum(rom, sizeof(rom));
	CU_ASSERT_EQUAL(sum, crc32_slow(zeroed, sizeof(zeroed)));
	for (size_t i = 0; i < sizeof(rom); i++) {
		rom[i] ^= 0x10;
		CU_ASSERT_EQUAL(pvrom_rom_checksum(rom, sizeof(rom)) == sum,
				i == 4 || (i >= 0x34 && i < 0x38));
		rom[i] ^= 0x10;
	}
}

static void expect_sha256(const void *data, size_t size, const char *hex)
{
	uint8_t digest[32];
	char text[65];

	pvrom_sha256(data, size, digest);
	for (size_t i = 0; i < 32; i++) {
		text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	text[64] = 0;
	CU_ASSERT_STRING_EQUAL(text, hex);
}

/* The examples of NIST's "Cryptographic Standards and Guidelines", SHA-256. */
static void sha256_of_the_examples(void)
{
	const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *million = malloc(1000000);

	expect_sha256("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_sha256("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect_sha256(two, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	expect_sha256(million, 1000000,
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

/* Lengths around the places where the padding changes; sums by coreutils' sha256sum. */
static void sha256_around_block_ends(void)
{
	char zero[128] = { 0 };

	expect_sha256(zero, 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
	expect_sha256(zero, 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
	expect_sha256(zero, 63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971");
	expect_sha256(zero, 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
	expect_sha256(zero, 65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7");
	expect_sha256(zero, 119,
		      "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e");
	expect_sha256(zero, 128,
		      "38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca");
}

int main(void)
{
	static const struct tap_test tests[] = { TAP_TEST(crc32_of_the_check_string),
						 TAP_TEST(crc32_equals_the_slow_one),
						 TAP_TEST(crc32_goes_on),
						 TAP_TEST(rom_checksum_leaves_two_fields_out),
						 TAP_TEST(sha256_of_the_examples),
						 TAP_TEST(sha256_around_block_ends),
						 { 0 } };

	return tap_run("digest", tests);
}
