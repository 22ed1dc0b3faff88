/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Each physical CPU: its interrupt table, SVM switched on, and the host's few interrupts. */
#include "hv.h"

#define CPUID_SVM 0x80000001
#define CPUID_SVM_BIT 0x4u

struct gate {
	uint16_t offset0, selector, type, offset1;
	uint32_t offset2, reserved;
};

/* What lies on the stack; hv_enter.S pushes the first two. */
struct frame {
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct table_pointer {
	uint16_t reserved[3];
	uint16_t limit;
	uint64_t base;
};

void hv_interrupted(const struct frame *frame);

static struct gate idt[256] __attribute__((aligned(16)));
/* For VMRUN itself, and for what VMLOAD and VMSAVE exchange. */
static uint8_t save_page[HV_MAX_CPUS][PAGE] __attribute__((aligned(4096)));
struct svm_vmcb hv_host_page[HV_MAX_CPUS] __attribute__((aligned(4096)));
static struct svm_vmcb vmcbs[HV_MAX_CPUS] __attribute__((aligned(4096)));

static void fill_idt(void)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t entry = (uint64_t)hv_idt_entries[vector];

		idt[vector] = (struct gate){
			(uint16_t)entry,	 HV_CODE, 0x8e00, (uint16_t)(entry >> 16),
			(uint32_t)(entry >> 32), 0
		};
	}
}

static void load_idt(void)
{
	struct table_pointer pointer = { .limit = sizeof(idt) - 1, .base = (uint64_t)idt };

	__asm__ volatile("lidt %0" ::"m"(pointer.limit), "m"(pointer.base) : "memory");
}

static void switch_svm_on(const struct hv_vcpu *vcpu)
{
	if (!(cpuid_of(CPUID_SVM, ECX) & CPUID_SVM_BIT) || rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) {
		hv_print("hypervisor: this CPU has no SVM, or its firmware has switched it off\n");
		hv_finish(1);
	}
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_NXE);
	wrmsr(MSR_VM_HSAVE_PA, (uint64_t)save_page[vcpu->id]);
	__asm__ volatile("vmsave %0" ::"a"(&hv_host_page[vcpu->id]) : "memory");
}

/* The guest's XCR0 is the CPU's own, so the host's CR4 must allow to set it. */
static void allow_xsave(void)
{
	if (cpuid_of(1, ECX) >> 26 & 1)
		write_cr4(read_cr4() | CR4_OSXSAVE);
}

/* On each CPU, once. */
void hv_host_cpu_init(struct hv_vcpu *vcpu)
{
	vcpu->vmcb = &vmcbs[vcpu->id];
	if (vcpu->id == 0)
		fill_idt();
	load_idt();
	wrmsr(MSR_GS_BASE, (uint64_t)vcpu);
	hv_apic_init_cpu();
	vcpu->apic_id = hv_apic_id();
	allow_xsave();
	switch_svm_on(vcpu);
}

struct hv_vcpu *hv_this_vcpu(void)
{
	return (struct hv_vcpu *)rdmsr(MSR_GS_BASE);
}

/* A device's input goes to the vCPU that the guest has chosen for it. */
static void pin_came(uint32_t pin)
{
	struct hv_route route;

	hv_lock_take(&hv.routes);
	route = hv.route[pin];
	hv_lock_release(&hv.routes);
	if (route.vector && !route.masked)
		hv_interrupts_send(&hv.vcpu[route.vcpu], route.vector);
}

/* A fault of the host itself ends everything. */
static void host_fault(const struct frame *frame)
{
	hv_print("hypervisor: vector %lu, error %lx at %lx, cr2 %lx\n", frame->vector, frame->error,
		 frame->rip, read_cr2());
	hv_finish(1);
}

/* A kick has done its work by ending the guest's run, or the sleep; it is only counted. */
void hv_interrupted(const struct frame *frame)
{
	uint32_t vector = (uint32_t)frame->vector;

	if (vector == VECTOR_NMI || vector == SPURIOUS_VECTOR ||
	    (vector >= PIC_VECTOR && vector < PIN_VECTOR))
		return;
	if (vector < 32)
		host_fault(frame);
	if (vector >= PIN_VECTOR && vector < PIN_VECTOR + PINS)
		pin_came(vector - PIN_VECTOR);
	if (vector == TIMER_VECTOR)
		hv_this_vcpu()->alarm.timer_came = true;
	if (vector == KICK_VECTOR)
		hv_this_vcpu()->asked = true;
	hv_apic_eoi();
}

/* Starts the others, and waits for as many as are wanted, or (0) for those that come soon. */
void hv_cpus_start(uint32_t wanted)
{
	uint32_t patience_ms = wanted ? 10000 : 500;

	memcpy((void *)HV_AP_PAGE, hv_ap_start, (size_t)(hv_ap_end - hv_ap_start));
	if (wanted != 1)
		hv_apic_start_others();
	while (patience_ms-- && (!wanted || __atomic_load_n(&hv.cpus, __ATOMIC_ACQUIRE) < wanted))
		hv_spin_us(1000);
	if (wanted && hv.cpus < wanted) {
		hv_print("hypervisor: %u CPUs wanted, %u came\n", wanted, hv.cpus);
		hv_finish(1);
	}
}
