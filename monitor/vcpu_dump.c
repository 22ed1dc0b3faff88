/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The register dump that goes to stderr when a guest crashes. */
#include "run_vcpu.h"
#include "guest_memory.h"

#include <stdio.h>
#include <sys/ioctl.h>

#define ULL(x) ((unsigned long long)(x))

static void dump_general(const struct kvm_regs *r)
{
	fprintf(stderr,
		"rip=%016llx rflags=%016llx rsp=%016llx rbp=%016llx\n"
		"rax=%016llx rbx=%016llx rcx=%016llx rdx=%016llx\n"
		"rsi=%016llx rdi=%016llx r8 =%016llx r9 =%016llx\n"
		"r10=%016llx r11=%016llx r12=%016llx r13=%016llx\n"
		"r14=%016llx r15=%016llx\n",
		r->rip, r->rflags, r->rsp, r->rbp, r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
}

static void dump_segment(const char *name, const struct kvm_segment *s)
{
	fprintf(stderr, "%s=%04x base=%016llx limit=%08x type=%x dpl=%u l=%u db=%u\n", name,
		s->selector, ULL(s->base), s->limit, s->type, s->dpl, s->l, s->db);
}

static void dump_system(const struct kvm_sregs *s)
{
	fprintf(stderr,
		"cr0=%08llx cr2=%016llx cr3=%016llx cr4=%08llx cr8=%llx efer=%llx apic=%llx\n",
		s->cr0, s->cr2, s->cr3, s->cr4, s->cr8, s->efer, s->apic_base);
	dump_segment("cs", &s->cs);
	dump_segment("ss", &s->ss);
	dump_segment("tr", &s->tr);
	fprintf(stderr, "gdt=%016llx/%04x idt=%016llx/%04x\n", s->gdt.base, s->gdt.limit,
		s->idt.base, s->idt.limit);
}

static void dump_code(struct vcpu *vcpu, uint64_t rip)
{
	struct kvm_translation where = { .linear_address = rip };
	const uint8_t *code;

	if (ioctl(vcpu->fd, KVM_TRANSLATE, &where) < 0 || !where.valid)
		return;
	code = memory_at(vcpu->vm, where.physical_address, 16);
	if (code == NULL)
		return;
	fprintf(stderr, "code:");
	for (int i = 0; i < 16; i++)
		fprintf(stderr, " %02x", code[i]);
	fputc('\n', stderr);
}

/* What it waits for, if it does not run (Documentation/virt/kvm/api.rst, KVM_GET_MP_STATE). */
static const char *waits_for(const struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	if (ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0)
		return "";
	switch (state.mp_state) {
	case KVM_MP_STATE_HALTED: return " (halted)";
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED: return " (not started)";
	default: return "";
	}
}

/* What KVM has still to deliver to it, if anything (api.rst there, KVM_GET_VCPU_EVENTS). */
static void dump_events(const struct vcpu *vcpu)
{
	struct kvm_vcpu_events e;

	if (ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &e) < 0)
		return;
	if (e.exception.injected)
		fprintf(stderr, "exception %u on its way, error code %x\n", e.exception.nr,
			e.exception.error_code);
	if (e.interrupt.injected)
		fprintf(stderr, "interrupt %u on its way\n", e.interrupt.nr);
	if (e.nmi.injected || e.nmi.pending || e.nmi.masked)
		fprintf(stderr, "NMI:%s%s%s\n", e.nmi.injected ? " on its way" : "",
			e.nmi.pending ? " pending" : "", e.nmi.masked ? " masked" : "");
	if (e.interrupt.shadow)
		fputs("interrupts held back by the last instruction\n", stderr);
}

static void dump_exits(const struct vcpu *vcpu)
{
	uint64_t calls = 0;

	for (unsigned int i = 0; i <= CALL_COUNTERS; i++)
		calls += vcpu->calls[i];
	fprintf(stderr, "exits: io %llu (calls %llu) mmio %llu signal %llu other %llu\n",
		ULL(vcpu->exits.io), ULL(calls), ULL(vcpu->exits.mmio), ULL(vcpu->exits.signal),
		ULL(vcpu->exits.other));
}

/* Writes what is known of the CPU to stderr; on its own thread or when it no longer runs. */
void vcpu_dump(struct vcpu *vcpu)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
		complain("KVM gives no registers of CPU %u", vcpu->index);
		return;
	}
	flockfile(stderr);
	fprintf(stderr, "CPU %u%s:\n", vcpu->index, waits_for(vcpu));
	dump_general(&regs);
	dump_system(&sregs);
	dump_code(vcpu, regs.rip + sregs.cs.base);
	dump_events(vcpu);
	dump_exits(vcpu);
	funlockfile(stderr);
}

static void dump(struct vcpu *vcpu, void *unused)
{
	(void)unused;
	vcpu_dump(vcpu);
}

/* All CPUs, the first one given first; while they run, with no lock held. */
void vcpu_dump_all(struct vcpu *first)
{
	struct vm *vm = first->vm;

	vcpu_do(first, dump, NULL);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		if (i != first->index)
			vcpu_do(&vm->vcpus[i], dump, NULL);
}

/*
 * After a shutdown: KVM on AMD has reset the CPU by then (AMD APM vol. 2,
 * 15.14.3: the state is undefined), so what it did last is said too.
 */
void vcpu_dump_last(struct vcpu *vcpu)
{
	flockfile(stderr);
	fprintf(stderr, "CPU %u at its last exit to the monitor before that:\n", vcpu->index);
	dump_general(&vcpu->last_regs);
	funlockfile(stderr);
}
