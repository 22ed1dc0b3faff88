/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about several CPUs: they start, stop and start again, have their own state, and see each
 * other's memory. With one CPU each loop has that one CPU to look at.
 */
#include "cpu.h"
#include "fact.h"
#include "cpu_features.h"
#include "irq.h"
#include "paging.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x54
#define PATIENCE_US 5000000
#define SOON_US 2000

/* What a CPU says about itself. */
struct cpu_facts {
	uint32_t index, apic_id;
	uint64_t cr0, cr3, cr4, efer, pat, gs_base, tr, flags;
	struct cpuid_regs leaf1;
};

static struct cpu_facts seen[MAX_CPUS];

static void look(void *unused)
{
	struct cpu *cpu = this_cpu();
	struct cpu_facts *f = &seen[cpu->index];

	(void)unused;
	*f = (struct cpu_facts){
		.index = cpu->index,
		.cr0 = cpu_read_cr0(),
		.cr3 = cpu_read_cr3(),
		.cr4 = cpu_read_cr4(),
		.efer = cpu_rdmsr(MSR_EFER),
		.pat = cpu_rdmsr(MSR_PAT),
		.gs_base = cpu_rdmsr(MSR_GS_BASE),
		.tr = pvrom_store_tr(),
		.flags = cpu_save_flags(),
		.leaf1 = cpu_cpuid(1, 0),
	};
	f->apic_id = f->leaf1.ebx >> 24;
}

FACT(identity, "smp.apic_id", "SDM 3A 8.4",
     "each CPU's CPUID gives the APIC ID by which it is reached, and no two are equal")
{
	smp_run_each(look, NULL);
	for (uint32_t i = 0; i < smp_cpus; i++) {
		EXPECT_EQ(seen[i].apic_id, cpus[i].apic_id & 0xff);
		for (uint32_t j = 0; j < i; j++)
			EXPECT(seen[i].apic_id != seen[j].apic_id, "cpus %u and %u", i, j);
	}
	return FACT_PASS;
}

FACT(control, "smp.control_registers", "SDM 3A 9.4",
     "every CPU came up with the kernel's CR0, CR3, CR4, EFER and PAT")
{
	smp_run_each(look, NULL);
	for (uint32_t i = 1; i < smp_cpus; i++) {
		EXPECT_EQ(seen[i].cr0, seen[0].cr0);
		EXPECT_EQ(seen[i].cr3, seen[0].cr3);
		EXPECT_EQ(seen[i].cr4, seen[0].cr4);
		EXPECT_EQ(seen[i].efer, seen[0].efer);
		EXPECT_EQ(seen[i].pat, seen[0].pat);
	}
	EXPECT_EQ(seen[0].cr3, (uint64_t)paging_root);
	return FACT_PASS;
}

FACT(own_bases, "smp.own_bases", "SDM 3A 8.7",
     "each CPU has its own GS base and its own TSS loaded")
{
	smp_run_each(look, NULL);
	for (uint32_t i = 0; i < smp_cpus; i++) {
		EXPECT_EQ(seen[i].index, i);
		EXPECT_EQ(seen[i].gs_base, (uint64_t)&cpus[i]);
		EXPECT_EQ(seen[i].tr, SEL_TSS);
		/* Type 11: a 64-bit TSS that LTR has marked busy. */
		EXPECT_EQ(cpus[i].gdt[SEL_TSS / 8] >> 40 & 0xf, 11);
	}
	return FACT_PASS;
}

FACT(features_equal, "smp.cpuid_equal", "SDM 2A CPUID",
     "CPUID shows the same features on every CPU")
{
	smp_run_each(look, NULL);
	for (uint32_t i = 1; i < smp_cpus; i++) {
		EXPECT_EQ(seen[i].leaf1.eax, seen[0].leaf1.eax);
		EXPECT_EQ(seen[i].leaf1.ecx, seen[0].leaf1.ecx);
		EXPECT_EQ(seen[i].leaf1.edx, seen[0].leaf1.edx);
	}
	return FACT_PASS;
}

static uint32_t counter;
static uint64_t plain;
static struct lock plain_lock;

static void add_many(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 20000; i++)
		__asm__ volatile("lock incl %0" : "+m"(counter)::"cc");
	for (unsigned i = 0; i < 1000; i++) {
		lock_take(&plain_lock);
		plain++;
		lock_release(&plain_lock);
	}
}

static bool all_at_once(smp_work_fn *work)
{
	bool ended = true;

	for (uint32_t i = 1; i < smp_cpus; i++)
		smp_post(i, work, NULL);
	work(NULL);
	for (uint32_t i = 1; i < smp_cpus; i++)
		ended &= smp_wait(i);
	return ended;
}

