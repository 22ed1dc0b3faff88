/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Patched sites run the ROM text of the real host core. An `out` in ROM text faults in a process; the
 * handler below is the monitor that takes the call to the core.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "core_machine.h"

#define NATIVE_STATUS 77

static struct core_machine *b;
static uint32_t traps;

/* ---- crossings ----------------------------------------------------------------------------------- */

/* `out %eax,$port` at a site or in ROM text: the call that the registers hold. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *rip = (const uint8_t *)r[REG_RIP];
	struct pvrom_host_regs regs = {
		.call = (uint32_t)r[REG_RAX],
		.arg = { (uint64_t)r[REG_RDI], (uint64_t)r[REG_RSI], (uint64_t)r[REG_R8],
			 (uint64_t)r[REG_R9] },
		.mode64 = 1,
	};

	(void)number, (void)info;
	if (!b || (uint64_t)(rip - b->m->memory) >= MACHINE_SIZE || rip[0] != 0xe7 ||
	    rip[1] != CORE_PORT)
		_Exit(3);
	traps++;
	r[REG_RIP] += 2;
	if (pvrom_host_call(&b->vcpu[0], &regs) == PVROM_ACTION_VOID) {
		r[REG_RAX] = r[REG_RDX] = -1; /* undefined, so any */
		return;
	}
	r[REG_RAX] = regs.status;
	r[REG_RDX] = (greg_t)regs.value;
	r[REG_RDI] = (greg_t)regs.arg[0];
	r[REG_RSI] = (greg_t)regs.arg[1];
	r[REG_R8] = (greg_t)regs.arg[2];
	r[REG_R9] = (greg_t)regs.arg[3];
}

/* ---- sites that run ROM text --------------------------------------------------------------------- */

/* A function of one site: a native one returns NATIVE_STATUS (mov $77,%eax; ret). */
static void *add_call_site(uint32_t call)
{
	uint8_t *native = machine_add_text(b->m, "\xb8\x4d\x00\x00\x00\xc3", 6);
	uint8_t code[5] = { 0xe8 };
	struct pvrom_site *site;
	int32_t rel = -(6 + 5); /* from the end of the site back to the native function */

	(void)native;
	memcpy(code + 1, &rel, 4);
	site = machine_add_site(b->m, call, code, 5);
	b->m->text_used--;
	machine_add_text(b->m, "\xc3", 1);
	return machine_site_text(site);
}

