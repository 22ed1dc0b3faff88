/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A host of a page, to be told how to misbehave. The real one has tests of its own together with the
 * shim; this one lies on demand.
 */
#ifndef TESTS_LOOP_FAKE_HOST_H
#define TESTS_LOOP_FAKE_HOST_H

#include "guest_machine.h"

struct fake_host {
	uint64_t offered;
	uint64_t advised;
	uint64_t epoch;
	uint64_t sealed;
	uint64_t pending;
	uint64_t area;
	uint64_t rom_gpa;
	uint32_t rom_size;
	uint32_t rom_checksum;
	/* Answers in place of right ones: a status (UINT32_MAX: none). */
	uint32_t query_status, propose_status, commit_status;
	/* The epoch moves this many times, each before a proposal, or before a commit of a set. */
	uint32_t moves_before_propose, moves_before_commit;
	/* The last word on what a call wrote. */
	void (*on_offer)(struct pvrom_offer *offer);
	void (*on_propose)(struct pvrom_negotiation *n);
	/* What happened. */
	uint32_t queries, proposals, commits, empty_commits, resets, others;
	uint32_t reset_status;
};

/* Puts image into memory, names it by CPUID leaves, and a host behind it that offers cpu, irq, smp
 * and alarm. Freed with the machine's memory: the caller keeps the structure. */
void fake_host_attach(struct machine *machine, struct fake_host *host, const uint8_t *image);

/* The ROM that the host names from now on. */
void fake_host_set_rom(struct machine *machine, struct fake_host *host, uint64_t gpa,
		       const uint8_t *image);

#endif
