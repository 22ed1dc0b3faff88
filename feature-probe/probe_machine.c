/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Whose machine this is, and what its processor has: from CPUID and what faces have found out. */
#include "probe_internal.h"

#define INTERFACE(NAME) (1u << PVROM_PROBE_VMM_##NAME)

/* ---- interfaces ------------------------------------------------------------------------------ */

static bool is_signature(const uint32_t regs[4], const char *signature)
{
	uint32_t i;

	for (i = 0; i < 12; i++)
		if ((uint8_t)(regs[1 + i / 4] >> i % 4 * 8) != (uint8_t)signature[i])
			return false;
	return true;
}

/* Printable, and so perhaps a signature of somebody whom the table does not know. */
static bool is_text(const uint32_t regs[4])
{
	uint32_t i;

	for (i = 0; i < 12; i++) {
		const uint8_t byte = (uint8_t)(regs[1 + i / 4] >> i % 4 * 8);

		if (i < 4 ? byte < ' ' || byte > '~' : byte && (byte < ' ' || byte > '~'))
			return false;
	}
	return true;
}

uint32_t pvrom_probe_signature(const uint32_t regs[4])
{
	static const struct {
		uint32_t vmm;
		char signature[13];
	} known[] = {
#define KNOWN_(NAME, number, name, signature) { number, signature },
		PVROM_PROBE_VMM_TABLE(KNOWN_)
	};
	uint32_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].signature[0] && is_signature(regs, known[i].signature))
			return known[i].vmm;
	return is_text(regs) ? PVROM_PROBE_VMM_UNKNOWN : PVROM_PROBE_VMM_NONE;
}

uint32_t pvrom_probe_base(const struct pvrom_probe_evidence *evidence, uint32_t base)
{
	for (; base <= PVROM_CPUID_BASE_LAST; base += PVROM_CPUID_BASE_STEP)
		if (pvrom_probe_leaf(evidence, base, 0))
			return base;
	return 0;
}

/* Hyper-V's name alone is worn by many; what follows "Hv#1" is its interface (TLFS, "Hypervisor Discovery"). */
static bool is_hyperv(const struct pvrom_probe_evidence *evidence, uint32_t base)
{
	const uint32_t *regs = pvrom_probe_leaf(evidence, base + 1, 0);

	return regs && regs[EAX] == 0x31237648;
}

static uint32_t interfaces_of(const struct pvrom_probe_evidence *evidence)
{
	uint32_t base = PVROM_CPUID_BASE_FIRST - PVROM_CPUID_BASE_STEP, found = 0;

	while ((base = pvrom_probe_base(evidence, base + PVROM_CPUID_BASE_STEP))) {
		const uint32_t vmm = pvrom_probe_signature(pvrom_probe_leaf(evidence, base, 0));

		if (vmm != PVROM_PROBE_VMM_HYPERV || is_hyperv(evidence, base))
			found |= 1u << vmm;
		/* Whatever it calls itself (QEMU's hv-vendor-id): the interface is the same. */
		if (vmm == PVROM_PROBE_VMM_UNKNOWN && is_hyperv(evidence, base))
			found |= INTERFACE(HYPERV);
	}
	return found & ~INTERFACE(NONE);
}

/* ---- identity -------------------------------------------------------------------------------- */

static bool fact_contains(const struct pvrom_probe_evidence *evidence, const char *name,
			  const char *part)
{
	const char *value = pvrom_probe_fact(evidence, name);

	return value && pvrom_text_contains(value, part);
}

/* Who stands in the firmware's tables (SMBIOS), where nobody stands in CPUID. */
static uint32_t vmm_of_firmware(const struct pvrom_probe_evidence *evidence)
{
	static const struct {
		const char *name, *part;
		uint32_t vmm;
	} known[] = {
		{ "dmi.vendor", "QEMU", PVROM_PROBE_VMM_KVM },
		{ "dmi.product", "KVM", PVROM_PROBE_VMM_KVM },
		{ "dmi.vendor", "Amazon EC2", PVROM_PROBE_VMM_KVM },
		{ "dmi.vendor", "VMware", PVROM_PROBE_VMM_VMWARE },
		{ "dmi.vendor", "innotek", PVROM_PROBE_VMM_VIRTUALBOX },
		{ "dmi.vendor", "Xen", PVROM_PROBE_VMM_XEN },
		{ "dmi.product", "BHYVE", PVROM_PROBE_VMM_BHYVE },
		{ "dmi.vendor", "Parallels", PVROM_PROBE_VMM_PARALLELS },
	};
	uint32_t i;

	/* "i7ie.metal" and its like are machines that are rented out whole. */
	if (fact_contains(evidence, "dmi.product", ".metal"))
		return PVROM_PROBE_VMM_NONE;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (fact_contains(evidence, known[i].name, known[i].part))
			return known[i].vmm;
	return PVROM_PROBE_VMM_NONE;
}

/*
 * Of several interfaces: whoever offers another's beside his own, offers that for guests that know nothing
 * better, so the other's is the less telling. Hyper-V's is offered by all, KVM's by some on top of it.
 */