/* Calls a site as an asm statement does; kept: do registers that it must keep hold what they held? */
static uint32_t call_site(void *site, uint64_t rdi, uint64_t rsi, uint64_t rdx, bool *kept)
{
	uint64_t rax;
	uint64_t rbx = 0xb0b0, r12 = 0x1212, r13 = 0x1313, r14 = 0x1414, r15 = 0x1515;
	register uint64_t b12 __asm__("r12") = r12;
	register uint64_t b13 __asm__("r13") = r13;
	register uint64_t b14 __asm__("r14") = r14;
	register uint64_t b15 __asm__("r15") = r15;

	__asm__ volatile("call *%%rax"
			 : "=a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(b12),
			   "+r"(b13), "+r"(b14), "+r"(b15)
			 : "0"(site)
			 : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
	*kept = rbx == 0xb0b0 && b12 == 0x1212 && b13 == 0x1313 && b14 == 0x1414 && b15 == 0x1515;
	return (uint32_t)rax;
}

static void patched_alarm_reaches_the_core(void)
{
	void *set, *cancel;
	bool kept;

	b = core_machine_new();
	set = add_call_site(PVROM_CLOCK_ALARM_SET);
	cancel = add_call_site(PVROM_CLOCK_ALARM_CANCEL);
	machine_seal_text(b->m);
	CU_ASSERT_EQUAL(call_site(set, 5000, 0, 0, &kept), NATIVE_STATUS);
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(call_site(set, 5000, 0, 0, &kept), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(kept);
	CU_ASSERT_EQUAL(b->alarm, 5000);
	CU_ASSERT_EQUAL(b->alarm_vector, b->m->policy->alarm_vector);
	CU_ASSERT_EQUAL(call_site(cancel, 0, 0, 0, &kept), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(kept);
	CU_ASSERT_EQUAL(b->alarm, 0);
	CU_ASSERT_EQUAL(traps, 2);
	pvrom_guest_unpatch(b->m->guest);
	CU_ASSERT_EQUAL(call_site(set, 5000, 0, 0, &kept), NATIVE_STATUS);
	CU_ASSERT_EQUAL(traps, 2);
	core_machine_free(b);
}

/* Three arguments: rdx of System V becomes r8 of the hypercall. */
static void patched_send_reaches_the_core(void)
{
	void *send;
	bool kept;

	b = core_machine_new();
	send = add_call_site(PVROM_IRQ_SEND);
	machine_seal_text(b->m);
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(call_site(send, 0x55, 1, 0x5, &kept), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(kept);
	CU_ASSERT_EQUAL(b->sent[0], 0x55);
	CU_ASSERT_EQUAL(b->sent[1], 1);
	CU_ASSERT_EQUAL(b->sent[2], 0x5);
	CU_ASSERT_EQUAL(call_site(send, 0x55, 1, 0x100, &kept), PVROM_STATUS_INVALID);
	core_machine_free(b);
}

/* EOI through the vCPU area, found through rbx: with the word set there is no crossing. */
static void patched_eoi_skips_the_crossing(void)
{
	void *eoi;

	b = core_machine_new();
	eoi = add_call_site(PVROM_IRQ_EOI);
	machine_seal_text(b->m);
	b->m->policy->percpu = PVROM_PERCPU_REGISTER;
	b->m->policy->percpu_offset = 3;
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	for (uint32_t idle = 0; idle < 2; idle++) {
		b->m->area->eoi = idle;
		traps = 0;
		b->eois = 0;
		__asm__ volatile("call *%0"
				 :
				 : "r"(eoi), "b"(b->m->area)
				 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
				   "memory", "cc");
		CU_ASSERT_EQUAL(b->m->area->eoi, 0);
		CU_ASSERT_EQUAL(traps, 1 - idle);
		CU_ASSERT_EQUAL(b->eois, 1 - idle);
	}
	core_machine_free(b);
}

/* A process cannot run most instructions of the cpu group, but cpuid it can: as template and as text. */
static void call_cpuid(void *site, uint32_t regs[4])
{
	__asm__ volatile("call *%4"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "r"(site), "0"(0), "2"(0)
			 : "memory", "cc");
}

static void patched_instruction_runs(void)
{
	static const uint32_t ways[] = { PVROM_SLOTS_INLINE, PVROM_SLOTS_CALL };

	for (size_t i = 0; i < 2; i++) {
		uint32_t native[4], patched[4];
		struct pvrom_site *site;

		b = core_machine_new();
		site = machine_add_site(b->m, PVROM_CPU_CPUID, "\x2e\x2e\x2e\x0f\xa2", 5);
		b->m->text_used--;
		machine_add_text(b->m, "\xc3", 1);
		machine_seal_text(b->m);
		call_cpuid(machine_site_text(site), native);
		b->config.slots = ways[i];
		CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(b->m->guest->patched, 1);
		call_cpuid(machine_site_text(site), patched);
		CU_ASSERT_EQUAL(memcmp(native, patched, sizeof(native)), 0);
		core_machine_free(b);
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "patched_alarm_reaches_the_core [PVROM-SITE-4 PVROM-CALL-3]",
		  patched_alarm_reaches_the_core },
		TAP_TEST(patched_send_reaches_the_core),
		{ "patched_eoi_skips_the_crossing [PVROM-VCPU-8]", patched_eoi_skips_the_crossing },
		TAP_TEST(patched_instruction_runs),
		{ 0 },
	};
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	return tap_run("guest_core_sites", tests);
}
