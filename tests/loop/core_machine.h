/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The machine of guest_machine.h with a real host core behind it: the embedder's half, which notes what
 * it was asked to do.
 */
#ifndef TESTS_LOOP_CORE_MACHINE_H
#define TESTS_LOOP_CORE_MACHINE_H

#include <pvrom/guest.h>
#include <pvrom/host.h>

#include "../cunit_tap.h"
#include "guest_machine.h"

#define BIT(NAME) PVROM_FEATURE_BIT(PVROM_FEATURE_##NAME)
#define ALL (BIT(CPU) | BIT(IRQ) | BIT(SMP) | BIT(ALARM))
#define CORE_VCPUS 4
#define CORE_PORT 0x50
#define CORE_LEAVES 0x40000100

struct core_machine {
	struct machine *m;
	struct pvrom_host core;
	struct pvrom_host_vcpu vcpu[CORE_VCPUS];
	struct pvrom_host_ops ops;
	struct pvrom_host_config config;
	/* What was asked last: alarm 0 is none; events by vCPU. */
	uint64_t alarm, eois, sent[3];
	uint8_t alarm_vector, events[CORE_VCPUS];
};

/* A machine whose guest has not started, and a host that can be configured further. */
struct core_machine *core_machine_new(void);
/* The core with the configuration as it is now, its ROM in memory, its leaves. */
void core_machine_power_on(struct core_machine *b);
/* That, and the guest's start; returns its verdict. */
uint32_t core_machine_start(struct core_machine *b);
/* Expects all maps undone and no byte written that is not the guest's. */
void core_machine_free(struct core_machine *b);

#endif
