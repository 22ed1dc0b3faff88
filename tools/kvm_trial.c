/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What kvm_trial.h says: tiny guests, each in a machine of its own, that end with a port write. */
#include "kvm_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_SIZE 0x400000u
#define CODE 0x10000u
#define TABLES 0x20000u /* PML4, PDPT, PD */
#define STACK 0x30000u
#define RESULT_PORT 0x99
#define RESULT 0x5a

#define LOOPS 1000000u /* two instructions each */
/*
 * Real hardware needs under 1 ns an instruction, the lab's KVM about 10 (its CPU is software, but
 * translates); a KVM that interprets ring 0 needs about 500.
 */
#define SLOWEST_NS 100u
#define TRIES 5

struct trial {
	int kvm, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_size;
	char *message; /* the caller's: what went wrong */
};

/* Real mode: add, and say the sum. */
static const uint8_t real_mode_code[] = {
	0xb0, 0x50,	   /* mov $0x50,%al */
	0x04, 0x0a,	   /* add $0x0a,%al */
	0xe6, RESULT_PORT, /* out %al,$port */
	0xf4,		   /* hlt */
};

/* 64-bit mode: privileged instructions and a few that interpreters tend to lack. */
static const uint8_t long_mode_code[] = {
	0x0f, 0x20,	   0xd8,			 /* mov %cr3,%rax */
	0x0f, 0x22,	   0xd8,			 /* mov %rax,%cr3 */
	0xb9, 0x80,	   0x00, 0x00, 0xc0,		 /* mov $EFER,%ecx */
	0x0f, 0x32,					 /* rdmsr */
	0x0f, 0x30,					 /* wrmsr */
	0x0f, 0x01,	   0xf8,			 /* swapgs */
	0x0f, 0x01,	   0xf8,			 /* swapgs */
	0x0f, 0x01,	   0x3c, 0x24,			 /* invlpg (%rsp) */
	0x31, 0xc0,					 /* xor %eax,%eax */
	0x0f, 0xa2,					 /* cpuid */
	0x31, 0xc0,	   0x31, 0xd2,			 /* xor %eax,%eax; xor %edx,%edx */
	0x31, 0xdb,	   0x31, 0xc9,			 /* xor %ebx,%ebx; xor %ecx,%ecx */
	0x48, 0x83,	   0xe4, 0xf0,			 /* and $-16,%rsp */
	0xf0, 0x48,	   0x0f, 0xc7, 0x4c, 0x24, 0xe0, /* lock cmpxchg16b -32(%rsp) */
	0x66, 0x0f,	   0xef, 0xc0,			 /* pxor %xmm0,%xmm0 */
	0x66, 0x0f,	   0x7f, 0x44, 0x24, 0xf0,	 /* movdqa %xmm0,-16(%rsp) */
	0xb8, RESULT,	   0,	 0,    0,		 /* mov $RESULT,%eax */
	0x50, 0x9d,	   0x50, 0x58,			 /* push %rax; popf; push %rax; pop %rax */
	0xb0, RESULT,					 /* mov $RESULT,%al */
	0xe6, RESULT_PORT,				 /* out %al,$port */
	0xf4,
};

/* 64-bit mode, ring 0: a loop to be timed. */
static const uint8_t loop_code[] = {
	0xb9, LOOPS & 255, LOOPS >> 8 & 255, LOOPS >> 16 & 255, LOOPS >> 24, /* mov $LOOPS,%ecx */
	0xff, 0xc9,							     /* 1: dec %ecx */
	0x75, 0xfc,							     /* jnz 1b */
	0xb0, RESULT,							     /* mov $RESULT,%al */
	0xe6, RESULT_PORT,						     /* out %al,$port */
	0xf4,
};

static int trial_failed(const struct trial *t, const char *what)
{
	snprintf(t->message, KVM_TRIAL_MESSAGE, "%s: %s", what, strerror(errno));
	return -1;
}

