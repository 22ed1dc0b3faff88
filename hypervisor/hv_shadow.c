/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Shadow paging: the engine of pvmmu/ over this machine. It is there with nested paging too, for
 * guests whose set holds its calls still, and because the machine may change over (hv_change.c).
 */
#include "hv.h"

#define CR0_INTERCEPT 0x1u
#define CR3_INTERCEPT 0x8u
#define CR4_INTERCEPT 0x10u
#define GUEST_PAGES 0x100000u /* 4 GiB: RAM, the ROM and, between and behind, ones */
#define FLAG_AC 0x40000ull

static bool op_page(void *ctx, uint64_t gfn, struct pvrom_mmu_memory *memory)
{
	uint64_t len = PAGE;
	bool writable = false;
	void *at = hv_memory_at(gfn * PAGE, &len, &writable);

	if (!at)
		at = hv_ones;
	*memory = (struct pvrom_mmu_memory){ at, (uint64_t)at, !writable };
	return true;
}

/* All are asked first, and then waited for. */
static void op_kick(void *ctx, uint64_t vcpus)
{
	for (uint64_t set = vcpus; set; set &= set - 1)
		hv_request(&hv.vcpu[__builtin_ctzll(set)], REQUEST_KICK);
	for (uint64_t set = vcpus; set; set &= set - 1)
		hv_wait_for(&hv.vcpu[__builtin_ctzll(set)], REQUEST_KICK);
}

/* SWITCH_ROOT: CR3 without an exit of its own, also of a guest that does not know yet that it is
 * nested. */
static void op_root(void *ctx, uint32_t vcpu, uint64_t cr3)
{
	struct svm_vmcb *vmcb = hv.vcpu[vcpu].vmcb;

	hv.vcpu[vcpu].control.cr3 = cr3;
	if (hv.nested)
		vmcb->cr3 = cr3;
	vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
}

static const struct pvrom_mmu_ops ops = { .page = op_page,
					  .kick = op_kick,
					  .root = op_root,
					  .lock = hv_lock_take,
					  .unlock = hv_lock_release };

static struct pvrom_mmu_config config;

/* Sets the engine up, or up anew: it knows nothing. */
void hv_shadow_start(void)
{
	hv.mmu = pvrom_mmu_init(&config);
}

/* The engine's own data, and its pool, below the guest's memory; from..to is what there is. */
uint64_t hv_shadow_init(uint64_t from, uint64_t to)
{
	uint64_t pool = ALIGN_UP(from, PAGE), memory = pool + hv.options.pool * PAGE;

	config = (struct pvrom_mmu_config){
		.ops = &ops,
		.ctx = &hv.mmu_lock,
		.pool_pages = hv.options.pool,
		.vcpus = hv.cpus,
		.guest_pages = GUEST_PAGES,
		.physical_bits = hv_physical_bits(),
		.flags = (cpuid_of(0x80000001, EDX) >> 26 & 1 ? PVROM_MMU_GIB_PAGES : 0) |
			 (hv.options.poll ? PVROM_MMU_POLLED : 0),
		.pool = (void *)pool,
		.pool_hpa = pool,
		.memory = (void *)memory,
	};
	config.memory_size = pvrom_mmu_size(&config);
	if (memory + config.memory_size <= to)
		hv_shadow_start();
	if (!hv.mmu) {
		hv_print("hypervisor: no room for a pool of %u pages\n", hv.options.pool);
		hv_finish(1);
	}
	return memory + config.memory_size;
}

static void set_intercepts(struct svm_vmcb *vmcb, const struct pvrom_mmu_regs *c)
{
	const uint16_t all = CR0_INTERCEPT | CR3_INTERCEPT | CR4_INTERCEPT;

	vmcb->intercept_cr_write |= all;
	vmcb->intercept_cr_read = CR3_INTERCEPT;
	if (vmcb->cr0 != c->cr0)
		vmcb->intercept_cr_read |= CR0_INTERCEPT;
	if (vmcb->cr4 != c->cr4)
		vmcb->intercept_cr_read |= CR4_INTERCEPT;
	vmcb->nested_control = 0;
}

/*
 * The guest's registers are c: the CPU's are such that it runs on the engine's tables or, unpaged,
 * on PAE tables that map its memory as it is. False for registers of other kinds of paging.
 */
bool hv_shadow_control(struct hv_vcpu *vcpu, const struct pvrom_mmu_regs *c)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	bool paged = pvrom_mmu_set_regs(hv.mmu, vcpu->id, c);

	if (c->cr0 & CR0_PG && !paged)
		return false;
	vcpu->control = *c;
	vmcb->cr0 = c->cr0 | CR0_PG | CR0_WP;
	vmcb->cr3 = (uint64_t)hv_unpaged_root;
	vmcb->cr4 = c->cr4 | CR4_PAE;
	vmcb->efer = (paged ? c->efer : c->efer & ~EFER_LME) | EFER_NXE | EFER_SVME;
	vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
	set_intercepts(vmcb, c);
	return true;
}

/*
 * Before each run. What changes afterwards comes as a request, which is looked at once more before
 * VMRUN; so the CPU need not be marked as one that runs the guest yet.
 */
void hv_shadow_before_run(struct hv_vcpu *vcpu)
{
	const uint32_t page_fault = 1u << VECTOR_PF, double_fault = 1u << VECTOR_DF;
	struct svm_vmcb *vmcb = vcpu->vmcb;
	struct pvrom_mmu_run run;

	pvrom_mmu_run(hv.mmu, vcpu->id, &run);
	if (run.root)
		vmcb->cr3 = run.root;
	if (run.tlb != PVROM_MMU_TLB_KEEP)
		vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
#ifdef PVROM_TEST /* planted: the guest's fault handler itself is not there */
	if (!run.intercept_faults)
		vmcb->cr3 = (uint64_t)hv_ones;
#endif
	vmcb->intercept_exceptions &= ~(page_fault | double_fault);
	vmcb->intercept_exceptions |= run.intercept_faults ? page_fault : double_fault;
	vmcb->intercept1 &= ~SVM_INTERCEPT1_INVLPG;
	vmcb->intercept1 |= run.intercept_invlpg ? SVM_INTERCEPT1_INVLPG : 0;
}

/* poll=on: the life of the last CPU. Between two looks a vCPU gets the lock, and changes are made. */
void hv_shadow_poll(void)
{
	for (;;) {
		hv_lock_take(&hv.poll_lock);
		pvrom_mmu_poll(hv.mmu);
		hv_lock_release(&hv.poll_lock);
		relax();
	}
}

/* A page fault on the engine's tables; false if it cannot be answered. */
bool hv_shadow_fault(struct hv_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	uint64_t address = vmcb->exit_info2;
	uint32_t error = (uint32_t)vmcb->exit_info1;
	struct pvrom_mmu_fault fault;

	if (!(vcpu->control.cr0 & CR0_PG))
		return false;
	if (vmcb->cpl < 3 && vmcb->rflags & FLAG_AC)
		error |= PVROM_MMU_ACCESS_AC;
	switch (pvrom_mmu_fault(hv.mmu, vcpu->id, address, error, &fault)) {
	case PVROM_MMU_RETRY: return true;
	case PVROM_MMU_INJECT:
		vcpu->vmcb->cr2 = address;
		hv_inject(vcpu, VECTOR_PF, true, fault.error);
		return true;
	default: return false;
	}
}
