/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the hostile targets share: bytes taken from an input, promises that must hold whatever the bytes
 * are, and planted faults that show that a broken promise would be noticed.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the input: numbers are little-endian, and an input that is used up gives zeros -------------- */

struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint64_t take(struct input *in, uint32_t size)
{
	uint64_t value = 0;
	uint32_t i;

	for (i = 0; i < size && in->left; i++, in->left--)
		value |= (uint64_t)*in->at++ << (8 * i);
	return value;
}

static inline uint8_t take8(struct input *in)
{
	return (uint8_t)take(in, 1);
}

static inline uint16_t take16(struct input *in)
{
	return (uint16_t)take(in, 2);
}

static inline uint32_t take32(struct input *in)
{
	return (uint32_t)take(in, 4);
}

static inline uint64_t take64(struct input *in)
{
	return take(in, 8);
}

/* ---- promises ---------------------------------------------------------------------------------- */

/* A broken promise ends the process: a fuzzer keeps the input, and a replay says which it was. */
#define PROMISE(what)                                                                              \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #what);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* ---- what a target is -------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed);

/* The names of the target's planted faults, ended by NULL. */
extern const char *const hostile_faults[];
/* Switches one of them on. */
void hostile_plant(const char *fault);

#define HOSTILE_NAME_(name, number) name,
#define HOSTILE_NUMBER_(name, number) number,
/*
 * Both, for a target whose faults are numbers, of checks that are taken out or of mistakes: TABLE(X) is a list of
 * X(name, number), and `planted` the variable that says which it is.
 */
#define HOSTILE_FAULTS(TABLE, planted)                                                             \
	const char *const hostile_faults[] = { TABLE(HOSTILE_NAME_) NULL };                        \
	void hostile_plant(const char *fault)                                                      \
	{                                                                                          \
		static const uint32_t number_[] = { TABLE(HOSTILE_NUMBER_) };                      \
		size_t i;                                                                          \
                                                                                                   \
		for (i = 0; hostile_faults[i]; i++)                                                \
			if (!strcmp(hostile_faults[i], fault))                                     \
				(planted) = (__typeof__(planted))number_[i];                       \
	}

/* For a target whose inputs need no mutator of their own. */
#define HOSTILE_PLAIN_MUTATOR                                                                      \
	size_t LLVMFuzzerCustomMutator(uint8_t *mutated, size_t length, size_t most,               \
				       unsigned int mutation)                                      \
	{                                                                                          \
		(void)mutation;                                                                    \
		return LLVMFuzzerMutate(mutated, length, most);                                    \
	}

#endif