static int open_machine(struct trial *t)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_SIZE };

	t->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (t->kvm < 0)
		return trial_failed(t, "/dev/kvm");
	if (ioctl(t->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return trial_failed(t, "KVM_GET_API_VERSION");
	t->vm = ioctl(t->kvm, KVM_CREATE_VM, 0);
	if (t->vm < 0)
		return trial_failed(t, "KVM_CREATE_VM");
	t->memory =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->memory == MAP_FAILED)
		return trial_failed(t, "mmap");
	region.userspace_addr = (uintptr_t)t->memory;
	if (ioctl(t->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return trial_failed(t, "KVM_SET_USER_MEMORY_REGION");
	t->vcpu = ioctl(t->vm, KVM_CREATE_VCPU, 0);
	if (t->vcpu < 0)
		return trial_failed(t, "KVM_CREATE_VCPU");
	t->run_size = (size_t)ioctl(t->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	t->run = mmap(NULL, t->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, t->vcpu, 0);
	return t->run == MAP_FAILED ? trial_failed(t, "mmap of the vCPU") : 0;
}

/* The CPU's features as KVM offers them; without this call some instructions are not allowed. */
static int set_cpuid(struct trial *t)
{
	static union {
		struct kvm_cpuid2 head;
		uint8_t space[sizeof(struct kvm_cpuid2) + 256 * sizeof(struct kvm_cpuid_entry2)];
	} cpuid;

	cpuid.head.nent = 256;
	if (ioctl(t->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0)
		return trial_failed(t, "KVM_GET_SUPPORTED_CPUID");
	if (ioctl(t->vcpu, KVM_SET_CPUID2, &cpuid) < 0)
		return trial_failed(t, "KVM_SET_CPUID2");
	return 0;
}

static void put_entry(struct trial *t, uint32_t address, uint64_t entry)
{
	memcpy(t->memory + address, &entry, sizeof(entry));
}

/* Flat 64-bit mode, the first 4 MiB mapped as they are. */
static void enter_long_mode(struct trial *t, struct kvm_sregs *s)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1
	};
	struct kvm_segment data = { .limit = 0xffffffff,
				    .selector = 16,
				    .type = 3,
				    .present = 1,
				    .s = 1,
				    .db = 1,
				    .g = 1 };

	put_entry(t, TABLES, (TABLES + 0x1000) | 3);
	put_entry(t, TABLES + 0x1000, (TABLES + 0x2000) | 3);
	put_entry(t, TABLES + 0x2000, 0x83);
	put_entry(t, TABLES + 0x2008, 0x200083);
	s->cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
	s->cr3 = TABLES;
	s->cr4 = 0x620;	 /* PAE OSFXSR OSXMMEXCPT */
	s->efer = 0xd00; /* LME LMA NXE */
	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
}

static void enter_real_mode(struct kvm_sregs *s)
{
	s->cs.base = CODE;
	s->cs.selector = CODE >> 4;
}

static int prepare(struct trial *t, const uint8_t *code, size_t size, int long_mode)
{
	struct kvm_regs regs = { .rip = long_mode ? CODE : 0, .rsp = STACK, .rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(t->memory + CODE, code, size);
	if (ioctl(t->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return trial_failed(t, "KVM_GET_SREGS");
	if (long_mode)
		enter_long_mode(t, &sregs);
	else
		enter_real_mode(&sregs);
	if (ioctl(t->vcpu, KVM_SET_SREGS, &sregs) < 0)
		return trial_failed(t, "KVM_SET_SREGS");
	if (ioctl(t->vcpu, KVM_SET_REGS, &regs) < 0)
		return trial_failed(t, "KVM_SET_REGS");
	return 0;
}

/* Runs to the port write, which must carry the result. */
static int run_to_result(struct trial *t)
{
	const struct kvm_run *run = t->run;

	if (ioctl(t->vcpu, KVM_RUN, 0) < 0)
		return trial_failed(t, "KVM_RUN");
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != RESULT_PORT) {
		snprintf(t->message, KVM_TRIAL_MESSAGE,
			 "KVM_RUN ended with reason %u instead of the port write",
			 run->exit_reason);
		return -1;
	}
	if (((const uint8_t *)run)[run->io.data_offset] != RESULT) {
		snprintf(t->message, KVM_TRIAL_MESSAGE, "a guest computed a wrong result");
		return -1;
	}
	return 0;
}

/* Each piece of code has a machine of its own: what one leaves behind is not another's trouble. */
static int try_code(const uint8_t *code, size_t size, int long_mode, char *message)
{
	struct trial t = { .kvm = -1,
			   .vm = -1,
			   .vcpu = -1,
			   .memory = MAP_FAILED,
			   .run = MAP_FAILED,
			   .message = message };
	int bad = open_machine(&t) || set_cpuid(&t) || prepare(&t, code, size, long_mode) ||
		  run_to_result(&t);

	if (t.run != MAP_FAILED)
		munmap(t.run, t.run_size);
	if (t.memory != MAP_FAILED)
		munmap(t.memory, MEMORY_SIZE);
	close(t.vcpu);
	close(t.vm);
	close(t.kvm);
	return bad;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int kvm_trial_real_mode(char message[KVM_TRIAL_MESSAGE])
{
	return try_code(real_mode_code, sizeof(real_mode_code), 0, message);
}

int kvm_trial_long_mode(char message[KVM_TRIAL_MESSAGE])
{
	return try_code(long_mode_code, sizeof(long_mode_code), 1, message);
}

/* The best of a few: other work on the machine makes a CPU look slow, nothing makes an interpreter fast. */
int kvm_trial_speed(char message[KVM_TRIAL_MESSAGE])
{
	uint64_t start, ns = 0;

	for (int i = 0; i < TRIES; i++) {
		start = now_ns();
		if (try_code(loop_code, sizeof(loop_code), 1, message))
			return -1;
		ns = (now_ns() - start) / (2 * LOOPS);
		if (ns <= SLOWEST_NS)
			return 0;
	}
	snprintf(message, KVM_TRIAL_MESSAGE, "%llu ns an instruction in ring 0: it is interpreted",
		 (unsigned long long)ns);
	return -1;
}
