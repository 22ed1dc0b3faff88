/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the core's files share: text without a C library. */
#ifndef PVROM_PROBE_INTERNAL_H
#define PVROM_PROBE_INTERNAL_H

#include <pvrom/guest.h>
#include <pvrom/feature_probe.h>

enum { EAX, EBX, ECX, EDX };

/* probe_text.c */
/* A line that is being made; what does not fit is cut off. */
struct pvrom_text {
	char bytes[512];
	uint32_t length;
};

bool pvrom_text_equal(const char *a, const char *b);
bool pvrom_text_contains(const char *text, const char *part);
void pvrom_text_copy(char *to, size_t room, const char *from, size_t size);
size_t pvrom_text_length(const char *text);
void pvrom_text_clear(struct pvrom_text *text);
/* Appends. */
void pvrom_text_put(struct pvrom_text *text, const char *words);
void pvrom_text_hex(struct pvrom_text *text, uint64_t value, uint32_t digits);
void pvrom_text_number(struct pvrom_text *text, uint64_t value);
/* Blanks up to a column. */
void pvrom_text_column(struct pvrom_text *text, uint32_t column);
/* The text as a string of JSON, with its quotes. */
void pvrom_text_quoted(struct pvrom_text *text, const char *words);
/* Hands the line over and begins the next. */
void pvrom_text_end(struct pvrom_text *text, pvrom_probe_line_fn *line, void *ctx);

/* probe_machine.c: all of the verdict that is not about pvrom. */
void pvrom_probe_machine(const struct pvrom_probe_evidence *evidence,
			 struct pvrom_probe_verdict *verdict);
/* The bases of hypervisor leaves that were recorded, from `base` (0x40000000 at first) on; 0: no more. */
uint32_t pvrom_probe_base(const struct pvrom_probe_evidence *evidence, uint32_t base);
/* Whose signature registers ebx, ecx and edx hold: enum pvrom_probe_vmm. */
uint32_t pvrom_probe_signature(const uint32_t regs[4]);

/* probe_rom.c */
void pvrom_probe_judge_rom(const struct pvrom_probe_evidence *evidence,
			   struct pvrom_probe_verdict *verdict);

#endif
