/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Evidence on Linux: CPUID, and what /proc and /sys let everybody read. */
#include "probe_linux.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LINE 256

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__cpuid_count(leaf, subleaf, regs[0], regs[1], regs[2], regs[3]);
}

/* The first line of a file, without its end; false if there is none. */
static bool first_line(const char *path, char line[LINE])
{
	FILE *file = fopen(path, "re");
	bool got;

	if (file == NULL)
		return false;
	got = fgets(line, LINE, file) != NULL;
	fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got && line[0] != '\0';
}

static void add_file(struct pvrom_probe_evidence *evidence, const char *name, const char *path)
{
	char line[LINE];

	if (first_line(path, line))
		pvrom_probe_add_fact(evidence, name, line);
}

/* ---- who stands below -------------------------------------------------------------------------- */

static void gather_firmware(struct pvrom_probe_evidence *evidence)
{
	add_file(evidence, "dmi.vendor", "/sys/class/dmi/id/sys_vendor");
	add_file(evidence, "dmi.product", "/sys/class/dmi/id/product_name");
}

static void gather_xen(struct pvrom_probe_evidence *evidence)
{
	char line[LINE];

	add_file(evidence, "xen", "/sys/hypervisor/type");
	if (first_line("/proc/xen/capabilities", line) && strstr(line, "control_d") != NULL)
		pvrom_probe_add_fact(evidence, "xen.guest", "dom0");
	else
		add_file(evidence, "xen.guest", "/sys/hypervisor/guest_type");
}

/* Container managers say so themselves (systemd, "The Container Interface"); Docker and Podman by a file. */
static void gather_container(struct pvrom_probe_evidence *evidence)
{
	char line[LINE];

	if (first_line("/run/systemd/container", line))
		pvrom_probe_add_fact(evidence, "container", line);
	else if (access("/run/.containerenv", F_OK) == 0)
		pvrom_probe_add_fact(evidence, "container", "podman");
	else if (access("/.dockerenv", F_OK) == 0)
		pvrom_probe_add_fact(evidence, "container", "docker");
	else if (access("/dev/.lxc-boot-id", F_OK) == 0 || access("/dev/lxd", F_OK) == 0)
		pvrom_probe_add_fact(evidence, "container", "lxc");
}

/* Words of one line of /proc/cpuinfo; the lines of all CPUs are alike, so the first counts. */
static bool cpuinfo_has(const char *line_name, const char *word)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL, *at, *rest;
	size_t room = 0;
	bool has = false;

	if (file == NULL)
		return false;
	while (getline(&line, &room, file) > 0)
		if (strncmp(line, line_name, strlen(line_name)) == 0) {
			for (at = strtok_r(line, " \t\n", &rest); at != NULL && !has;
			     at = strtok_r(NULL, " \t\n", &rest))
				has = strcmp(at, word) == 0;
			break;
		}
	free(line);
	fclose(file);
	return has;
}

/* /proc/cpuinfo has a line "vmx flags" since Linux 5.9: what CPUID does not tell. */
static void gather_processor(struct pvrom_probe_evidence *evidence)
{
	if (cpuinfo_has("flags", "vmx"))
		pvrom_probe_add_fact(evidence, "vmx.ept",
				     cpuinfo_has("vmx flags", "ept") ? "yes" : "no");
	if (cpuinfo_has("flags", "tdx_guest"))
		pvrom_probe_add_fact(evidence, "cc", "tdx");
	else if (access("/dev/sev-guest", F_OK) == 0)
		pvrom_probe_add_fact(evidence, "cc", "sev-snp");
}

/* ---- this machine's KVM ------------------------------------------------------------------------ */

static void add_parameter(struct pvrom_probe_evidence *evidence, const char *name, const char *amd,
			  const char *intel)
{
	char line[LINE];

	if (first_line(amd, line) || first_line(intel, line))
		pvrom_probe_add_fact(evidence, name,
				     line[0] == 'Y' || line[0] == '1' ? "yes" : "no");
}

#define MODULE(module, parameter) "/sys/module/" module "/parameters/" parameter

/* The first of several is told. */
static void gather_kvm(struct pvrom_probe_evidence *evidence)
{
	static const char *const modules[] = { "kvm_amd", "kvm_intel", "kvm_pvm" };
	char path[64];

	if (access("/dev/kvm", F_OK) != 0)
		return;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		if (access(path, F_OK) == 0)
			pvrom_probe_add_fact(evidence, "kvm.module", modules[i]);
	}
	add_parameter(evidence, "kvm.nested_paging", MODULE("kvm_amd", "npt"),
		      MODULE("kvm_intel", "ept"));
	add_parameter(evidence, "kvm.apic", MODULE("kvm_amd", "avic"),
		      MODULE("kvm_intel", "enable_apicv"));
}

void gather(struct pvrom_probe_evidence *evidence, bool devices)
{
	struct utsname system;
	char text[LINE] = "this machine";

	pvrom_probe_start(evidence);
	pvrom_probe_take_cpuid(evidence, cpuid);
	if (uname(&system) == 0) {
		snprintf(text, sizeof(text), "%.60s %.100s", system.sysname, system.release);
		pvrom_probe_add_fact(evidence, "kernel", text);
	}
	snprintf(evidence->source, sizeof(evidence->source), "pvrom-probe on %.70s", text);
	gather_firmware(evidence);
	gather_xen(evidence);
	gather_container(evidence);
	gather_processor(evidence);
	gather_kvm(evidence);
	gather_module(evidence);
	gather_rom(evidence, devices);
}
