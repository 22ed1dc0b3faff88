/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Acts shared by families of facts: touching memory in kernel and user mode, waiting for interrupts. */
#include "probe.h"

#include "cpu.h"
#include "fact.h"
#include "time.h"

SNIPPET(probe_read, ".globl probe_read, probe_read_at\nprobe_read_at: mov (%rdi), %rax");
SNIPPET(probe_write, ".globl probe_write, probe_write_at\nprobe_write_at: mov %rdi, (%rdi)");
SNIPPET(probe_call, ".globl probe_call\ncall *%rdi");

USER_CODE(probe_user_read,
	  ".globl probe_user_read, probe_user_read_at\nprobe_user_read_at: mov (%rdi), %rax");
USER_CODE(probe_user_write,
	  ".globl probe_user_write, probe_user_write_at\nprobe_user_write_at: mov %rdi, (%rdi)");
USER_CODE(probe_user_jump, ".globl probe_user_jump\ncall *%rdi");
USER_CODE(probe_user_nothing, ".globl probe_user_nothing");

uint64_t probe_irqs(uint32_t cpu, unsigned vector)
{
	return READ_ONCE(cpus[cpu].irq_count[vector]);
}

bool probe_wait_irq(uint32_t cpu, unsigned vector, uint64_t count, uint64_t us)
{
	struct patience patience = patience_of(us);

	while (probe_irqs(cpu, vector) < count) {
		if (!patience_lasts(&patience))
			return false;
		cpu_relax();
	}
	return true;
}

/* Apart from TEST_BASE, which the facts about translation fill and empty. */
#define PROBE_BASE (TEST_BASE + BIT(43))

uint64_t probe_va(unsigned slot)
{
	return PROBE_BASE + slot * BIT(30);
}

uint64_t *probe_page(unsigned slot, uint64_t flags)
{
	uint64_t *page = memory_page();

	paging_map(paging_root, probe_va(slot), (uint64_t)page, flags, 1);
	cpu_invlpg((void *)probe_va(slot));
	return page;
}
