/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine in a process, for the shim: an array of bytes as physical memory, CPUID leaves, a live port, the
 * kernel's functions (kernel_api.h) and, in place of guest/insn.c, the instructions.
 *
 * Kernel text and the copy of the ROM are mapped as a kernel maps them: never writable and executable at
 * once, so a stray write ends the test. Addresses in memory[] are physical addresses plus its start.
 */
#ifndef TESTS_LOOP_GUEST_MACHINE_H
#define TESTS_LOOP_GUEST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/guest.h>

#include "rom_fixture.h"

/*	0x0c0000  the option ROM window
 *	0x100000  kernel text
 *	0x110000  kernel data: the shim's state, policy, sites, areas
 *	0x180000  copies of the ROM
 *	0x200000  where a host puts its ROM
 *	0x300000  where a boot loader puts one
 *	0x380000  a PCI expansion ROM
 *	0x400000  end
 */
#define MACHINE_TEXT 0x100000
#define MACHINE_TEXT_SIZE 0x10000
#define MACHINE_COPIES 0x180000
#define MACHINE_HOST_ROM 0x200000
#define MACHINE_LOADER_ROM 0x300000
#define MACHINE_PCI_ROM 0x380000
#define MACHINE_SIZE 0x400000

#define MACHINE_SITES 1200
#define MACHINE_COPY_SIZES 4

/* CPUID leaves at one base. */
struct machine_leaves {
	uint32_t base;
	uint32_t regs[3][4]; /* eax ebx ecx edx of base, base + 1, base + 2 */
};

struct machine;

/* The host behind the machine: answers one hypercall. */
typedef uint32_t machine_host_fn(struct machine *machine, uint32_t call, uint64_t arg[4],
				 uint64_t *value);

struct machine {
	uint8_t *memory;
	/* In memory: */
	struct pvrom_guest *guest;
	struct pvrom_policy *policy;
	struct pvrom_site *sites;
	struct pvrom_vcpu_area *area;
	size_t site_count;
	uint32_t text_used;
	/* The processor. */
	bool hypervisor_bit;
	struct machine_leaves leaves[4];
	uint32_t leaf_count;
	/* The live port. */
	uint16_t live_port;
	uint32_t live_key;
	uint32_t live_nonce;
	/* The host. */
	machine_host_fn *host;
	void *host_data;
	/* Route 3. */
	struct {
		uint64_t gpa, size;
	} firmware[4];
	uint32_t firmware_count;
	/* Failures on demand: the n-th call from now fails, counted from 1; 0 never. */
	uint32_t fail_alloc, fail_seal, fail_write, fail_write_from;
	bool fail_gpa;
	uint8_t *far_copies; /* where copies of the ROM go, if not NULL */
	/* Called at each map, before it is answered. */
	void (*on_map)(struct machine *machine, uint64_t gpa, size_t size);
	/* What happened. */
	uint32_t maps, unmaps, allocs, frees, writes, rendezvous, hypercalls, port_accesses, cpuids;
	bool in_rendezvous, written_outside;
	uint32_t copies_used;
	/* Of the last copies, in the order in which they were given out and must come back. */
	size_t copy_size[MACHINE_COPY_SIZES];
	uint8_t text_before[MACHINE_TEXT_SIZE];
};

/* The machine that pvrom_os_x() and pvrom_insn_x() mean. */
extern struct machine *the_machine;

/* A machine without ROM, host and sites. The policy wants cpu, irq, smp and alarm. */
struct machine *machine_new(void);
void machine_free(struct machine *machine);
/* Done by machine_new(); again after memory was replaced. */
void machine_lay_out(struct machine *machine);

/* A site of a call with that native form, at the end of the kernel text. Returns its record. */
struct pvrom_site *machine_add_site(struct machine *machine, uint32_t call, const void *native,
				    uint8_t length);
/* Sites for all calls of the usual image, and one each that it has no slot for. */
void machine_add_usual_sites(struct machine *machine);
/* Any bytes in the kernel text; returns where. */
void *machine_add_text(struct machine *machine, const void *bytes, uint32_t size);
/* The text is complete: write-protects it and remembers it. */
void machine_seal_text(struct machine *machine);
bool machine_text_is_unchanged(const struct machine *machine);

/* Puts an image into memory, and leaves that name it. */
void machine_put_rom(struct machine *machine, uint64_t gpa, const uint8_t *image);
struct machine_leaves *machine_name_rom(struct machine *machine, uint32_t base, uint64_t gpa,
					const uint8_t *image);
/* A live port as the image declares it. */
void machine_answer_port(struct machine *machine, const uint8_t *image);

uint64_t machine_gpa(const struct machine *machine, const void *where);
void *machine_at(const struct machine *machine, uint64_t gpa);

/* pvrom_guest_init() and pvrom_guest_start() with all sites. */
uint32_t machine_start(struct machine *machine);

/* Expects a start that ends with this verdict, and nothing left behind: text unchanged, nothing
 * granted, no memory kept. */
void machine_expect_native(struct machine *machine, uint32_t verdict);

/* The address of a site. */
uint8_t *machine_site_text(const struct pvrom_site *site);

#endif
