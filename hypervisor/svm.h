/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * AMD's Secure Virtual Machine: the control block of a guest, and the numbers in it.
 * AMD APM vol. 2, chapter 15 and appendices B (layout) and C (exit codes).
 */
#ifndef HYPERVISOR_SVM_H
#define HYPERVISOR_SVM_H

#include <stddef.h>
#include <stdint.h>

#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117
#define VM_CR_SVMDIS 0x10

#define SVM_CODE_64 0x200 /* attributes: descriptor bit L */

struct svm_segment {
	uint16_t selector;
	uint16_t attributes; /* descriptor bits 55:52 and 47:40, packed into 12 bits */
	uint32_t limit;
	uint64_t base;
};

/*
 * Control area:
 *	0x000	intercepts		0x070	exit code, information 1 and 2
 *	0x040	permission maps		0x088	event whose delivery was interrupted
 *	0x050	TSC offset		0x090	nested paging on
 *	0x058	ASID, TLB control	0x0a8	event to inject
 *	0x060	virtual interrupts	0x0b0	root of the nested page table
 * Save area from 0x400: the guest's registers that VMRUN loads, and below them those of VMLOAD.
 */
struct svm_vmcb {
	uint16_t intercept_cr_read, intercept_cr_write;
	uint16_t intercept_dr_read, intercept_dr_write;
	uint32_t intercept_exceptions;
	uint32_t intercept1, intercept2;
	uint8_t reserved0[0x2c];
	uint64_t iopm, msrpm, tsc_offset;
	uint32_t asid;
	uint8_t tlb_control, reserved1[3];
	uint32_t int_control, int_vector;
	uint64_t int_state;
	uint64_t exit_code, exit_info1, exit_info2;
	uint64_t exit_int_info;
	uint64_t nested_control;
	uint8_t reserved2[0x10];
	uint64_t event_inject;
	uint64_t nested_root;
	uint8_t reserved3[0x348];
	struct svm_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved4[0x2b];
	uint8_t cpl;
	uint32_t reserved5;
	uint64_t efer;
	uint8_t reserved6[0x70];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved7[0x58];
	uint64_t rsp;
	uint8_t reserved8[0x18];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved9[0x20];
	uint64_t pat;
	uint8_t reserved10[0x990];
};
_Static_assert(offsetof(struct svm_vmcb, event_inject) == 0x0a8, "APM vol. 2 B.1");
_Static_assert(offsetof(struct svm_vmcb, es) == 0x400, "APM vol. 2 B.2");
_Static_assert(offsetof(struct svm_vmcb, cpl) == 0x4cb, "APM vol. 2 B.2");
_Static_assert(offsetof(struct svm_vmcb, rax) == 0x5f8, "APM vol. 2 B.2");
_Static_assert(offsetof(struct svm_vmcb, pat) == 0x668, "APM vol. 2 B.2");
_Static_assert(sizeof(struct svm_vmcb) == 0x1000, "one page");

/* intercept1 (offset 0x00c) and intercept2 (0x010). */
#define SVM_INTERCEPT1_INTR (1u << 0)
#define SVM_INTERCEPT1_NMI (1u << 1)
#define SVM_INTERCEPT1_VINTR (1u << 4)
#define SVM_INTERCEPT1_IRET (1u << 20)
#define SVM_INTERCEPT1_CPUID (1u << 18)
#define SVM_INTERCEPT1_HLT (1u << 24)
#define SVM_INTERCEPT1_INVLPG (1u << 25)
#define SVM_INTERCEPT1_INVLPGA (1u << 26)
#define SVM_INTERCEPT1_IO (1u << 27)
#define SVM_INTERCEPT1_MSR (1u << 28)
#define SVM_INTERCEPT1_SHUTDOWN (1u << 31)
#define SVM_INTERCEPT2_SVM 0x7fu /* VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT */
#define SVM_INTERCEPT2_MONITOR (1u << 10)
#define SVM_INTERCEPT2_MWAIT (3u << 11)

#define SVM_TLB_FLUSH_ALL 1 /* of every ASID; all processors have it */
#define SVM_INT_TPR 0xfu
#define SVM_INT_IRQ (1u << 8)
#define SVM_INT_IGNORE_TPR (1u << 20)
#define SVM_INT_MASKING (1u << 24)
#define SVM_INT_SHADOW 1u
#define SVM_NESTED_ON 1u

/* Events, as injected and as interrupted. */
#define SVM_EVENT_VALID (1ull << 31)
#define SVM_EVENT_ERROR (1ull << 11)
#define SVM_EVENT_TYPE (7ull << 8)
#define SVM_EVENT_INTERRUPT (0ull << 8)
#define SVM_EVENT_NMI (2ull << 8)
#define SVM_EVENT_EXCEPTION (3ull << 8)
#define SVM_EVENT_SOFTWARE (4ull << 8)

/* Of registers and exceptions: the first of as many as there are. */
enum { SVM_EXIT_READ_CR = 0x00, SVM_EXIT_WRITE_CR = 0x10, SVM_EXIT_EXCEPTION = 0x40 };
enum { SVM_EXIT_INTR = 0x60, SVM_EXIT_NMI = 0x61, SVM_EXIT_VINTR = 0x64, SVM_EXIT_CPUID = 0x72 };
enum { SVM_EXIT_IRET = 0x74, SVM_EXIT_HLT = 0x78, SVM_EXIT_INVLPG = 0x79, SVM_EXIT_IO = 0x7b };
enum { SVM_EXIT_MSR = 0x7c, SVM_EXIT_SHUTDOWN = 0x7f, SVM_EXIT_VMMCALL = 0x81 };
#define SVM_EXIT_NPF 0x400
#define SVM_EXIT_INVALID 0xffffffff /* the low half: what VMRUN says of a state that it refuses */

/* exit_info1 of a port access. */
#define SVM_IO_IN 0x1
#define SVM_IO_STRING 0x4
#define SVM_IO_SIZE(info) ((info) >> 4 & 7)
#define SVM_IO_PORT(info) ((uint16_t)((info) >> 16))

#endif
