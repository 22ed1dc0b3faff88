/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Prints what CPUID, the loader and the calibration say about the machine. */
#include "machine_info.h"

#include <pvrom/discovery.h>

#include "apic.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "smp.h"
#include "time.h"

/* CPUID 0x80000002..4 spell the brand; leaf 0 the vendor, for CPUs whose brand is empty. */
static void cpu_name(char name[49])
{
	struct cpuid_regs r;

	memset(name, 0, 49);
	if (cpu_cpuid(0x80000000, 0).eax >= 0x80000004) {
		for (uint32_t i = 0; i < 3; i++) {
			r = cpu_cpuid(0x80000002 + i, 0);
			memcpy(name + 16 * i, &r, 16);
		}
	}
	if (name[0])
		return;
	r = cpu_cpuid(0, 0);
	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.edx, 4);
	memcpy(name + 8, &r.ecx, 4);
}

static bool printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return !text[i] && i > 3;
	return true;
}

/*
 * The signatures at all bases. A base that nobody serves answers with a basic leaf's data, so one
 * counts only if its maximum leaf lies in its own block.
 */
static void print_hypervisors(void)
{
	bool any = false;

	kprintf("# machine: hypervisor=");
	if (!(cpu_cpuid(1, 0).ecx >> PVROM_CPUID_HYPERVISOR_BIT & 1)) {
		kprintf("none\n");
		return;
	}
	for (uint32_t base = PVROM_CPUID_BASE_FIRST; base <= PVROM_CPUID_BASE_LAST;
	     base += PVROM_CPUID_BASE_STEP) {
		struct cpuid_regs r = cpu_cpuid(base, 0);
		char signature[13] = { 0 };

		memcpy(signature, &r.ebx, 12);
		if (r.eax < base || r.eax - base >= PVROM_CPUID_BASE_STEP ||
		    !printable(signature, 12))
			continue;
		kprintf("%s%s", any ? " " : "", signature);
		any = true;
	}
	kprintf("%s\n", any ? "" : "unnamed");
}

void machine_info_print(void)
{
	char name[49];
	const char *start = name;

	cpu_name(name);
	while (*start == ' ')
		start++;
	kprintf("# machine: cpu=%s\n", start);
	kprintf("# machine: cpus=%u\n", smp_cpus);
	kprintf("# machine: entry=%s\n", boot_record.loader);
	print_hypervisors();
	kprintf("# machine: memory=%lu MiB, cpus by %s, %s\n", memory_usable_bytes() >> 20,
		smp_source,
		!apic_is_there()   ? "no apic"
		: apic_is_x2apic() ? "x2apic"
				   : "xapic");
	kprintf("# machine: tsc=%lu kHz, %s; native alarms by %s\n",
		time_rate_known ? time_tsc_hz / 1000 : 0, time_rate_source, time_alarm_timer);
	kprintf("# machine: command line=%s\n", boot_record.command_line);
}
