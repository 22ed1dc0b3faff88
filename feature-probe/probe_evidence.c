/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Evidence: CPUID leaves and named facts, each once. */
#include "probe_internal.h"

#define SUBLEAVES 8u /* of a leaf that has some; the verdicts look at the first */

void pvrom_probe_start(struct pvrom_probe_evidence *evidence)
{
	uint8_t *rom = evidence->rom;
	const size_t room = evidence->rom_room;

	__builtin_memset(evidence, 0, sizeof(*evidence));
	evidence->rom = rom;
	evidence->rom_room = room;
}

const uint32_t *pvrom_probe_leaf(const struct pvrom_probe_evidence *evidence, uint32_t leaf,
				 uint32_t subleaf)
{
	uint32_t i;

	for (i = 0; i < evidence->leaves; i++)
		if (evidence->leaf[i].leaf == leaf && evidence->leaf[i].subleaf == subleaf)
			return evidence->leaf[i].regs;
	return NULL;
}

bool pvrom_probe_bit(const struct pvrom_probe_evidence *evidence, uint32_t leaf, uint32_t reg,
		     uint32_t bit)
{
	const uint32_t *regs = pvrom_probe_leaf(evidence, leaf, 0);

	return regs && regs[reg] >> bit & 1;
}

bool pvrom_probe_add_leaf(struct pvrom_probe_evidence *evidence, uint32_t leaf, uint32_t subleaf,
			  const uint32_t regs[4])
{
	struct pvrom_probe_leaf *next = &evidence->leaf[evidence->leaves];
	uint32_t i;

	if (evidence->leaves == PVROM_PROBE_LEAVES || pvrom_probe_leaf(evidence, leaf, subleaf))
		return false;
	next->leaf = leaf;
	next->subleaf = subleaf;
	for (i = 0; i < 4; i++)
		next->regs[i] = regs[i];
	evidence->leaves++;
	return true;
}

const char *pvrom_probe_fact(const struct pvrom_probe_evidence *evidence, const char *name)
{
	uint32_t i;

	for (i = 0; i < evidence->facts; i++)
		if (pvrom_text_equal(evidence->fact[i].name, name))
			return evidence->fact[i].value;
	return NULL;
}

bool pvrom_probe_add_fact(struct pvrom_probe_evidence *evidence, const char *name,
			  const char *value)
{
	struct pvrom_probe_fact *next = &evidence->fact[evidence->facts];

	if (evidence->facts == PVROM_PROBE_FACTS || pvrom_text_length(name) >= PVROM_PROBE_NAME ||
	    !*name)
		return false;
	pvrom_text_copy(next->name, sizeof(next->name), name, PVROM_PROBE_NAME);
	/* As it is now, without what cannot be printed. */
	if (pvrom_probe_fact(evidence, next->name))
		return false;
	pvrom_text_copy(next->value, sizeof(next->value), value, PVROM_PROBE_VALUE);
	evidence->facts++;
	return true;
}

/* ---- CPUID ----------------------------------------------------------------------------------- */

struct taker {
	struct pvrom_probe_evidence *evidence;
	void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);
};

static bool has_subleaves(uint32_t leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd || leaf == 0x14 ||
	       leaf == 0x8000001d;
}

static void take_leaf(const struct taker *taker, uint32_t leaf)
{
	uint32_t regs[4], subleaf, last = has_subleaves(leaf) ? SUBLEAVES : 1;

	for (subleaf = 0; subleaf < last; subleaf++) {
		taker->cpuid(leaf, subleaf, regs);
		/* What was not recorded reads as zero. */
		if (leaf & 0xff && !(regs[EAX] | regs[EBX] | regs[ECX] | regs[EDX]))
			continue;
		pvrom_probe_add_leaf(taker->evidence, leaf, subleaf, regs);
	}
}

/* From first to the last that its own first leaf names, but not more than `most`. */
static void take_range(const struct taker *taker, uint32_t first, uint32_t most)
{
	uint32_t regs[4], leaf;

	taker->cpuid(first, 0, regs);
	if (regs[EAX] - first > most)
		regs[EAX] = first + most;
	for (leaf = first; leaf <= regs[EAX]; leaf++)
		take_leaf(taker, leaf);
}

/* Old KVMs say 0 for the last leaf, and have one more. */
static void take_hypervisor(const struct taker *taker, uint32_t base)
{
	const uint32_t most = 0x10;
	uint32_t regs[4];

	taker->cpuid(base, 0, regs);
	if (pvrom_probe_signature(regs) == PVROM_PROBE_VMM_NONE ||
	    (base != PVROM_CPUID_BASE_FIRST &&
	     pvrom_probe_signature(regs) == PVROM_PROBE_VMM_UNKNOWN))
		return;
	take_range(taker, base, most);
	if (!regs[EAX]) {
		take_leaf(taker, base);
		take_leaf(taker, base + 1);
	}
}

/* First what the verdicts need, for there may be more leaves than room. */
void pvrom_probe_take_cpuid(struct pvrom_probe_evidence *evidence,
			    void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]))
{
	const struct taker taker = { evidence, cpuid };
	uint32_t base;

	take_leaf(&taker, 0);
	take_leaf(&taker, 1);
	if (pvrom_probe_bit(evidence, 1, ECX, PVROM_CPUID_HYPERVISOR_BIT))
		for (base = PVROM_CPUID_BASE_FIRST; base <= PVROM_CPUID_BASE_LAST;
		     base += PVROM_CPUID_BASE_STEP)
			take_hypervisor(&taker, base);
	take_range(&taker, 0x80000000, 0x28);
	take_range(&taker, 0, 0x28);
}
