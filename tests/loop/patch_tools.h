/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the tests of patching share: a machine, and what a site is expected to hold. */
#ifndef TESTS_LOOP_PATCH_TOOLS_H
#define TESTS_LOOP_PATCH_TOOLS_H

#include <string.h>
#include <sys/mman.h>
#include <pvrom/guest.h>
#include "../cunit_tap.h"
#include "fake_host.h"
#include "guest_machine.h"

static uint8_t image[FIXTURE_MAX] __attribute__((aligned(16)));
static struct machine *m;
static struct fake_host host;

static inline void begin(void)
{
	m = machine_new();
	fixture_build(image, &fixture_usual);
}

/* Attaches the host with the image as it is now, and starts. */
static inline uint32_t start(void)
{
	fake_host_attach(m, &host, image);
	return machine_start(m);
}

static inline void begin_ready(void)
{
	begin();
	machine_add_usual_sites(m);
	CU_ASSERT_EQUAL_FATAL(start(), PVROM_VERDICT_READY);
}

static inline void end(void)
{
	CU_ASSERT_FALSE(m->written_outside);
	machine_free(m);
}

/* The n-th site of a call, from 0. */
static inline struct pvrom_site *site_of(uint32_t call, uint32_t n)
{
	for (size_t i = 0; i < m->site_count; i++)
		if (m->sites[i].call == call && !n--)
			return &m->sites[i];
	return NULL;
}

static inline const uint8_t *site_text(uint32_t call)
{
	return machine_site_text(site_of(call, 0));
}

static inline void expect_bytes(const struct pvrom_site *site, const char *bytes)
{
	const uint8_t *p = machine_site_text(site);

	CU_ASSERT_EQUAL(memcmp(p, bytes, site->length), 0);
	CU_ASSERT_EQUAL(p[site->length], 0xcc); /* and not one more */
	if (memcmp(p, bytes, site->length))
		tap_note("call %04x: %02x %02x %02x %02x %02x", site->call, p[0], p[1], p[2], p[3],
			 p[4]);
}

static inline void expect_native(const struct pvrom_site *site)
{
	const uint8_t *p = machine_site_text(site);

	CU_ASSERT_EQUAL(
		memcmp(p, m->text_before + (machine_gpa(m, p) - MACHINE_TEXT), site->length), 0);
}

/* A branch with this opcode at the end of the site, after prefixes, to the text of its call. */
static inline void expect_branch(const struct pvrom_site *site, uint8_t opcode)
{
	const uint8_t *p = machine_site_text(site), *end = p + site->length;
	int32_t rel;

	for (; p < end - 5; p++)
		CU_ASSERT_EQUAL(*p, 0x2e);
	CU_ASSERT_EQUAL(*p, opcode);
	memcpy(&rel, p + 1, 4);
	CU_ASSERT_PTR_EQUAL((const void *)((uintptr_t)end + (uintptr_t)(intptr_t)rel),
			    m->guest->copy + fixture_slot(image, site->call)->text);
}

/* Functions of one site and a ret. */
static inline void *add_function(uint32_t call, const char *native, uint8_t length)
{
	struct pvrom_site *site = machine_add_site(m, call, native, length);

	m->text_used--; /* over the int3 */
	machine_add_text(m, "\xc3", 1);
	return machine_site_text(site);
}

static inline uint64_t run(const void *where)
{
	uint64_t value;

	__asm__ volatile("call *%1" : "=a"(value) : "r"(where) : "memory", "cc");
	return value;
}

#endif