FACT(atomic_add, "smp.locked_add", "SDM 3A 8.1.2",
     "locked increments from all CPUs at once are all counted, and so are plain ones under a lock")
{
	counter = 0;
	plain = 0;
	EXPECT(all_at_once(add_many), "a CPU did not end");
	EXPECT_EQ(counter, 20000 * smp_cpus);
	EXPECT_EQ(plain, 1000 * smp_cpus);
	return FACT_PASS;
}

static uint64_t wide;
static uint32_t torn;

static void store_wide(void *unused)
{
	uint64_t mine = 0x0101010101010101 * (this_cpu()->index + 1);

	(void)unused;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t got = READ_ONCE(wide);

		if (got != 0x0101010101010101 * (got & 0xff))
			__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
		WRITE_ONCE(wide, mine);
	}
}

FACT(atomic_store, "smp.aligned_store", "SDM 3A 8.1.1",
     "an aligned 8-byte store is never seen in part")
{
	torn = 0;
	wide = 0;
	EXPECT(all_at_once(store_wide), "a CPU did not end");
	EXPECT_EQ(torn, 0);
	return FACT_PASS;
}

static uint64_t message, message_ready, message_wrong;

static void read_message(void *unused)
{
	(void)unused;
	for (uint64_t n = 1; n <= 1000; n++) {
		uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

		while (READ_ONCE(message_ready) < n && cpu_rdtsc() < end)
			cpu_relax();
		if (READ_ONCE(message) < n * 3)
			message_wrong++;
	}
}

FACT(store_order, "smp.store_order", "SDM 3A 8.2.2",
     "two stores are seen by another CPU in their order")
{
	message = message_ready = message_wrong = 0;
	if (smp_cpus > 1)
		smp_post(1, read_message, NULL);
	for (uint64_t n = 1; n <= 1000; n++) {
		WRITE_ONCE(message, n * 3);
		WRITE_ONCE(message_ready, n);
	}
	if (smp_cpus > 1)
		EXPECT(smp_wait(1), "cpu 1 did not end");
	else
		read_message(NULL);
	EXPECT_EQ(message_wrong, 0);
	return FACT_PASS;
}

/* CPU 0 never stops; with one CPU there is nobody to stop, and the loop is empty. */
/* PVROM-SMP-8 */
FACT(stop_start, "smp.stop_start", "SDM 3A 8.4.4",
     "each CPU but the first can be stopped and started again, twice")
{
	for (uint32_t i = 1; i < smp_cpus; i++) {
		for (unsigned round = 0; round < 2; round++) {
			EXPECT(smp_stop(i), "cpu %u does not stop", i);
			EXPECT(smp_start(i), "cpu %u does not start", i);
			smp_run(i, look, NULL);
			EXPECT_EQ(seen[i].index, i);
		}
	}
	return FACT_PASS;
}

/* PVROM-SMP-6 */
FACT(stopped_silent, "smp.stopped_is_silent", "SDM 3A 8.4.2",
     "a stopped CPU does nothing when interrupts are sent to it")
{
	uint32_t last = smp_cpus - 1;
	uint64_t before = probe_irqs(last, VECTOR);

	if (last) {
		EXPECT(smp_stop(last), "cpu %u does not stop", last);
		irq_send(VECTOR, BIT(last));
		time_spin_us(SOON_US);
		EXPECT_EQ(probe_irqs(last, VECTOR), before);
		EXPECT(smp_start(last), "cpu %u does not start", last);
		before = probe_irqs(last, VECTOR);
	}
	irq_send(VECTOR, BIT(last));
	EXPECT(probe_wait_irq(last, VECTOR, before + 1, PATIENCE_US),
	       "an interrupt is lost afterwards");
	return FACT_PASS;
}

FACT(restart_state, "smp.restart.state", "SDM 3A 9.1.1",
     "a CPU that was started again has the kernel's control registers and interrupts on")
{
	uint32_t last = smp_cpus - 1;

	smp_run(0, look, NULL);
	if (last) {
		EXPECT(smp_stop(last), "cpu %u does not stop", last);
		EXPECT(smp_start(last), "cpu %u does not start", last);
	}
	smp_run(last, look, NULL);
	EXPECT_EQ(seen[last].cr0, seen[0].cr0);
	EXPECT_EQ(seen[last].cr3, seen[0].cr3);
	EXPECT_EQ(seen[last].cr4, seen[0].cr4);
	EXPECT_EQ(seen[last].efer, seen[0].efer);
	EXPECT_EQ(seen[last].pat, seen[0].pat);
	EXPECT_EQ(seen[last].gs_base, (uint64_t)&cpus[last]);
	EXPECT_EQ(seen[last].flags & FLAG_IF, FLAG_IF);
	return FACT_PASS;
}

