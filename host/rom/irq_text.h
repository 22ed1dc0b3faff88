/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The irq group. Sites call these as System V functions: arguments in rdi, rsi, rdx, status in eax.
 * The hypercall wants the third argument in r8; its rdx is no argument but a value.
 */

	PIECE irq_route, NUMBER_IRQ_ROUTE, PVROM_HYPERCALL_REGS, PVROM_FEATURE_IRQ, 0
	TEXT_BEGIN irq_route
	mov %rdx, %r8
	mov $NUMBER_IRQ_ROUTE, %eax
	HYPERCALL
	RETURN
	TEXT_END irq_route
	PIECE_END irq_route

	PIECE irq_mask, NUMBER_IRQ_MASK, PVROM_HYPERCALL_REGS, PVROM_FEATURE_IRQ, 0
	TEXT_BEGIN irq_mask
	mov $NUMBER_IRQ_MASK, %eax
	HYPERCALL
	RETURN
	TEXT_END irq_mask
	PIECE_END irq_mask

	PIECE irq_send, NUMBER_IRQ_SEND, PVROM_HYPERCALL_REGS, PVROM_FEATURE_IRQ, 0
	TEXT_BEGIN irq_send
	mov %rdx, %r8
	mov $NUMBER_IRQ_SEND, %eax
	HYPERCALL
	RETURN
	TEXT_END irq_send
	PIECE_END irq_send

	/*
	 * The end of an interrupt. Where the host has said in the vCPU area that it needs none,
	 * nothing is left to do: one instruction tests and takes that word back (vcpu.h).
	 */
	.macro SKIP_IF_IDLE label
	RELOC PVROM_RELOC_SEGMENT
	.byte 0x65, 0x0f, 0xba			/* btrl $0, %gs:address */
	RELOC PVROM_RELOC_ADDRESS, PVROM_VCPU_AREA_EOI
	.byte 0x34, 0x25
	.long 0
	.byte 0
	jc \label
	.endm

	PIECE irq_eoi, NUMBER_IRQ_EOI, PVROM_RAX|PVROM_RDX, PVROM_FEATURE_IRQ, PVROM_PIECE_XAPIC
	TEXT_BEGIN irq_eoi
	SKIP_IF_IDLE .Lirq_eoi_done
	mov $NUMBER_IRQ_EOI, %eax
	HYPERCALL
.Lirq_eoi_done:
	RETURN
	TEXT_END irq_eoi
	PIECE_END irq_eoi

	/* In x2APIC mode the end of an interrupt is a write of an MSR, which KVM handles itself
	 * (Intel SDM vol. 3A, 11.12.1.2: register EOI, 80bh, only 0 may be written). */
	PIECE irq_eoi_x2, NUMBER_IRQ_EOI, PVROM_RAX|PVROM_RCX|PVROM_RDX, PVROM_FEATURE_IRQ, \
		PVROM_PIECE_X2APIC
	TEXT_BEGIN irq_eoi_x2
	SKIP_IF_IDLE .Lirq_eoi_x2_done
	xor %eax, %eax
	xor %edx, %edx
	mov $0x80b, %ecx
	wrmsr
.Lirq_eoi_x2_done:
	RETURN
	TEXT_END irq_eoi_x2
	PIECE_END irq_eoi_x2
