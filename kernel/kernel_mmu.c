/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Glue between this kernel and the guest half of the paravirtual MMU (<pvrom/mmu_guest.h>). */
#include "kernel_mmu.h"

#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_rom.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"
#include "smp.h"

/* A ring of a page, less its header. */
#define RING_SLOTS 512
#define RING_BYTES (PVROM_MMU_RING_WORDS + RING_SLOTS * sizeof(uint64_t))

extern char kernel_start[], kernel_end[];

struct pvrom_mmu_guest kernel_mmu;
static char *rings[MAX_CPUS];
static uint64_t tables_first, tables_pages;
static bool faults_wanted;

struct pvrom_mmu_cpu *pvrom_os_mmu_cpu(void)
{
	return &this_cpu()->mmu;
}

static void init_once(void)
{
	if (kernel_mmu.guest)
		return;
	pvrom_mmu_guest_init(&kernel_mmu, &kernel_rom, 0, cpu_cpuid(0x80000008, 0).eax & 0xff,
			     cpu_cpuid(0x80000001, 0).edx >> 26 & 1);
	pvrom_mmu_guest_poll(&kernel_mmu);
}

bool kernel_mmu_flush_plain(uint64_t va)
{
	const struct pvrom_mmu_cpu *cpu = &this_cpu()->mmu;

	return cpu->on && READ_ONCE(cpu->ring->polled) &&
	       pvrom_call(&kernel_rom, PVROM_MMU_FLUSH_ONE, va, 0, 0, 0, NULL) == PVROM_STATUS_OK;
}

