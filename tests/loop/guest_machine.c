/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine in a process, for the shim.
 */
#include "guest_machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pvrom/kernel_api.h>

#include "../../guest/guest_internal.h"
#include "../cunit_tap.h"

#define PAGE 0x1000u

struct machine *the_machine;

/* ---- memory -------------------------------------------------------------------------------------- */

static void protect(void *where, size_t size, int protection)
{
	size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
	if (mprotect(where, size, protection))
		abort();
}

uint64_t machine_gpa(const struct machine *machine, const void *where)
{
	return (uint64_t)((const uint8_t *)where - machine->memory);
}

void *machine_at(const struct machine *machine, uint64_t gpa)
{
	return machine->memory + gpa;
}

static void *take(struct machine *machine, uint64_t *at, size_t size)
{
	void *where = machine_at(machine, *at);

	*at += (size + PVROM_VCPU_AREA_ALIGN - 1) & ~(size_t)(PVROM_VCPU_AREA_ALIGN - 1);
	return where;
}

/* Gives the parts of kernel data their places, and the policy its usual words. */
void machine_lay_out(struct machine *m)
{
	uint64_t data = MACHINE_TEXT + MACHINE_TEXT_SIZE;

	m->guest = take(m, &data, sizeof(*m->guest));
	m->policy = take(m, &data, sizeof(*m->policy));
	m->area = take(m, &data, sizeof(*m->area));
	m->sites = take(m, &data, MACHINE_SITES * sizeof(*m->sites));
	m->policy->wanted =
		PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) |
		PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) | PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM);
	m->policy->alarm_vector = 0x40;
	m->policy->epoch_vector = 0x41;
	m->policy->percpu = PVROM_PERCPU_GS;
	m->policy->percpu_offset = 0x100;
	pvrom_guest_init(m->guest, m->policy, m);
}

