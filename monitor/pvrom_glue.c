/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom in this monitor: the host core set up over the machine, its ROM put
 * into guest memory, its calls brought in by a port. What the core asks of the
 * monitor is in pvrom_ops.c.
 */
#include "pvrom_glue.h"
#include "kvm_device.h"
#include "load_kernel.h"
#include "pc_devices.h"
#include "run_vcpu.h"

#include <string.h>
#include <sys/ioctl.h>

#define ROM_ROOM KIB(64)     /* four times the size that the ROM promises to stay under */
#define LIVE_KEY 0x70764c4bu /* any number; it only has to be the ROM header's */
#define EFER_LMA 0x400u
#define LOG_LINES_A_SECOND 200u

/* The counter of a call: its group and index, 64 of each, or the last for what is beyond that. */
static uint32_t counter_of(uint32_t call)
{
	bool in_table = (call & ~0x73fu) == 0;

	return in_table ? (call >> 2 & 0x1c0) | (call & 0x3f) : CALL_COUNTERS;
}

/* What the core is to offer and what it says of its calls; here, because each call looks into it. */
static void fill_tables(struct vm *vm)
{
	static const struct pvrom_host_feature *const offered[] = {
		&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, NULL,
	};
	struct pvrom *pvrom = &vm->pvrom;

	memcpy(pvrom->features, offered, sizeof(offered));
	virtio_bus_offer(vm);
	pvrom->features[4] = &vm->bus.dev;
	pvrom->features[5] = &vm->bus.blk;
	pvrom->features[6] = &vm->bus.net;
	if (vm->clock.there)
		pvrom->features[FEATURES_OFFERED - 1] = &vm->clock.host.feature;
	for (uint32_t call = 0; call < CALL_GROUPS << 8; call++)
		if (pvrom_host_call_is_void(call))
			pvrom->is_void[counter_of(call) / CALL_INDEXES] |= 1ull
									   << call % CALL_INDEXES;
}

/* The bit of the feature with that name; 0 if there is none. */
uint64_t pvrom_feature_by_name(const char *name)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} known[] = {
#define FEATURE(NAME, number, needs, text_name, text) { text_name, PVROM_FEATURE_BIT(number) },
		PVROM_FEATURE_TABLE(FEATURE)
#undef FEATURE
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].bit;
	return 0;
}

/* Bytes of guest memory to set aside for the ROM: whole pages, 0 for --rom off. */
uint64_t pvrom_glue_room(const struct options *opt)
{
	struct file_image file;
	uint64_t size;

	if (opt->rom != ROM_FILE)
		return opt->rom == ROM_ON ? ROM_ROOM : 0;
	file_open(&file, opt->rom_file);
	size = page_up(file.size);
	file_close(&file);
	if (size == 0 || size > PVROM_ROM_SIZE_MAX)
		fail(EXIT_CANNOT_RUN, "%s cannot be a ROM: it has %llu bytes", opt->rom_file,
		     (unsigned long long)file.size);
	return size > ROM_ROOM ? size : ROM_ROOM;
}

static struct pvrom_host_config configuration(struct vm *vm)
{
	return (struct pvrom_host_config){
		.ops = &vm->ops,
		.ops_ctx = vm,
		.features = vm->pvrom.features,
		.operator_off = vm->opt->features_off,
		.tsc_hz = vm->tsc_khz * 1000,
		.rom_gpa = vm->rom_gpa,
		.hardware = hardware_facts(vm),
		.flags = cpuid_supported_bit(vm->kvm, 1, 2, 21) ? PVROM_HOST_EOI_X2APIC : 0,
		.slots = vm->opt->slots,
		.vcpus = vm->opt->cpus,
		.log_burst = LOG_LINES_A_SECOND,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = TRANSPORT_PORT,
		.live_port = LIVE_PORT,
		.live_key = LIVE_KEY,
		.epoch_before = vm->epoch_before,
	};
}

/* Puts the core's image there, and over it that of --rom FILE, as it is. */
static void place_rom(struct vm *vm)
{
	uint8_t *room = memory_at(vm, vm->rom_gpa, vm->rom_size);
	struct file_image file;
	size_t size;

	if (pvrom_host_build_rom(&vm->pvrom.host, room, vm->rom_size, &size) != PVROM_HOST_OK)
		fail(EXIT_CANNOT_RUN, "the ROM does not fit its place (%zu bytes)", size);
	if (vm->opt->rom != ROM_FILE)
		return;
	file_open(&file, vm->opt->rom_file);
	if (file.size > vm->rom_size)
		fail(EXIT_CANNOT_RUN, "%s has grown", vm->opt->rom_file);
	memset(room, 0, vm->rom_size);
	memcpy(room, file.data, file.size);
	file_close(&file);
}

/* What firmware would do with an option ROM; the memory there is the guest's, who may overwrite it. */
static void copy_to_window(struct vm *vm)
{
	uint64_t room = PVROM_WINDOW_END - PVROM_WINDOW_FIRST;
	uint64_t size = vm->rom_size < room ? vm->rom_size : room;

	memcpy(memory_at(vm, PVROM_WINDOW_FIRST, size), memory_at(vm, vm->rom_gpa, size), size);
}

/* Sets up the host core; the CPUs exist and have not yet run. */
void pvrom_glue_create(struct vm *vm)
{
	struct pvrom_host_config config = configuration(vm);

	fill_tables(vm);
	pvrom_ops_fill(vm);
	for (uint32_t i = 0; i < vm->opt->cpus; i++)
		vm->vcpus[i].pvrom = &vm->pvrom.vcpus[i];
	if (pvrom_host_init(&vm->pvrom.host, &config, vm->pvrom.vcpus) != PVROM_HOST_OK)
		fail(EXIT_CANNOT_RUN, "the pvrom host core refuses this machine");
	place_rom(vm);
	if (vm->opt->find == FIND_WINDOW)
		copy_to_window(vm);
}

