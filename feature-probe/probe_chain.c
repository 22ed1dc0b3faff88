/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The evidence that led to the verdict, a sentence a line, in the order in which it counts. */
#include "probe_internal.h"

struct chain {
	const struct pvrom_probe_evidence *e;
	const struct pvrom_probe_verdict *v;
	struct pvrom_text text;
	pvrom_probe_line_fn *line;
	void *ctx;
};

static void put(struct chain *c, const char *words)
{
	pvrom_text_put(&c->text, words);
}

static void end(struct chain *c)
{
	pvrom_text_end(&c->text, c->line, c->ctx);
}

static void say(struct chain *c, const char *words)
{
	put(c, words);
	end(c);
}

static void base(struct chain *c, uint32_t leaf)
{
	const uint32_t *regs = pvrom_probe_leaf(c->e, leaf, 0);
	char signature[13];
	uint32_t i;

	for (i = 0; i < 12; i++)
		signature[i] = (char)(regs[1 + i / 4] >> i % 4 * 8);
	signature[12] = '\0';
	pvrom_text_copy(signature, sizeof(signature), signature, 12);
	put(c, "CPUID 0x");
	pvrom_text_hex(&c->text, leaf, 8);
	put(c, " says \"");
	put(c, signature);
	put(c, "\": ");
	put(c, pvrom_probe_vmm_name(pvrom_probe_signature(regs)));
	say(c, "'s interface");
}

static void hypervisor(struct chain *c)
{
	uint32_t leaf = PVROM_CPUID_BASE_FIRST - PVROM_CPUID_BASE_STEP;

	if (!pvrom_probe_leaf(c->e, 1, 0))
		say(c, "CPUID was not recorded");
	else
		say(c, c->v->hypervisor_bit ? "CPUID 1, ECX bit 31 is set: there is a hypervisor"
					    : "CPUID 1, ECX bit 31 is clear: none shows itself");
	while ((leaf = pvrom_probe_base(c->e, leaf + PVROM_CPUID_BASE_STEP)))
		base(c, leaf);
}

static void facts(struct chain *c)
{
	uint32_t i;

	for (i = 0; i < c->e->facts; i++) {
		put(c, c->e->fact[i].name);
		put(c, ": ");
		say(c, c->e->fact[i].value);
	}
}

static void rom(struct chain *c)
{
	const struct pvrom_probe_verdict *v = c->v;

	if (c->e->rom && c->e->rom_size) {
		put(c, "a ROM of ");
		pvrom_text_number(&c->text, c->e->rom_size);
		put(c, " bytes was read: a kernel would say \"");
		put(c, pvrom_verdict_words(v->rom_verdict));
		say(c, "\"");
	} else if (v->rom == PVROM_PROBE_ROM_NOT_READ) {
		say(c, "CPUID leaves of pvrom name a ROM, which could not be read");
	} else {
		say(c, c->e->look == PVROM_PROBE_LOOKED
			       ? "no ROM stands where one may stand"
			       : "the places where a ROM may stand could not be looked at");
	}
	if (c->e->port_answers)
		say(c, "its port answers: the host is alive");
	say(c, c->e->has_offer ? "the host was asked what it offers"
			       : "the host was not asked what it offers");
	if (c->e->has_wants)
		say(c, "the verdict on grants is for one kernel, as its ELF note has it");
}

void pvrom_probe_chain(const struct pvrom_probe_evidence *evidence,
		       const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		       void *ctx)
{
	struct chain c = { .e = evidence, .v = verdict, .line = line, .ctx = ctx };

	pvrom_text_clear(&c.text);
	if (evidence->source[0]) {
		put(&c, "source: ");
		say(&c, evidence->source);
	}
	hypervisor(&c);
	facts(&c);
	rom(&c);
}