struct machine *machine_new(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->memory = mmap(NULL, MACHINE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (m->memory == MAP_FAILED)
		abort();
	the_machine = m;
	machine_lay_out(m);
	return m;
}

void machine_free(struct machine *machine)
{
	munmap(machine->memory, MACHINE_SIZE);
	free(machine);
	the_machine = NULL;
}

/* ---- kernel text --------------------------------------------------------------------------------- */

uint8_t *machine_site_text(const struct pvrom_site *site)
{
	return (uint8_t *)((uintptr_t)site + (uintptr_t)(intptr_t)site->offset);
}

void *machine_add_text(struct machine *machine, const void *bytes, uint32_t size)
{
	void *where = machine_at(machine, MACHINE_TEXT + machine->text_used);

	memcpy(where, bytes, size);
	machine->text_used += size;
	return where;
}

struct pvrom_site *machine_add_site(struct machine *machine, uint32_t call, const void *native,
				    uint8_t length)
{
	struct pvrom_site *site = &machine->sites[machine->site_count++];
	const uint8_t *text = machine_add_text(machine, native, length);

	site->offset = (int32_t)(text - (const uint8_t *)site);
	site->call = (uint16_t)call;
	site->length = length;
	machine_add_text(machine, "\xcc", 1);
	return site;
}

void machine_add_usual_sites(struct machine *machine)
{
	static const struct {
		uint32_t call;
		uint8_t length;
		uint8_t native[16];
	} usual[] = {
		{ PVROM_CPU_CLI, 5, { 0x2e, 0x2e, 0x2e, 0x2e, 0xfa } },
		{ PVROM_CPU_STI, 5, { 0x2e, 0x2e, 0x2e, 0x2e, 0xfb } },
		{ PVROM_CPU_PAUSE, 5, { 0x2e, 0x2e, 0x2e, 0xf3, 0x90 } },
		{ PVROM_CPU_READ_CR0, 5, { 0x2e, 0x2e, 0x0f, 0x20, 0xc0 } },
		{ PVROM_CPU_READ_CR2, 5, { 0x2e, 0x2e, 0x0f, 0x20, 0xd0 } },
		{ PVROM_CPU_READ_CR3, 6, { 0x2e, 0x2e, 0x2e, 0x0f, 0x20, 0xd8 } },
		{ PVROM_CPU_READ_CR8, 5, { 0x2e, 0x44, 0x0f, 0x20, 0xc0 } },
		{ PVROM_CPU_READ_DR6, 5, { 0x2e, 0x2e, 0x0f, 0x21, 0xf0 } },
		{ PVROM_CPU_READ_DR6,
		  12,
		  { 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x0f, 0x21, 0xf0 } },
		{ PVROM_CPU_IRET, 5, { 0x2e, 0x2e, 0x2e, 0x48, 0xcf } },
		{ PVROM_CPU_SWAPGS, 5, { 0x2e, 0x2e, 0x0f, 0x01, 0xf8 } },
		{ PVROM_CPU_WBINVD, 5, { 0x2e, 0x2e, 0x2e, 0x0f, 0x09 } },
		{ PVROM_CPU_STORE_TR, 8, { 0x2e, 0x2e, 0x2e, 0x2e, 0x48, 0x0f, 0x00, 0xc8 } },
		{ PVROM_IRQ_EOI, 5, { 0xe8, 1, 2, 3, 4 } },
		{ PVROM_CLOCK_ALARM_CANCEL, 5, { 0xe8, 5, 6, 7, 8 } },
		{ PVROM_CPU_HALT, 5, { 0x2e, 0x2e, 0x2e, 0x2e, 0xf4 } },
		{ PVROM_MMU_SET_ENTRY, 5, { 0x2e, 0x2e, 0x48, 0x89, 0x37 } },
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		machine_add_site(machine, usual[i].call, usual[i].native, usual[i].length);
	machine_seal_text(machine);
}

void machine_seal_text(struct machine *machine)
{
	memcpy(machine->text_before, machine_at(machine, MACHINE_TEXT), MACHINE_TEXT_SIZE);
	protect(machine_at(machine, MACHINE_TEXT), MACHINE_TEXT_SIZE, PROT_READ | PROT_EXEC);
}

bool machine_text_is_unchanged(const struct machine *machine)
{
	return !memcmp(machine->text_before, machine_at(machine, MACHINE_TEXT), MACHINE_TEXT_SIZE);
}

/* ---- ROM, leaves, port --------------------------------------------------------------------------- */

void machine_put_rom(struct machine *machine, uint64_t gpa, const uint8_t *image)
{
	memcpy(machine_at(machine, gpa), image, ((const struct pvrom_rom_header *)image)->rom_size);
}

struct machine_leaves *machine_name_rom(struct machine *machine, uint32_t base, uint64_t gpa,
					const uint8_t *image)
{
	const struct pvrom_rom_header *h = (const struct pvrom_rom_header *)image;
	struct machine_leaves *l = &machine->leaves[machine->leaf_count++];

	machine->hypervisor_bit = true;
	*l = (struct machine_leaves){
		.base = base,
		.regs = { { base + 2, PVROM_CPUID_SIGNATURE_EBX, PVROM_CPUID_SIGNATURE_ECX,
			    PVROM_CPUID_SIGNATURE_EDX },
			  { (uint32_t)h->major << 16 | h->minor, 0, h->rom_size, h->checksum },
			  { (uint32_t)gpa, (uint32_t)(gpa >> 32),
			    h->transport | (uint32_t)h->transport_port << 16, 0 } },
	};
	return l;
}

void machine_answer_port(struct machine *machine, const uint8_t *image)
{
	const struct pvrom_rom_header *h = (const struct pvrom_rom_header *)image;

	machine->live_port = h->live_port;
	machine->live_key = h->live_key;
}

/* ---- the instructions (in place of guest/insn.c) ------------------------------------------------- */

/* What a leaf above the highest basic one answers on Intel: the highest basic leaf (SDM vol. 2A,
 * CPUID). It looks like a maximum of 0x16 and nonsense. */
static const uint32_t basic_leaf[4] = { 0x16, 0x756e6547, 0x6c65746e, 0x49656e69 };

void pvrom_insn_cpuid(uint32_t leaf, uint32_t regs[4])
{
	const struct machine *m = the_machine;

	the_machine->cpuids++;
	memcpy(regs, basic_leaf, sizeof(basic_leaf));
	if (leaf == 1) {
		memset(regs, 0, sizeof(basic_leaf));
		regs[2] = (uint32_t)m->hypervisor_bit << PVROM_CPUID_HYPERVISOR_BIT;
	}
	for (uint32_t i = 0; i < m->leaf_count; i++)
		if (leaf - m->leaves[i].base < 3)
			memcpy(regs, m->leaves[i].regs[leaf - m->leaves[i].base], 16);
}

uint32_t pvrom_insn_in32(uint16_t port)
{
	struct machine *m = the_machine;
	uint32_t answer;

	m->port_accesses++;
	if (!m->live_port || port != m->live_port)
		return 0xffffffff;
	answer = m->live_key ^ m->live_nonce;
	m->live_nonce = 0;
	return answer;
}

void pvrom_insn_out32(uint16_t port, uint32_t value)
{
	the_machine->port_accesses++;
	if (port == the_machine->live_port)
		the_machine->live_nonce = value;
}

uint32_t pvrom_insn_nonce(void)
{
	static uint32_t nonce = 0x1234567;

	return nonce += 2;
}

/* Dead argument registers are the host's to destroy, so it gets copies. */
uint32_t pvrom_insn_hypercall(uint32_t transport, uint16_t port, uint32_t call,
			      const uint64_t arg[4], uint64_t *value)
{
	struct machine *m = the_machine;
	uint64_t copy[4];

	m->hypercalls++;
	CU_ASSERT_NOT_EQUAL(transport, PVROM_TRANSPORT_NONE);
	CU_ASSERT_EQUAL(transport == PVROM_TRANSPORT_PORT, port != 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m->host);
	memcpy(copy, arg, sizeof(copy));
	*value = 0;
	return m->host(m, call, copy, value);
}

/* ---- the kernel's functions ---------------------------------------------------------------------- */

const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	struct machine *m = os;

	CU_ASSERT_TRUE(gpa + size > gpa); /* nobody may ask for a range that wraps */
	if (m->on_map)
		m->on_map(m, gpa, size);
	if (gpa >= MACHINE_SIZE || size > MACHINE_SIZE - gpa)
		return NULL;
	m->maps++;
	return m->memory + gpa;
}

void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	struct machine *m = os;

	CU_ASSERT_TRUE(machine_gpa(m, where) + size <= MACHINE_SIZE);
	m->unmaps++;
}

uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	struct machine *m = os;
	uint64_t gpa = machine_gpa(m, where);

	return m->fail_gpa || gpa >= MACHINE_SIZE || size > MACHINE_SIZE - gpa ? 0 : gpa;
}

static bool fails(uint32_t *countdown)
{
	return *countdown && --*countdown == 0;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	struct machine *m = os;
	uint32_t pages = ((uint32_t)size + PAGE - 1) / PAGE;
	uint8_t *copies = m->far_copies ? m->far_copies : machine_at(m, MACHINE_COPIES);
	uint8_t *where = copies + m->copies_used * PAGE;

	if (fails(&m->fail_alloc))
		return NULL;
	CU_ASSERT_TRUE_FATAL((m->copies_used + pages) * PAGE <= MACHINE_HOST_ROM - MACHINE_COPIES);
	m->copies_used += pages;
	m->copy_size[m->allocs++ % MACHINE_COPY_SIZES] = size;
	memset(where, 0xcc, pages * PAGE);
	return where;
}

/* Freed memory is poisoned and never given out again: a stale jump or read is noticed. */
void pvrom_os_text_free(void *os, void *where, size_t size)
{
	struct machine *m = os;

	CU_ASSERT_EQUAL(size, m->copy_size[m->frees++ % MACHINE_COPY_SIZES]);
	protect(where, size, PROT_NONE);
}

bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	struct machine *m = os;

	if (fails(&m->fail_seal))
		return false;
	protect(where, size, PROT_READ | PROT_EXEC);
	return true;
}

bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	struct machine *m = os;
	uint64_t gpa = machine_gpa(m, where);

	m->writes++;
	if (!m->in_rendezvous)
		m->written_outside = true;
	if (fails(&m->fail_write) || (m->fail_write_from && m->writes >= m->fail_write_from))
		return false;
	CU_ASSERT_TRUE_FATAL(gpa >= MACHINE_TEXT && gpa + size <= MACHINE_TEXT + MACHINE_TEXT_SIZE);
	CU_ASSERT_TRUE_FATAL(size <= PVROM_SITE_MAX);
	protect(machine_at(m, MACHINE_TEXT), MACHINE_TEXT_SIZE, PROT_READ | PROT_WRITE);
	memcpy(where, bytes, size);
	protect(machine_at(m, MACHINE_TEXT), MACHINE_TEXT_SIZE, PROT_READ | PROT_EXEC);
	return true;
}

void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	struct machine *m = os;

	CU_ASSERT_FALSE(m->in_rendezvous);
	m->rendezvous++;
	m->in_rendezvous = true;
	act(argument);
	m->in_rendezvous = false;
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	struct machine *m = os;

	if (n >= m->firmware_count)
		return false;
	*gpa = m->firmware[n].gpa;
	*size = m->firmware[n].size;
	return true;
}

/* ---- starting ------------------------------------------------------------------------------------ */

uint32_t machine_start(struct machine *machine)
{
	pvrom_guest_init(machine->guest, machine->policy, machine);
	return pvrom_guest_start(machine->guest, machine->sites, machine->site_count);
}

void machine_expect_native(struct machine *machine, uint32_t verdict)
{
	const struct pvrom_guest *g = machine->guest;
	uint32_t got = machine_start(machine);

	CU_ASSERT_EQUAL(got, verdict);
	if (got != verdict)
		tap_note("verdict: %s, expected: %s", pvrom_verdict_words(got),
			 pvrom_verdict_words(verdict));
	CU_ASSERT_EQUAL(g->verdict, verdict);
	CU_ASSERT_TRUE(machine_text_is_unchanged(machine));
	CU_ASSERT_EQUAL(g->patched, 0);
	CU_ASSERT_EQUAL(g->granted, 0);
	CU_ASSERT_PTR_NULL(g->copy);
	CU_ASSERT_PTR_NULL(g->text);
	CU_ASSERT_EQUAL(machine->maps, machine->unmaps);
	CU_ASSERT_EQUAL(machine->allocs, machine->frees);
	CU_ASSERT_FALSE(machine->written_outside);
}
