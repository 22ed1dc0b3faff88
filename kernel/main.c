/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The order of the boot, from the loader's structure to the last line of the suite. */
#include "apic.h"
#include "boot_record.h"
#include "change_over.h"
#include "console.h"
#include "cpu.h"
#include "cpu_features.h"
#include "fact.h"
#include "ioapic.h"
#include "kernel_clock.h"
#include "kernel_disk.h"
#include "kernel_probe.h"
#include "kernel_net.h"
#include "kernel_rom.h"
#include "load.h"
#include "machine_info.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"
#include "smp.h"
#include "stacks.h"
#include "time.h"
#include "traps.h"
#include "user.h"

void kernel_main(unsigned kind, uint64_t info);

static void boot_memory(unsigned kind, uint64_t info)
{
	boot_record_fill(kind, info);
	memory_init();
}

static void boot_cpu(void)
{
	traps_init();
	percpu_init(0, 0);
	paging_init();
	features_init_cpu();
	apic_init();
	if (apic_is_there())
		ioapic_init();
	time_init();
	time_alarm_init();
	smp_init_boot_cpu();
}

/* On a machine without APICs the host is the only way to further CPUs, and to interrupts. */
static void start_rom(void)
{
	kernel_rom_start();
	if (!apic_is_there())
		smp_start_by_host();
}

void kernel_main(unsigned kind, uint64_t info)
{
	console_init();
	boot_memory(kind, info);
	boot_cpu();
	user_init();
	cpu_sti();
	if (apic_is_there())
		smp_start_all();
	kprintf("TAP version 13\n");
	start_rom();
	machine_info_print();
	stacks_overflow();
	clock_update();
	clock_print();
	disk_init();
	net_init();
	kernel_probe_print();
	if (net_answer_wanted()) {
		net_answer();
		machine_exit(EXIT_PASSED);
	}
	if (clock_watch_wanted()) {
		clock_watch();
		machine_exit(EXIT_PASSED);
	}
	if (clock_cost_wanted()) {
		clock_cost();
		machine_exit(EXIT_PASSED);
	}
	if (disk_growth_wanted())
		machine_exit(disk_growth() ? EXIT_PASSED : EXIT_FAILED);
	if (change_over_wanted())
		machine_exit(change_over_run() ? EXIT_PASSED : EXIT_FAILED);
	machine_exit((load_wanted() ? load_run() : facts_run()) ? EXIT_PASSED : EXIT_FAILED);
}
