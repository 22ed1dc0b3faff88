/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-probe.efi in a test's process, on a made-up firmware, with the real host half behind the calls of its shim: in
 * place of guest/insn.c and of the walk of page tables. Guest-physical addresses are the process's own.
 */
#ifndef TESTS_PROBE_EFI_WORLD_H
#define TESTS_PROBE_EFI_WORLD_H

#include "efi_made_up.h"

#include <pvrom/clock_host.h>
#include <pvrom/host.h>

#include "../cunit_tap.h"

#define WORLD_NO_STATUS UINT32_MAX

/* What a host does wrong. Statuses in place of its own: WORLD_NO_STATUS is none. */
struct world_fault {
	uint32_t query, propose, commit, commit_nothing, reset, page;
	bool silent;	  /* the live port does not answer */
	bool reasons;	  /* a reason for something that is offered */
	bool grants_more; /* than was asked for */
	bool grants_less; /* than was offered */
	bool page_stands; /* it is not written after it was registered */
	bool page_opened; /* a write of it that never ends */
	bool moves;	  /* the epoch, at each proposal */
};

struct efi_world {
	struct pvrom_host host;
	struct pvrom_host_vcpu vcpu;
	struct pvrom_clock_host clock;
	struct world_fault fault;
	const uint8_t *rom;
	size_t rom_size;
	uint32_t calls, low_calls; /* of these with interrupts on */
	char console[32768], serial[32768];
	size_t console_size, serial_size;
};

extern struct efi_world world;

/* A machine as new: console, shell, 100 rows; a ROM in memory, in no place that is looked at; a host without faults. */
void world_start(void);
/* Its ROM, or a copy of it that may be changed, as a PCI device's or as the table's. */
uint8_t *world_copy(uint32_t extra);
void world_pci(const uint8_t *image, uint64_t size);
void world_table(const uint8_t *image);
/* Runs pvrom-probe.efi with these arguments, each divided by one blank. */
EFI_STATUS world_run(const char *arguments);
/* Is there such a line (a part of one, as it stands) on the console? */
bool world_said(const char *text);

#endif
