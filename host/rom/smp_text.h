/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The smp group: System V functions, as in irq_text.h. */

	PIECE smp_start, NUMBER_SMP_START, PVROM_HYPERCALL_REGS, PVROM_FEATURE_SMP, 0
	TEXT_BEGIN smp_start
	mov $NUMBER_SMP_START, %eax
	HYPERCALL
	RETURN
	TEXT_END smp_start
	PIECE_END smp_start

	/* Comes back only with an error: a started vCPU begins elsewhere. */
	PIECE smp_stop, NUMBER_SMP_STOP, PVROM_HYPERCALL_REGS, PVROM_FEATURE_SMP, 0
	TEXT_BEGIN smp_stop
	mov $NUMBER_SMP_STOP, %eax
	HYPERCALL
	RETURN
	TEXT_END smp_stop
	PIECE_END smp_stop

	PIECE smp_kick, NUMBER_SMP_KICK, PVROM_HYPERCALL_REGS, PVROM_FEATURE_SMP, 0
	TEXT_BEGIN smp_kick
	mov $NUMBER_SMP_KICK, %eax
	HYPERCALL
	RETURN
	TEXT_END smp_kick
	PIECE_END smp_kick
