/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine for the host tests: guest memory with holes and borders, an embedder that notes what it was
 * asked to do, and short ways to make calls.
 *
 *	0x00000000 - 0x0003ffff	memory
 *	0x00080000 - 0x000bffff	memory; the ROM is at 0xa0000
 *	0x00200000 - 0x00207fff	memory whose pages lie in the host in backward order
 *	0x100000000 - 0x10000ffff	memory
 *
 * Behind each of the four there is an inaccessible page in the host. In sanitizer builds only what
 * translate has handed out for the present call is accessible.
 */
#ifndef TESTS_HOST_WORLD_H
#define TESTS_HOST_WORLD_H

#include <pthread.h>
#include <pvrom/host.h>
#include <string.h>

#include "../../host/host_internal.h"
#include "../cunit_tap.h"

#define WORLD_VCPUS 70
#define WORLD_LOW_END UINT64_C(0x40000)
#define WORLD_HOLE UINT64_C(0x60000)
#define WORLD_MID UINT64_C(0x80000)
#define WORLD_MID_END UINT64_C(0xc0000)
#define WORLD_ROM UINT64_C(0xa0000)
#define WORLD_BACK UINT64_C(0x200000)
#define WORLD_BACK_END UINT64_C(0x208000)
#define WORLD_HIGH UINT64_C(0x100000000)
#define WORLD_HIGH_END UINT64_C(0x100010000)
/* The embedder knows interrupt sources 0 to 15. */
#define WORLD_SOURCES 16
/* Vectors that world_negotiate() gives. */
#define WORLD_EPOCH_VECTOR 0xe0
#define WORLD_KICK_VECTOR 0xe2
#define WORLD_ALARM_VECTOR 0xe1

/* What the embedder was asked to do, in order. */
enum world_what {
	W_LOG,
	W_EVENT,
	W_ROUTE,
	W_MASK,
	W_EOI,
	W_SEND,
	W_START,
	W_KICK,
	W_ALARM_SET,
	W_ALARM_CANCEL,
	W_PARK,
	W_AREA,
	W_RESET,
};

struct world_event {
	enum world_what what;
	uint64_t arg[4];
};

struct world {
	struct pvrom_host host;
	struct pvrom_host_vcpu vcpu[WORLD_VCPUS];
	struct pvrom_host_ops ops;
	struct pvrom_host_config config;
	/* What the last call left. */
	struct pvrom_host_regs regs;
	enum pvrom_host_action action;
	/* The embedder. */
	uint64_t longest; /* translate gives at most so many bytes at once; 0: no limit */
	bool racing;	  /* several threads: no sanitizer tricks, no events */
	/* Hide memory only at every n-th call, for it takes its time; 0: always. */
	uint32_t hide_every;
	uint32_t calls;
	pthread_mutex_t mutex;
	int locked;
	bool running[WORLD_VCPUS];
	bool alarm[WORLD_VCPUS];
	uint8_t alarm_vector[WORLD_VCPUS];
	uint64_t alarm_tsc[WORLD_VCPUS];
	uint64_t tsc;
	char text[PVROM_LOG_MAX + 1];
	struct pvrom_smp_state started;
	struct world_event event[256];
	uint32_t events;
};

/* A machine of so many vCPUs, vCPU 0 running, all features, a ROM in its memory. */
void world_open(struct world *w, uint32_t vcpus);
/* The same, after config or ops were changed; everything else is as new. */
enum pvrom_host_result world_again(struct world *w);
void world_close(struct world *w);

/* The host's view of guest memory; NULL where there is none. */
void *world_at(struct world *w, uint64_t gpa);
/* Do all bytes of memory hold what they held at the last world_note()? Not of what translate hid. */
void world_note(struct world *w);
bool world_unchanged(struct world *w, uint64_t except, uint64_t len);

/* Makes a call from 64-bit mode, level 0, and returns its status. */
uint32_t world_call(struct world *w, uint32_t vcpu, uint32_t call, uint64_t a, uint64_t b,
		    uint64_t c);
/* Makes the call that stands in w->regs. */
uint32_t world_call_regs(struct world *w, uint32_t vcpu);

/* Writes a proposal for the current epoch, with all in order, at gpa. */
struct pvrom_negotiation *world_proposal(struct world *w, uint64_t gpa, uint64_t wanted,
					 uint64_t required);
/* Proposes and commits; returns the status of the commit. */
uint32_t world_negotiate(struct world *w, uint64_t wanted);

/* The n-th event of a kind since world_forget(), NULL if there are fewer. */
const struct world_event *world_event(const struct world *w, enum world_what what, uint32_t n);
/* Its argument, or a value that no test expects if there is no such event. */
uint64_t world_arg(const struct world *w, enum world_what what, uint32_t n, uint32_t index);
void world_forget(struct world *w);

#define FEATURE(NAME) PVROM_FEATURE_BIT(PVROM_FEATURE_##NAME)
#define ALL_FEATURES (FEATURE(CPU) | FEATURE(IRQ) | FEATURE(SMP) | FEATURE(ALARM))

/* The main() of a test: switches on the seeded bug named in PVROM_BUG, if any, and runs the tests. */
int world_main(const char *suite, const struct tap_test *tests);

#endif