static uint32_t vmm_of_interfaces(uint32_t interfaces)
{
	uint32_t vmm;

	for (vmm = 1; vmm < PVROM_PROBE_VMM_PVROM; vmm++)
		if (interfaces >> vmm & 1)
			return vmm;
	return PVROM_PROBE_VMM_NONE;
}

static void identify(const struct pvrom_probe_evidence *evidence, struct pvrom_probe_verdict *v)
{
	const uint32_t by_firmware = vmm_of_firmware(evidence);

	v->vmm = vmm_of_interfaces(v->interfaces);
	if (fact_contains(evidence, "xen", "xen"))
		v->vmm = PVROM_PROBE_VMM_XEN;
	/* An interface that is lent to others, and another's firmware: that other one keeps its name to itself. */
	if (by_firmware != PVROM_PROBE_VMM_NONE && by_firmware != v->vmm &&
	    (v->vmm == PVROM_PROBE_VMM_NONE || v->vmm == PVROM_PROBE_VMM_HYPERV ||
	     v->vmm == PVROM_PROBE_VMM_KVM)) {
		v->hidden = true;
		v->vmm = by_firmware;
	}
	if (v->vmm == PVROM_PROBE_VMM_NONE && v->hypervisor_bit)
		v->vmm = PVROM_PROBE_VMM_UNKNOWN;
}

/* Hyper-V: the partition may create others (TLFS, partition privileges); Xen: the control domain. */
static bool is_root(const struct pvrom_probe_evidence *evidence,
		    const struct pvrom_probe_verdict *v)
{
	if (v->vmm == PVROM_PROBE_VMM_HYPERV)
		return pvrom_probe_bit(evidence, PVROM_CPUID_BASE_FIRST + 3, EBX, 0);
	return v->vmm == PVROM_PROBE_VMM_XEN && fact_contains(evidence, "xen.guest", "dom0");
}

/* ---- processor ------------------------------------------------------------------------------- */

static uint8_t answer_of(const char *value)
{
	if (!value)
		return PVROM_PROBE_UNKNOWN;
	return pvrom_text_equal(value, "yes") ? PVROM_PROBE_YES : PVROM_PROBE_NO;
}

/* What KVM uses if there is one; else what the processor has: NPT stands in CPUID, EPT in an MSR of VMX. */
static uint8_t nested_paging(const struct pvrom_probe_evidence *evidence,
			     const struct pvrom_probe_verdict *v)
{
	const char *used = pvrom_probe_fact(evidence, "kvm.nested_paging");

	if (used)
		return answer_of(used);
	if (!v->nested_guest)
		return PVROM_PROBE_NO;
	if (v->amd)
		return pvrom_probe_bit(evidence, 0x8000000a, EDX, 0) ? PVROM_PROBE_YES
								     : PVROM_PROBE_NO;
	return answer_of(pvrom_probe_fact(evidence, "vmx.ept"));
}

static bool is_amd(const struct pvrom_probe_evidence *evidence)
{
	const uint32_t *regs = pvrom_probe_leaf(evidence, 0, 0);

	/* "Auth", "Hygo" */
	return regs && (regs[EBX] == 0x68747541 || regs[EBX] == 0x6f677948);
}

/* TDX names itself in a leaf of its own (Intel TDX Module ABI, CPUID 0x21); SEV only to the kernel. */
static const char *confidential(const struct pvrom_probe_evidence *evidence)
{
	const uint32_t *regs = pvrom_probe_leaf(evidence, 0x21, 0);

	if (regs && regs[EBX] == 0x65746e49 && regs[EDX] == 0x5844546c)
		return "tdx";
	return pvrom_probe_fact(evidence, "cc");
}

static void look_at_processor(const struct pvrom_probe_evidence *evidence,
			      struct pvrom_probe_verdict *v)
{
	v->amd = is_amd(evidence);
	v->nested_guest = v->amd ? pvrom_probe_bit(evidence, 0x80000001, ECX, 2)
				 : pvrom_probe_bit(evidence, 1, ECX, 5);
	v->invariant_tsc = pvrom_probe_bit(evidence, 0x80000007, EDX, 8);
	v->x2apic = pvrom_probe_bit(evidence, 1, ECX, 21);
	v->tsc_deadline = pvrom_probe_bit(evidence, 1, ECX, 24);
	v->nested_paging = nested_paging(evidence, v);
	v->apic = answer_of(pvrom_probe_fact(evidence, "kvm.apic"));
}

void pvrom_probe_machine(const struct pvrom_probe_evidence *evidence,
			 struct pvrom_probe_verdict *verdict)
{
	verdict->hypervisor_bit = pvrom_probe_bit(evidence, 1, ECX, PVROM_CPUID_HYPERVISOR_BIT);
	verdict->interfaces = interfaces_of(evidence);
	identify(evidence, verdict);
	verdict->root = is_root(evidence, verdict);
	look_at_processor(evidence, verdict);
	verdict->container = pvrom_probe_fact(evidence, "container");
	verdict->cc = confidential(evidence);
	verdict->kvm = pvrom_probe_fact(evidence, "kvm");
	verdict->kvm_module = pvrom_probe_fact(evidence, "kvm.module");
}
