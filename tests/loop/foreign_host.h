/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A host of other makers for the tests of the adapters: a CPUID table, MSRs, and pages that it would write. */
#ifndef TESTS_FOREIGN_HOST_H
#define TESTS_FOREIGN_HOST_H

#include <pvrom/clock_source.h>
#include <pvrom/discovery.h>

#include <string.h>

#include "../../pvclock/foreign.h"
#include "../cunit_tap.h"

#define MSR_KVM_WALL 0x4b564d00u
#define MSR_KVM_TIME 0x4b564d01u
#define MSR_HYPERV_TSC 0x40000021u
#define NS UINT64_C(1000000000)
#define CPUS 4u
#define HZ UINT64_C(2596000000)

struct leaf {
	uint32_t leaf, regs[4];
};

extern struct foreign_host {
	struct leaf leaves[16];
	uint32_t count;
	uint32_t unknown_msrs;	    /* accesses to MSRs that this host has not promised */
	uint32_t hypervisor_leaves; /* looked at */
	uint64_t kvm_time, kvm_wall, hyperv_tsc;
	struct pvrom_kvm_page kvm_page;
	struct pvrom_kvm_wall kvm_wall_page;
	struct pvrom_hyperv_page hyperv_page;
} host;

extern struct foreign_memory {
	_Alignas(4096) uint8_t shared[4096];
	_Alignas(4096) uint8_t own[4096];
	_Alignas(4096) uint8_t page[4096];
} memory;

extern const struct pvrom_clock_os foreign_os;

void add_leaf(uint32_t leaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d);
void add_signature(uint32_t base, uint32_t max, const char text[12]);
/* A machine with basic leaves up to max_leaf and nothing else. */
void empty_host(uint32_t max_leaf, bool hypervisor);
void add_kvm(uint32_t base);
void add_hyperv(void);
/* All that the kernel can offer, but for a page of pvrom and one of VMClock. */
struct pvrom_clock_offer everything(void);
/* The sources before that one. */
uint32_t barring(uint32_t from);
/* A VMClock page of a TSC at HZ: UTC 4,000,000,000 s (2096) at TSC 0. */
struct pvrom_clock_page *vmclock_page(void);

#endif
