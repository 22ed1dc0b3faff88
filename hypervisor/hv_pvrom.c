/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* pvrom in this hypervisor: the host core over the machine, its ROM, its calls by VMMCALL. */
#include "hv.h"

#define LOG_LINES_A_SECOND 200u

/* Two of the engine's follow, and an end. */
static const struct pvrom_host_feature *features[8] = {
	&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, &hv.clock.feature,
};

/* What the hardware does for the guest, and who builds its page tables. */
uint32_t hv_hardware_facts(void)
{
	return hv.nested ? PVROM_HW_NESTED_PAGING : PVROM_HW_OWNS_MMU;
}

/* Before the guest runs, or while all of it stands still. */
void hv_pvrom_init(void)
{
	struct pvrom_host_config config = {
		.ops = &hv_ops,
		.ops_ctx = &hv.core,
		.features = features,
		.operator_off = hv.options.features_off,
		.slots = hv.options.slots,
		.tsc_hz = hv.tsc_hz,
		.rom_gpa = hv.rom_gpa,
		.hardware = hv_hardware_facts(),
		.vcpus = hv.cpus,
		.log_burst = LOG_LINES_A_SECOND,
		.transport = PVROM_TRANSPORT_VMMCALL,
	};
	uint64_t room = ROM_ROOM;
	bool writable;
	size_t size;

	features[5] = pvrom_mmu_feature(hv.mmu, PVROM_FEATURE_MMU);
	features[6] = pvrom_mmu_feature(hv.mmu, PVROM_FEATURE_MMU_FAULT);
	hv_clock_init();
	if (pvrom_host_init(&hv.host, &config, hv.host_vcpu) != PVROM_HOST_OK ||
	    pvrom_host_build_rom(&hv.host, hv_memory_at(hv.rom_gpa, &room, &writable), room,
				 &size) != PVROM_HOST_OK) {
		hv_print("hypervisor: the pvrom host core refuses this machine\n");
		hv_finish(1);
	}
}

static void count(struct hv_vcpu *vcpu, uint32_t call)
{
	uint32_t group = call >> 8, index = call & 0xff;

	if (group < CALL_GROUPS && index < CALL_INDEXES)
		vcpu->counts.calls[group][index]++;
}

static void read_registers(const struct hv_vcpu *vcpu, struct pvrom_host_regs *regs)
{
	const uint64_t *gpr = vcpu->gpr;

	*regs = (struct pvrom_host_regs){
		.call = (uint32_t)gpr[RAX],
		.arg = { gpr[RDI], gpr[RSI], gpr[R8], gpr[R9] },
		.cpl = vcpu->vmcb->cpl,
		.mode64 = vcpu->vmcb->efer & EFER_LMA && vcpu->vmcb->cs.attributes & SVM_CODE_64,
	};
}

static void write_registers(struct hv_vcpu *vcpu, const struct pvrom_host_regs *regs)
{
	vcpu->gpr[RAX] = regs->status;
	vcpu->gpr[RDX] = regs->value;
	vcpu->gpr[RDI] = regs->arg[0];
	vcpu->gpr[RSI] = regs->arg[1];
	vcpu->gpr[R8] = regs->arg[2];
	vcpu->gpr[R9] = regs->arg[3];
}

static void shut_down(const struct hv_vcpu *vcpu, uint64_t how, uint64_t code)
{
	if (how == PVROM_SHUTDOWN_RESTART)
		hv_restart();
	if (how == PVROM_SHUTDOWN_CRASH)
		hv_dump(vcpu, "the guest says that it has crashed");
	hv_finish((uint8_t)code);
}

/* The guest may log so much a second. */
static void refill_log(void)
{
	uint64_t now = rdtsc(), then = __atomic_load_n(&hv.refilled, __ATOMIC_RELAXED);

	if (now - then > hv.tsc_hz &&
	    __atomic_compare_exchange_n(&hv.refilled, &then, now, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		pvrom_host_refill_log(&hv.host);
}

/*
 * The guest's set is older than nested paging: the engine answers, but the TLBs hold what the
 * processor itself has found in the guest's tables, and any call about them may be a flush, for any
 * CPU.
 */
static void flush_for_old_set(uint32_t call)
{
	if (!hv.nested || (call >> 8 != PVROM_GROUP_MMU && call != PVROM_BASE_BATCH))
		return;
	for (uint32_t i = 0; i < hv.cpus; i++)
		hv_request(&hv.vcpu[i], REQUEST_FLUSH);
	for (uint32_t i = 0; i < hv.cpus; i++)
		hv_wait_for(&hv.vcpu[i], REQUEST_FLUSH);
}

/* One hypercall; the guest's RIP is behind it already. */
void hv_pvrom_call(struct hv_vcpu *vcpu)
{
	uint32_t call = (uint32_t)vcpu->gpr[RAX];
	struct pvrom_host_regs regs;

	read_registers(vcpu, &regs);
	count(vcpu, regs.call);
	refill_log();
	hv_change_count();
	switch (pvrom_host_call(&hv.host_vcpu[vcpu->id], &regs)) {
	case PVROM_ACTION_RESUME:
		vcpu->counts.sum[SUM_CONTINUED] += regs.status == PVROM_STATUS_CONTINUE;
		write_registers(vcpu, &regs);
		break;
	case PVROM_ACTION_VOID: break;
	case PVROM_ACTION_STOP: hv_vcpu_stop(vcpu); break;
	case PVROM_ACTION_SHUTDOWN: shut_down(vcpu, regs.arg[0], regs.arg[1]); break;
	}
	flush_for_old_set(call);
}