/* Out of the way of calls, for its registers would take their stack to a further page. */
static __attribute__((noinline)) bool look_at_mode(struct vcpu *vcpu, uint64_t rip, uint64_t *known)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0 || !(sregs.efer & EFER_LMA) || !sregs.cs.l)
		return false;
	*known = rip;
	return true;
}

/*
 * An address above 4 GiB is 64-bit code: EIP has 32 bits. Below, only the system registers tell 64-bit
 * mode from compatibility mode, and to read them at each call would make it a fifth dearer. So it is done
 * once for each place that calls, until the CPU is stopped or the guest resets. One that meanwhile calls
 * from both modes by the very same instruction is taken at its word, which harms nobody but itself.
 */
static bool is_64_bit(struct vcpu *vcpu, uint64_t rip)
{
	uint64_t *known = &vcpu->callers[(rip ^ rip >> 5) % KNOWN_CALLERS];

	return *known == rip || rip > UINT32_MAX || look_at_mode(vcpu, rip, known);
}

/* Another kernel may come to lie where one was: on the CPU's own thread. */
void pvrom_glue_forget_callers(struct vcpu *vcpu)
{
	memset(vcpu->callers, 0, sizeof(vcpu->callers));
}

/* The guest is done, as its last call says; a code of 0 is a clean power-off. */
static void shut_down(struct vcpu *vcpu, uint64_t how, uint64_t code)
{
	int status = (int)((code << 1 | 1) & 0xff);

	if (how == PVROM_SHUTDOWN_RESTART) {
		machine_finish(vcpu->vm, RESET, EXIT_POWEROFF);
	} else if (how == PVROM_SHUTDOWN_CRASH) {
		complain("CPU %u: the guest says that it has crashed (code %llu)", vcpu->index,
			 (unsigned long long)code);
		vcpu_dump(vcpu);
		machine_finish(vcpu->vm, ENDED, status);
	} else {
		machine_finish(vcpu->vm, ENDED, code ? status : EXIT_POWEROFF);
	}
}

/* Field by field: compilers clear and copy structures by vector registers, which costs more (mk/monitor.mk). */
static void read_registers(struct pvrom_host_regs *call, const struct kvm_regs *regs)
{
	call->call = (uint32_t)regs->rax;
	call->arg[0] = regs->rdi;
	call->arg[1] = regs->rsi;
	call->arg[2] = regs->r8;
	call->arg[3] = regs->r9;
	call->cpl = 0;
}

/* The others are as they were, for this host does not poison them. */
static void write_registers(struct kvm_run *run, const struct pvrom_host_regs *call)
{
	run->s.regs.regs.rax = call->status;
	run->s.regs.regs.rdx = call->value;
	run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

static __attribute__((noinline)) void end_of_run(struct vcpu *vcpu, enum pvrom_host_action action,
						 const struct pvrom_host_regs *call)
{
	if (action == PVROM_ACTION_STOP)
		vcpu_state_stop(vcpu);
	else if (action == PVROM_ACTION_SHUTDOWN)
		shut_down(vcpu, call->arg[0], call->arg[1]);
}

/* A call that takes registers and, unless the CPU's state was replaced meanwhile, returns some. */
static HOT __attribute__((noinline)) void full_call(struct vcpu *vcpu)
{
	const struct kvm_regs *regs = &vcpu->run->s.regs.regs;
	enum pvrom_host_action action;
	struct pvrom_host_regs call;

	read_registers(&call, regs);
	call.mode64 = is_64_bit(vcpu, regs->rip);
	vcpu->in_call = true;
	action = pvrom_host_call(vcpu->pvrom, &call);
	if (action == PVROM_ACTION_RESUME)
		write_registers(vcpu->run, &call);
	else
		end_of_run(vcpu, action, &call);
	vcpu->in_call = false;
}

static HOT __attribute__((noinline)) void void_call(struct vcpu *vcpu, uint32_t number)
{
	struct pvrom_host_regs call;

	call.call = number;
	pvrom_host_call(vcpu->pvrom, &call);
}

/*
 * One hypercall: `out %eax` to the transport's port, the registers are in the
 * shared page already. Other accesses to the port are none.
 */
HOT void pvrom_glue_call(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t number = (uint32_t)run->s.regs.regs.rax, counter = counter_of(number);

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 4 || run->io.count != 1)
		return;
	vcpu->calls[counter]++;
	if (vcpu->vm->pvrom.is_void[counter / CALL_INDEXES] >> counter % CALL_INDEXES & 1)
		void_call(vcpu, number);
	else
		full_call(vcpu);
}

/* The live port: 32 bits at a time, all ones otherwise. */
void pvrom_glue_live(struct vcpu *vcpu)
{
	struct pvrom_host_vcpu *mine = vcpu->pvrom;
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t value = UINT32_MAX;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		memcpy(&value, data, run->io.size);
		if (run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 4)
			pvrom_host_live_write(mine, value);
		if (run->io.direction == KVM_EXIT_IO_OUT)
			continue;
		value = run->io.size == 4 ? pvrom_host_live_read(mine) : UINT32_MAX;
		memcpy(data, &value, run->io.size);
	}
}

/* Lets the guest log again; with vm->lock held. */
void pvrom_glue_refill(struct vm *vm)
{
	vm->pvrom.logged = false;
	pvrom_host_refill_log(&vm->pvrom.host);
}