void kernel_mmu_keep_map(uint64_t first, uint64_t pages)
{
	uint8_t *map = memory_pages(ALIGN_UP(pages, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);

	init_once();
	tables_first = first;
	tables_pages = pages;
	pvrom_mmu_guest_map(&kernel_mmu, map, (uint64_t)map, first, pages);
}

static uint32_t reside(uint64_t start, uint64_t bytes)
{
	return pvrom_mmu_resident(&kernel_mmu, start, bytes, PVROM_MMU_RESIDENT_ADD);
}

/* ---- on each CPU, interrupts off ---- */

static void start_here(void *unused)
{
	struct cpu *cpu = this_cpu();
	uint32_t status;

	(void)unused;
	status = pvrom_mmu_cpu_start(&kernel_mmu, &cpu->mmu, rings[cpu->index], RING_SLOTS,
				     cpu_read_cr3() & PTE_ADDRESS, cpu_read_cr0(), cpu_read_cr4(),
				     cpu_rdmsr(MSR_EFER));
	if (status != PVROM_STATUS_OK)
		panic("cpu %u: the host refuses its ring: %s", cpu->index,
		      pvrom_status_words(status));
}

static void faults_here(void *unused)
{
	uint32_t status = pvrom_mmu_faults(&kernel_mmu, true);

	(void)unused;
	if (status != PVROM_STATUS_OK)
		kprintf("# mmu: cpu %u's page faults stay with the host: %s\n", this_cpu()->index,
			pvrom_status_words(status));
}

void kernel_mmu_start_cpu(void)
{
	uint32_t index = this_cpu()->index;

	if (!kernel_mmu.on)
		return;
	/* A CPU that the host starts comes after those for which there are rings already. */
	if (!rings[index]) {
		rings[index] = memory_pages(ALIGN_UP(RING_BYTES, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
		if (faults_wanted)
			reside((uint64_t)rings[index], RING_BYTES);
	}
	start_here(NULL);
	if (faults_wanted && kernel_rom_granted(PVROM_FEATURE_MMU_FAULT))
		faults_here(NULL);
}

void kernel_mmu_stop_cpu(void)
{
	pvrom_mmu_cpu_stop(&this_cpu()->mmu);
}

/* ---- the resident set: all that runs between a fault and the end of the filter ---- */

/* The filter reads the tables of the kernel's own addresses too. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than tables are */
static uint32_t reside_tables(uint64_t *table, int level)
{
	uint32_t status = reside((uint64_t)table, PAGE_SIZE);

	for (unsigned i = 0; status == PVROM_STATUS_OK && level > 1 && i < 512; i++)
		if (table[i] & PTE_P && !(table[i] & PTE_PS))
			status = reside_tables((uint64_t *)(table[i] & PTE_ADDRESS), level - 1);
	return status;
}

/* Descriptor tables, TSSs, stacks, code and per-CPU data are all in the kernel's image. */
static uint32_t reside_all(void)
{
	uint64_t start = ALIGN_DOWN((uint64_t)kernel_start, PAGE_SIZE);
	uint32_t status = reside(start, (uint64_t)kernel_end - start);

	if (status == PVROM_STATUS_OK)
		status = reside_tables(paging_root, 4);
	if (status == PVROM_STATUS_OK)
		status = reside(tables_first * PAGE_SIZE, tables_pages * PAGE_SIZE);
	for (unsigned i = 0; status == PVROM_STATUS_OK && i < smp_cpus; i++)
		status = reside((uint64_t)rings[i], RING_BYTES);
	return status;
}

static void start_faults(void)
{
	uint32_t status;

	if (!faults_wanted || !kernel_rom_granted(PVROM_FEATURE_MMU_FAULT))
		return;
	pvrom_mmu_resident(&kernel_mmu, 0, PAGE_SIZE, PVROM_MMU_RESIDENT_DROP_ALL);
	status = reside_all();
	if (status != PVROM_STATUS_OK) {
		kprintf("# mmu: no resident set: %s\n", pvrom_status_words(status));
		return;
	}
	smp_rendezvous_each(faults_here, NULL);
}

void kernel_mmu_want_faults(void)
{
	faults_wanted = !boot_option_is("mmufault=", "off");
	if (kernel_mmu.on)
		start_faults();
}

/* ---- start and stop ---- */

static void make_rings(void)
{
	for (unsigned i = 0; i < smp_cpus; i++)
		if (!rings[i])
			rings[i] = memory_pages(ALIGN_UP(RING_BYTES, PAGE_SIZE) / PAGE_SIZE,
						PAGE_SIZE);
}

/* All CPUs' words come before the first table is registered. */
static void start(void)
{
	uint32_t status;

	make_rings();
	smp_rendezvous_each(start_here, NULL);
	status = pvrom_mmu_guest_use(&kernel_mmu);
	if (status != PVROM_STATUS_OK)
		kprintf("# mmu: no tables are registered: %s\n", pvrom_status_words(status));
	/* Every address space has the entries of this root, none of which ever changes its meaning. */
	pvrom_mmu_register(&kernel_mmu, paging_root, 4, PVROM_MMU_PLAIN, NULL);
	start_faults();
}

static void stop_all(void *unused)
{
	struct pvrom_mmu_cpu *all[MAX_CPUS];

	(void)unused;
	for (unsigned i = 0; i < MAX_CPUS; i++)
		all[i] = &cpus[i].mmu;
	pvrom_mmu_guest_stop(&kernel_mmu, all, MAX_CPUS);
}

void kernel_mmu_update(void)
{
	bool was_on = kernel_mmu.on;

	init_once();
	if (!kernel_rom_granted(PVROM_FEATURE_MMU)) {
		if (was_on)
			smp_rendezvous(stop_all, NULL);
		return;
	}
	pvrom_mmu_guest_start(&kernel_mmu);
	if (!was_on)
		start();
}

bool kernel_mmu_filter(uint64_t *error, uint64_t rip, uint64_t cs, uint64_t rflags)
{
	struct pvrom_mmu_trap trap = { .error = *error, .rip = rip, .cs = cs, .rflags = rflags };
	bool hidden;

	if (!this_cpu()->mmu.faults)
		return false;
	trap.address = cpu_read_cr2();
	hidden = pvrom_mmu_filter(&kernel_mmu, &trap);
	*error = trap.error;
	return hidden;
}
