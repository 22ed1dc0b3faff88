/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * SHA-256, straight from FIPS 180-4 (the section numbers below are its).
 */
#include "digest.h"

/* 4.2.2: the first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 6.2.2, step 1, with a window of 16 words: word t of the message schedule. */
static uint32_t schedule(uint32_t w[16], unsigned int t)
{
	uint32_t w15 = w[(t + 1) & 15], w2 = w[(t + 14) & 15];

	if (t >= 16)
		w[t & 15] += (rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >> 3) + w[(t + 9) & 15] +
			     (rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >> 10);
	return w[t & 15];
}

/* 6.2.2: one block of 64 bytes. v holds a to h. */
static void add_block(uint32_t hash[8], const uint8_t *block)
{
	uint32_t w[16], v[8], t1, t2;
	unsigned int i, t;

	for (i = 0; i < 16; i++)
		w[i] = load_big_endian(block + 4 * i);
	for (i = 0; i < 8; i++)
		v[i] = hash[i];
	for (t = 0; t < 64; t++) {
		t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
		     ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_constant[t] + schedule(w, t);
		t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
		     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		for (i = 7; i > 0; i--)
			v[i] = v[i - 1];
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		hash[i] += v[i];
}

/* 5.1.1: the rest of the message, a one bit, zeros, and the length in bits: one block or two. */
static void add_last(uint32_t hash[8], const uint8_t *rest, size_t size, uint64_t total)
{
	uint8_t block[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		block[i] = i < size ? rest[i] : i == size ? 0x80 : 0;
	if (size >= 56) {
		add_block(hash, block);
		for (i = 0; i < 56; i++)
			block[i] = 0;
	}
	for (i = 0; i < 8; i++)
		block[56 + i] = (uint8_t)(total * 8 >> (56 - 8 * i));
	add_block(hash, block);
}

void pvrom_sha256(const void *data, size_t size, uint8_t digest[32])
{
	/* 5.3.3 */
	uint32_t hash[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	const uint8_t *byte = (const uint8_t *)data;
	size_t left;
	unsigned int i;

	for (left = size; left >= 64; left -= 64, byte += 64)
		add_block(hash, byte);
	add_last(hash, byte, left, size);
	for (i = 0; i < 32; i++)
		digest[i] = (uint8_t)(hash[i / 4] >> (24 - 8 * (i % 4)));
}
