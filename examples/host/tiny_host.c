/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The smallest host that embeds the handler: one vCPU on /dev/kvm, a console, a way to end. */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <pvrom/host.h>

#define RAM (32ul << 20)
#define ROM_AT (16ul << 20)
#define CPUID_BASE 0x40000100u /* beside KVM's own leaves */
#define HYPERCALL_PORT 0x50

static uint8_t ram[RAM] __attribute__((aligned(4096)));
static int kvm, cpu;
static struct kvm_run *run;
static struct pvrom_host host;
static struct pvrom_host_vcpu vcpu;

static int control(int fd, unsigned long request, void *argument)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		err(125, "KVM request %#lx", request);
	return result;
}

static void open_machine(void)
{
	struct kvm_userspace_memory_region region = { .memory_size = RAM };
	int vm, size;

	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		err(125, "/dev/kvm");
	vm = control(kvm, KVM_CREATE_VM, NULL);
	region.userspace_addr = (uintptr_t)ram;
	control(vm, KVM_SET_USER_MEMORY_REGION, &region);
	control(vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000);
	cpu = control(vm, KVM_CREATE_VCPU, NULL);
	size = control(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED)
		err(125, "cannot map the run area");
}

/* tag::setup[] */
static void *translate(void *ctx, struct pvrom_gpa at, uint64_t *len)
{
	if (at.gpa >= RAM)
		return NULL;
	*len = *len < RAM - at.gpa ? *len : RAM - at.gpa;
	return ram + at.gpa;
}

static void no_lock(void *ctx) /* one vCPU, one thread */
{
}

static uint64_t tsc(void *ctx, uint32_t id)
{
	return __builtin_ia32_rdtsc(); /* good enough: alarms are not offered */
}

static uint32_t nested_paging(const char *parameter)
{
	int file = open(parameter, O_RDONLY);
	char c = 'N';

	return read(file, &c, 1) == 1 && (c == 'Y' || c == '1') ? PVROM_HW_NESTED_PAGING : 0;
}

static void embed_handler(void)
{
	static const struct pvrom_host_feature *const features[] = { &pvrom_host_cpu, NULL };
	static const struct pvrom_host_ops ops = {
		.translate = translate, .lock = no_lock, .unlock = no_lock, .tsc = tsc
	};
	struct pvrom_host_config config = { .ops = &ops, .features = features, .vcpus = 1 };
	size_t size;

	config.rom_gpa = ROM_AT;
	config.transport = PVROM_TRANSPORT_PORT;
	config.transport_port = HYPERCALL_PORT;
	config.hardware = nested_paging("/sys/module/kvm_amd/parameters/npt") |
			  nested_paging("/sys/module/kvm_intel/parameters/ept");
	if (pvrom_host_init(&host, &config, &vcpu) != PVROM_HOST_OK ||
	    pvrom_host_build_rom(&host, ram + ROM_AT, RAM - ROM_AT, &size) != PVROM_HOST_OK)
		errx(125, "the handler refuses this configuration");
}

static void show_cpuid(void)
{
	static _Alignas(8) uint8_t room[8 + 100 * sizeof(struct kvm_cpuid_entry2)];
	struct kvm_cpuid2 *ids = (void *)room;
	uint32_t r[4];

	ids->nent = 100 - PVROM_CPUID_LEAVES;
	control(kvm, KVM_GET_SUPPORTED_CPUID, ids);
	for (uint32_t i = 0; i < ids->nent; i++)
		if (ids->entries[i].function == 1)
			ids->entries[i].ecx |= 1u << PVROM_CPUID_HYPERVISOR_BIT;
	for (uint32_t leaf = CPUID_BASE; pvrom_host_cpuid(&host, CPUID_BASE, leaf, r); leaf++)
		ids->entries[ids->nent++] =
			(struct kvm_cpuid_entry2){ leaf, 0, 0, r[0], r[1], r[2], r[3], { 0 } };
	control(cpu, KVM_SET_CPUID2, ids);
}
/* end::setup[] */

static void get(int file, void *to, size_t size, uint64_t at)
{
	if (pread(file, to, size, (off_t)at) != (ssize_t)size)
		errx(126, "not a kernel");
}

/* Loads a 64-bit ELF file and sets the vCPU as a multiboot loader leaves it. */
static void load_kernel(int file)
{
	struct kvm_segment flat = {
		.type = 3, .limit = ~0u, .present = 1, .db = 1, .s = 1, .g = 1
	};
	struct kvm_regs regs = { .rax = 0x2badb002, .rflags = 2 };
	struct kvm_sregs sregs;
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	get(file, &eh, sizeof(eh), 0);
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		get(file, &ph, sizeof(ph), eh.e_phoff + i * sizeof(ph));
		if (ph.p_paddr > ROM_AT || ph.p_filesz > ROM_AT - ph.p_paddr)
			errx(126, "the kernel does not fit");
		if (ph.p_type == PT_LOAD)
			get(file, ram + ph.p_paddr, ph.p_filesz, ph.p_offset);
	}
	control(cpu, KVM_GET_SREGS, &sregs);
	sregs.cs = sregs.ds = sregs.es = sregs.ss = flat;
	sregs.cs.type = 11;
	sregs.cr0 |= 1;
	control(cpu, KVM_SET_SREGS, &sregs);
	regs.rip = eh.e_entry;
	control(cpu, KVM_SET_REGS, &regs);
}

/* tag::call[] */
static int hypercall(void) /* the exit status that the guest asks for, or -1 to go on */
{
	struct kvm_regs *r = &run->s.regs.regs;
	struct pvrom_host_regs call = { .call = (uint32_t)r->rax,
					.arg = { r->rdi, r->rsi, r->r8, r->r9 },
					.mode64 = run->s.regs.sregs.cs.l };
	enum pvrom_host_action action = pvrom_host_call(&vcpu, &call);

	r->rax = call.status, r->rdx = call.value;
	r->rdi = call.arg[0], r->rsi = call.arg[1], r->r8 = call.arg[2], r->r9 = call.arg[3];
	run->kvm_dirty_regs = action == PVROM_ACTION_RESUME ? KVM_SYNC_X86_REGS : 0;
	return action == PVROM_ACTION_SHUTDOWN ? (int)call.arg[1] : -1;
}

static int serve(void)
{
	int status = -1;

	while (status < 0) {
		run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
		control(cpu, KVM_RUN, NULL);
		uint8_t *data = (uint8_t *)run + run->io.data_offset;
		if (run->exit_reason != KVM_EXIT_IO)
			errx(124, "stopped: KVM's exit reason %u", run->exit_reason);
		if (run->io.direction == KVM_EXIT_IO_IN)
			*(uint32_t *)data = ~0u; /* nothing answers */
		else if (run->io.port == HYPERCALL_PORT && run->io.size == 4)
			status = hypercall();
		else if (run->io.port == 0x3f8)
			putchar(*data);
	}
	return status;
}
/* end::call[] */

int main(int argc, char **argv)
{
	int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;

	if (file < 0)
		errx(2, "usage: %s KERNEL", argv[0]);
	open_machine();
	embed_handler();
	show_cpuid();
	load_kernel(file);
	return serve();
}