static uint8_t *patched_code;
static uint32_t patch_step, patch_done, wrong_answers;

static uint32_t call_patched(void)
{
	return ((uint32_t(*)(void))probe_va(4))();
}

/* Each step: wait for the new code, serialize, call it. */
static void call_each_step(void *unused)
{
	(void)unused;
	for (uint32_t step = 1; step <= 20; step++) {
		uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

		while (__atomic_load_n(&patch_step, __ATOMIC_ACQUIRE) < step && cpu_rdtsc() < end)
			cpu_relax();
		cpu_cpuid(0, 0);
		if (call_patched() != step)
			__atomic_fetch_add(&wrong_answers, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&patch_done, 1, __ATOMIC_RELEASE);
	}
}

FACT(cross_modify, "smp.cross_modifying_code", "SDM 3A 8.1.3",
     "code that one CPU changed is what another executes after a serializing instruction")
{
	patched_code = memory_page();
	memcpy(patched_code, "\xb8\0\0\0\0\xc3", 6); /* mov $0, %eax; ret */
	paging_map(paging_root, probe_va(4), (uint64_t)patched_code, PTE_P, 1);
	patch_step = patch_done = wrong_answers = 0;
	for (uint32_t i = 1; i < smp_cpus; i++)
		smp_post(i, call_each_step, NULL);
	for (uint32_t step = 1; step <= 20; step++) {
		WRITE_ONCE(*(uint32_t *)(patched_code + 1), step);
		__atomic_store_n(&patch_step, step, __ATOMIC_RELEASE);
		cpu_cpuid(0, 0);
		EXPECT_EQ(call_patched(), step);
		/* Nobody executes the code while it is being changed: that is not promised. */
		EXPECT(time_wait_for(&patch_done, step * (smp_cpus - 1), PATIENCE_US), "step %u",
		       step);
	}
	for (uint32_t i = 1; i < smp_cpus; i++)
		EXPECT(smp_wait(i), "cpu %u did not end", i);
	EXPECT_EQ(wrong_answers, 0);
	return FACT_PASS;
}

static uint64_t shared_va;
static uint32_t stale;

static void read_shared(void *expected)
{
	if (*(volatile uint64_t *)shared_va != *(uint64_t *)expected)
		__atomic_fetch_add(&stale, 1, __ATOMIC_RELAXED);
}

static void flush_shared(void *unused)
{
	(void)unused;
	cpu_invlpg((void *)shared_va);
}

/* PVROM-IRQ-11 */
FACT(shootdown, "smp.tlb_shootdown", "SDM 3A 4.10.5",
     "a page remapped and then flushed on every CPU is the new one on every CPU")
{
	uint64_t *pages[2] = { memory_page(), memory_page() }, values[2] = { 0x1111, 0x2222 };

	shared_va = probe_va(5);
	stale = 0;
	*pages[0] = values[0];
	*pages[1] = values[1];
	paging_map(paging_root, shared_va, (uint64_t)pages[0], PTE_P | PTE_W | PTE_NX, 1);
	smp_run_each(flush_shared, NULL);
	for (unsigned round = 0; round < 10; round++) {
		smp_run_each(read_shared, &values[round % 2]);
		WRITE_ONCE(*paging_entry(paging_root, shared_va, 1),
			   (uint64_t)pages[(round + 1) % 2] | PTE_P | PTE_W | PTE_NX);
		smp_run_each(flush_shared, NULL);
	}
	EXPECT_EQ(stale, 0);
	return FACT_PASS;
}

static uint64_t together_max;
static uint32_t together_now;

static void be_alone(void *unused)
{
	(void)unused;
	together_max = together_now;
	time_spin_us(200);
	together_max |= together_now;
}

static void stay_busy(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 3000; i++) {
		cpu_cli();
		__atomic_fetch_add(&together_now, 1, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&together_now, 1, __ATOMIC_RELAXED);
		cpu_sti();
	}
}

/* PVROM-NEG-28 */
FACT(rendezvous, "smp.rendezvous", "SDM 3A 8.1.3",
     "in a rendezvous no other CPU moves, whatever it was doing")
{
	for (uint32_t i = 1; i < smp_cpus; i++)
		smp_post(i, stay_busy, NULL);
	for (unsigned round = 0; round < 10; round++) {
		smp_rendezvous(be_alone, NULL);
		EXPECT_EQ(together_max, 0);
	}
	for (uint32_t i = 1; i < smp_cpus; i++)
		EXPECT(smp_wait(i), "cpu %u did not end", i);
	return FACT_PASS;
}
