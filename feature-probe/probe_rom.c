/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The ROM as the evidence shows it: is there one, would a kernel use it, does a host stand behind it? */
#include "probe_internal.h"

/* The base of pvrom's leaves, 0 if there are none. The first counts. */
static uint32_t pvrom_base(const struct pvrom_probe_evidence *evidence)
{
	uint32_t base = PVROM_CPUID_BASE_FIRST - PVROM_CPUID_BASE_STEP;

	while ((base = pvrom_probe_base(evidence, base + PVROM_CPUID_BASE_STEP)))
		if (pvrom_probe_signature(pvrom_probe_leaf(evidence, base, 0)) ==
		    PVROM_PROBE_VMM_PVROM)
			return base;
	return 0;
}

/* What the leaves say of the ROM: they are a proof of a live host if they name this one. */
static bool leaves_name(const struct pvrom_probe_evidence *evidence, uint32_t base,
			const struct pvrom_rom_header *header)
{
	const uint32_t *regs = base ? pvrom_probe_leaf(evidence, base + 1, 0) : NULL;

	return regs && regs[ECX] == header->rom_size && regs[EDX] == header->checksum;
}

static void judge_image(const struct pvrom_probe_evidence *evidence, uint32_t base,
			struct pvrom_probe_verdict *v)
{
	struct pvrom_rom_header header;

	v->rom_verdict = pvrom_rom_check(evidence->rom, evidence->rom_size);
	v->rom = PVROM_PROBE_ROM_REFUSED;
	if (v->rom_verdict != PVROM_VERDICT_READY)
		return;
	__builtin_memcpy(&header, evidence->rom, sizeof(header));
	v->rom_major = header.major;
	v->rom_minor = header.minor;
	if (evidence->two_roms) {
		v->rom_verdict = PVROM_VERDICT_TWO_ROMS;
	} else if (leaves_name(evidence, base, &header) || (!base && evidence->port_answers)) {
		v->rom = PVROM_PROBE_ROM_VALID;
	} else if (base) {
		v->rom_verdict = PVROM_VERDICT_CPUID_LIES;
	} else {
		v->rom = PVROM_PROBE_ROM_NOT_LIVE;
		v->rom_verdict = PVROM_VERDICT_NO_HOST;
	}
}

/* Leaves that name a ROM which nobody could read. */
static void judge_leaves(const struct pvrom_probe_evidence *evidence, uint32_t base,
			 struct pvrom_probe_verdict *v)
{
	const uint32_t *regs = pvrom_probe_leaf(evidence, base + 1, 0);

	v->route = PVROM_ROUTE_CPUID;
	v->rom = PVROM_PROBE_ROM_NOT_READ;
	if (regs) {
		v->rom_major = (uint16_t)(regs[EAX] >> 16);
		v->rom_minor = (uint16_t)regs[EAX];
	}
	if (!regs || v->rom_major != PVROM_MAJOR) {
		v->rom = PVROM_PROBE_ROM_REFUSED;
		v->rom_verdict = regs ? PVROM_VERDICT_WRONG_MAJOR : PVROM_VERDICT_CPUID_LIES;
	}
}

/* This kernel's own shim has read it, has found the host alive, and told us: who may not read memory takes its word. */
static void hear_kernel(const struct pvrom_probe_evidence *evidence, struct pvrom_probe_verdict *v)
{
	const char *said = pvrom_probe_fact(evidence, "rom.kernel");

	if (!said || !pvrom_text_equal(said, pvrom_verdict_words(PVROM_VERDICT_READY)) ||
	    (v->rom != PVROM_PROBE_ROM_NOT_READ && v->rom != PVROM_PROBE_ROM_NOT_LOOKED))
		return;
	v->rom = PVROM_PROBE_ROM_VALID;
	v->rom_verdict = PVROM_VERDICT_READY;
}

void pvrom_probe_judge_rom(const struct pvrom_probe_evidence *evidence,
			   struct pvrom_probe_verdict *verdict)
{
	const uint32_t base = pvrom_base(evidence);

	verdict->route = evidence->rom_route;
	verdict->rom_verdict = PVROM_VERDICT_NO_ROM;
	if (evidence->rom && evidence->rom_size)
		judge_image(evidence, base, verdict);
	else if (base)
		judge_leaves(evidence, base, verdict);
	else
		verdict->rom = evidence->look == PVROM_PROBE_LOOKED ? PVROM_PROBE_ROM_NONE
								    : PVROM_PROBE_ROM_NOT_LOOKED;
	hear_kernel(evidence, verdict);
}
