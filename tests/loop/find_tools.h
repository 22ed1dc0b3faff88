/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the tests of discovery and loading share: a machine, an image, a host. */
#ifndef TESTS_LOOP_FIND_TOOLS_H
#define TESTS_LOOP_FIND_TOOLS_H

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <pvrom/guest.h>
#include "../cunit_tap.h"
#include "fake_host.h"
#include "guest_machine.h"

static uint8_t image[FIXTURE_MAX] __attribute__((aligned(16)));
static struct machine *m;
static struct fake_host host;

/* A machine with sites, an image that is nowhere yet, and no host. */
static inline void begin(void)
{
	m = machine_new();
	machine_add_usual_sites(m);
	fixture_build(image, &fixture_usual);
}

/* The same with a host that names the image by CPUID. */
static inline void begin_with_host(void)
{
	begin();
	fake_host_attach(m, &host, image);
}

static inline void expect(uint32_t verdict)
{
	machine_expect_native(m, verdict);
	machine_free(m);
}

/* Starts and expects READY by a route. Leaves the machine for more questions. */
static inline void expect_ready(uint32_t route)
{
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->route, route);
	CU_ASSERT_EQUAL(m->guest->rom_checksum, fixture_header(image)->checksum);
	CU_ASSERT_EQUAL(m->guest->rom_size, fixture_header(image)->rom_size);
	CU_ASSERT_NOT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_EQUAL(m->maps, m->unmaps);
}

/* Puts the image somewhere without leaves, with a live port and a host behind it. */
static inline void put_with_port(uint64_t gpa)
{
	fake_host_attach(m, &host, image);
	m->leaf_count = 0;
	m->hypervisor_bit = false;
	memset(machine_at(m, MACHINE_HOST_ROM), 0, FIXTURE_MAX);
	fake_host_set_rom(m, &host, gpa, image);
	machine_answer_port(m, image);
}

#endif
