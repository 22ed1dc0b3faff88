/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Alarms: System V functions, as in irq_text.h. */

	PIECE alarm_set, NUMBER_CLOCK_ALARM_SET, PVROM_HYPERCALL_REGS, PVROM_FEATURE_ALARM, 0
	TEXT_BEGIN alarm_set
	mov $NUMBER_CLOCK_ALARM_SET, %eax
	HYPERCALL
	RETURN
	TEXT_END alarm_set
	PIECE_END alarm_set

	PIECE alarm_cancel, NUMBER_CLOCK_ALARM_CANCEL, PVROM_HYPERCALL_REGS, PVROM_FEATURE_ALARM, 0
	TEXT_BEGIN alarm_cancel
	mov $NUMBER_CLOCK_ALARM_CANCEL, %eax
	HYPERCALL
	RETURN
	TEXT_END alarm_cancel
	PIECE_END alarm_cancel
