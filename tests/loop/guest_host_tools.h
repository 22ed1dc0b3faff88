/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the tests of negotiation share: a machine and a host that lies on demand. */
#ifndef TESTS_LOOP_GUEST_HOST_TOOLS_H
#define TESTS_LOOP_GUEST_HOST_TOOLS_H

#include <string.h>
#include <pvrom/guest.h>
#include "../../guest/guest_internal.h"
#include "../cunit_tap.h"
#include "fake_host.h"
#include "guest_machine.h"
#define BIT(NAME) PVROM_FEATURE_BIT(PVROM_FEATURE_##NAME)

static uint8_t image[FIXTURE_MAX] __attribute__((aligned(16)));
static uint8_t second[FIXTURE_MAX] __attribute__((aligned(16)));
static struct machine *m;
static struct fake_host host;

static inline void begin(void)
{
	m = machine_new();
	machine_add_usual_sites(m);
	fixture_build(image, &fixture_usual);
	fake_host_attach(m, &host, image);
}

static inline void begin_ready(void)
{
	begin();
	CU_ASSERT_EQUAL_FATAL(machine_start(m), PVROM_VERDICT_READY);
}

static inline void end(void)
{
	CU_ASSERT_EQUAL(m->maps, m->unmaps);
	CU_ASSERT_FALSE(m->written_outside);
	machine_free(m);
}

static inline void expect_native(uint32_t verdict)
{
	machine_expect_native(m, verdict);
	CU_ASSERT_EQUAL(host.sealed, 0);
}

static inline void grant_unwanted(struct pvrom_negotiation *n)
{
	n->granted |= BIT(MEM);
}

#endif
