/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The order of the boot, from the loader's structure (multiboot 1) to the guest's first
 * instruction. */
#include "hv.h"

#define HAS_COMMAND_LINE 0x4u
#define HAS_MODULES 0x8u
#define HAS_MEMORY 0x1u
#define HOST_END 0xfec00000ull /* devices from here on; the host has no more memory mapped */

struct hv_machine hv;

struct boot_info {
	uint32_t flags, mem_lower, mem_upper, device, command_line, module_count, modules;
};

struct boot_module {
	uint32_t start, end, text, reserved;
};

static void *at(uint32_t address)
{
	return (void *)(uint64_t)address;
}

/* The end of the memory that goes on from 1 MiB, where this program is. */
static uint64_t memory_end(const struct boot_info *info)
{
	uint64_t end = 0x100000 + ((uint64_t)info->mem_upper << 10);

	return end < HOST_END ? end : HOST_END;
}

static void refuse(const char *why)
{
	hv_print("hypervisor: %s\n", why);
	hv_finish(1);
}

/* The loader's own first word is the name of this file. */
static void read_options(const struct boot_info *info)
{
	const char *text = info->flags & HAS_COMMAND_LINE ? at(info->command_line) : "";

	while (*text && *text != ' ')
		text++;
	if (!hv_options_read(text, &hv.options))
		refuse("cannot run with this command line");
	hv.nested = hv.options.nested;
}

/* The guest's kernel is the first module. */
static struct hv_module read_module(const struct boot_info *info)
{
	const struct boot_module *module = at(info->modules);

	if (!(info->flags & HAS_MODULES) || !info->module_count || !(info->flags & HAS_MEMORY))
		refuse("there is no module: give it the guest's kernel (-initrd)");
	return (struct hv_module){ at(module->start), module->end - module->start };
}

static void start_cpus(void)
{
	hv.cpus = 1;
	for (uint32_t i = 0; i < HV_MAX_CPUS; i++)
		hv.vcpu[i].id = i;
	hv_8259_silence();
	hv_host_cpu_init(&hv.vcpu[0]);
	hv_apic_init();
	hv_cpus_start(hv.options.cpus);
	/* The last one is no vCPU's: it sleeps until there is an engine (hv_vcpu.c). */
	hv.options.poll = hv.options.poll && hv.cpus > 1;
	hv.cpus -= hv.options.poll;
}

/* A further CPU: ready for its vCPU's start. */
void hv_ap_main(uint32_t index)
{
	hv_host_cpu_init(&hv.vcpu[index]);
	__atomic_fetch_add(&hv.cpus, 1, __ATOMIC_RELEASE);
	hv_vcpu_main(&hv.vcpu[index]);
}

void hv_main(uint32_t multiboot_info)
{
	const struct boot_info *info = at(multiboot_info);
	uint32_t entry, start_info;
	struct hv_module module;
	uint64_t end;

	read_options(info);
	module = read_module(info);
	start_cpus();
	end = memory_end(info);
	hv_memory_init(hv_shadow_init((uint64_t)module.start + module.size, end), end);
	hv_pvrom_init();
	hv_clock_go_on();
	if (!hv_load(&module, &entry, &start_info))
		refuse("the module is no kernel with a PVH entry, or does not fit");
	hv_vcpu_boot(&hv.vcpu[0], entry, start_info);
	if (hv.options.poll)
		hv_request(&hv.vcpu[hv.cpus], REQUEST_POLL);
	hv_vcpu_main(&hv.vcpu[0]);
}
