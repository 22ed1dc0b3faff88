/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the tiny guest's files share. */
#ifndef TINY_H
#define TINY_H

#include <pvrom/abi.h>
#include <stdbool.h>
#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void say(const char *text)
{
	for (; *text; text++)
		out8(0x3f8, (uint8_t)*text);
}

static inline void say_number(uint64_t value)
{
	char digits[21], *at = digits + 20;

	*at = 0;
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	say(at);
}

static inline void say_line(const char *what, uint64_t value)
{
	say(what);
	say("=");
	say_number(value);
	say("\n");
}

static inline void end(uint64_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"((uint32_t)value), "Nd"((uint16_t)0xf4));
}

static inline uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* tiny_calls.c */
uint32_t call(uint32_t number, uint64_t first, uint64_t second, uint64_t third);
uint32_t seal(uint64_t features, uint8_t alarm_vector);
uint32_t start_at(uint64_t id, void (*main)(uint64_t id));
void check(bool good, const char *what);
void check_end(void);
void try_calls(void);
void try_start(uint64_t cpus);
void try_storm(uint64_t cpus);
void try_talk(void);
void try_batch(void);
void try_spin(uint64_t cpus);
void shut_down(uint64_t how, uint64_t code);

/* tiny_interrupts.c */
#define VECTOR_ALARM 0x40
#define VECTOR_SENT 0x41
#define VECTOR_PIT 0x44
#define MS 2600000ull		     /* TSC ticks, about; only patience depends on it */
extern volatile uint64_t count[256]; /* how often a vector has come */
void write_msr(uint32_t msr, uint64_t value);
void turn_on_x2apic(void);
void interrupts_set_up(void); /* of the first CPU: handlers, and its APIC on */
void wait(uint64_t ticks);
void set_alarm(uint64_t at);
/* Interrupts on until the vector has come so often, or the time is over: false. */
bool came(unsigned int vector, uint64_t times, uint64_t patience);
/* The same with a patience of several seconds. */
bool comes(unsigned int vector, uint64_t times);
void try_interrupts(void);

/* tiny_lost.c */
void try_lost(char how);

/* tiny_sleep.c */
void try_sleep(bool vector);

#endif
