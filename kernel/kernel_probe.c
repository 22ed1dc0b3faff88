/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * At boot: what pvrom-probe would say of this machine, by the same core and in the same words; and what only a kernel
 * can add: what the host answered, and with "probe" on the command line, what was seen to work.
 */
#include "kernel_probe.h"

#include <pvrom/feature_probe.h>
#include <pvrom/kernel_api.h>
#include <pvrom/sites.h>

#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "cpu_features.h"
#include "kernel_rom.h"
#include "kernel_trials.h"
#include "memory.h"

static struct pvrom_probe_evidence evidence;

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	pvrom_cpuid(leaf, subleaf, regs);
}

/* CPUID tells of NPT, and of EPT nothing (SDM vol. 3D, A.3.2 and A.3.3): secondary controls, and EPT among them. */
static void take_ept(void)
{
	bool ept;

	if (!features_cpuid(1, 0, 2, 5))
		return;
	ept = cpu_rdmsr(MSR_VMX_PROCBASED_CTLS) >> 63 & 1 &&
	      cpu_rdmsr(MSR_VMX_PROCBASED_CTLS2) >> 33 & 1;
	pvrom_probe_add_fact(&evidence, "vmx.ept", ept ? "yes" : "no");
}

/*
 * As it stands there, for the shim's own copy is relocated; copied before it is judged, since the host may write to it at
 * any time. The shim has looked for a live host.
 */
static void take_rom(void)
{
	const void *rom;

	evidence.look = kernel_rom.verdict == PVROM_VERDICT_SWITCHED_OFF ? PVROM_PROBE_NOT_LOOKED
									 : PVROM_PROBE_LOOKED;
	if (!kernel_rom.rom_size)
		return;
	rom = pvrom_os_map(NULL, kernel_rom.rom_gpa, kernel_rom.rom_size);
	if (rom) {
		evidence.rom =
			memory_pages((kernel_rom.rom_size + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE);
		evidence.rom_size = kernel_rom.rom_size;
		memcpy(evidence.rom, rom, evidence.rom_size);
	}
	evidence.rom_route = kernel_rom.route;
	evidence.port_answers = kernel_rom.verdict == PVROM_VERDICT_READY;
}

static void take_answers(void)
{
	if (kernel_rom.verdict != PVROM_VERDICT_READY)
		return;
	evidence.has_offer = true;
	evidence.offer = kernel_rom.offer;
	evidence.has_wants = true;
	evidence.wanted = kernel_rom.policy->wanted;
	evidence.required = kernel_rom.policy->required;
	if (boot_option_is("probe", ""))
		kernel_trials(&evidence);
}

static void line(void *unused, const char *text)
{
	(void)unused;
	kprintf("# probe: %s\n", text);
}

void kernel_probe_print(void)
{
	struct pvrom_probe_verdict verdict;

	if (boot_option_is("probe=", "off"))
		return;
	pvrom_probe_start(&evidence);
	pvrom_probe_take_cpuid(&evidence, cpuid);
	take_ept();
	take_rom();
	take_answers();
	pvrom_probe_judge(&evidence, &verdict);
	pvrom_probe_report(&verdict, line, NULL);
}
