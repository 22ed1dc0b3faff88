/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest that times exits and says on COM1 how long each round took, `KIND=TICKS`. Its command line is
 * "bare" (a port that nothing answers to; the machine needs no ROM) or "calls" (a call without registers
 * and one with, in turn). Entered by PVH from tests/monitor/guest_boot.S.
 */
#include <pvrom/abi.h>

#define ROUNDS 60
/* A round is so short that the machine below is seldom taken away in the middle of it. */
#define REPETITIONS 20
#define COM1 0x3f8
#define DEBUG_EXIT 0xf4
#define TRANSPORT 0xe4 /* pvrun's */
#define NOBODY 0xe0
#define START_INFO_CMDLINE 0x18

void tiny_main(uint32_t magic, uint64_t record);

static uint64_t first[ROUNDS], second[ROUNDS];
static struct pvrom_offer offer __attribute__((aligned(4096)));
static struct pvrom_negotiation words __attribute__((aligned(4096)));

/* ---- the three kinds, as a kernel's sites would do them ---------------------------------------------- */

static void bare(void)
{
	__asm__ volatile("outl %%eax, %0" : : "N"(NOBODY), "a"(0) : "memory");
}

static void void_call(void)
{
	uint32_t eax = PVROM_CPU_PAUSE;

	__asm__ volatile("outl %%eax, %1" : "+a"(eax) : "N"(TRANSPORT) : "rdx", "memory");
}

/* Arguments, a status and a value. */
static uint32_t full_call(uint32_t call, uint64_t arg0, uint64_t arg1)
{
	register uint64_t r8 __asm__("r8") = 0;
	register uint64_t r9 __asm__("r9") = 0;
	uint64_t rdx = 0;
	uint32_t eax = call;

	__asm__ volatile("outl %%eax, %6"
			 : "+a"(eax), "+d"(rdx), "+D"(arg0), "+S"(arg1), "+r"(r8), "+r"(r9)
			 : "N"(TRANSPORT)
			 : "memory");
	return eax;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static void say_byte(char byte)
{
	__asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"((uint16_t)COM1));
}

static void say(const char *text)
{
	while (*text)
		say_byte(*text++);
}

static void say_number(uint64_t value)
{
	char digits[20];
	uint32_t count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count--)
		say_byte(digits[count]);
}

static void end(uint32_t code)
{
	__asm__ volatile("outl %0, %1" : : "a"(code), "Nd"((uint16_t)DEBUG_EXIT));
	for (;;)
		__asm__ volatile("hlt");
}

/* ---- timing ---------------------------------------------------------------------------------------------- */

static uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static uint64_t time_bare(void)
{
	uint64_t begin = now();
	uint32_t i;

	for (i = 0; i < REPETITIONS; i++)
		bare();
	return now() - begin;
}

static uint64_t time_void(void)
{
	uint64_t begin = now();
	uint32_t i;

	for (i = 0; i < REPETITIONS; i++)
		void_call();
	return now() - begin;
}

static uint64_t time_regs(void)
{
	uint64_t begin = now();
	uint32_t i;

	for (i = 0; i < REPETITIONS; i++)
		full_call(PVROM_BASE_VERSION, i, i);
	return now() - begin;
}

static void tell(const char *kind, const uint64_t ticks[ROUNDS])
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		say(kind);
		say_number(ticks[i]);
		say_byte('\n');
	}
}

static void do_bare(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		first[i] = time_bare();
	tell("bare=", first);
}

static void do_calls(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		first[i] = time_void();
		second[i] = time_regs();
	}
	tell("void=", first);
	tell("regs=", second);
}

/* The calls that are timed are served, not denied. */
static void seal(void)
{
	if (full_call(PVROM_BASE_QUERY, (uintptr_t)&offer, sizeof(offer)))
		end(1);
	words.size = sizeof(words);
	words.major = PVROM_MAJOR;
	words.epoch = offer.epoch;
	words.wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_CPU);
	if (full_call(PVROM_BASE_NEGOTIATE, (uintptr_t)&words, PVROM_NEGOTIATE_PROPOSE) ||
	    full_call(PVROM_BASE_NEGOTIATE, (uintptr_t)&words, PVROM_NEGOTIATE_COMMIT))
		end(2);
}

void tiny_main(uint32_t magic, uint64_t record)
{
	const char *line = (const char *)*(const uint64_t *)(record + START_INFO_CMDLINE);

	(void)magic;
	if (line[0] == 'b') {
		do_bare();
	} else {
		seal();
		do_calls();
	}
	end(0);
}
