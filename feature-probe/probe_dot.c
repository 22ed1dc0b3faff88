/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The negotiation as a picture, in the language of Graphviz: features, what they depend on, and why one is off. */
#include "probe_internal.h"

struct dot {
	struct pvrom_text text;
	pvrom_probe_line_fn *line;
	void *ctx;
};

static void put(struct dot *d, const char *words)
{
	pvrom_text_put(&d->text, words);
}

static void end(struct dot *d)
{
	pvrom_text_end(&d->text, d->line, d->ctx);
}

static const char *colour(const struct pvrom_probe_feature *f)
{
	switch (f->granted) {
	case PVROM_PROBE_YES:
		return f->works == PVROM_PROBE_YES  ? "palegreen"
		       : f->works == PVROM_PROBE_NO ? "lightsalmon"
						    : "lightblue";
	case PVROM_PROBE_NO: return "lightgrey";
	default: return "white";
	}
}

/* In words too, for who does not see colours. */
static void state(struct dot *d, bool host, const struct pvrom_probe_feature *f)
{
	switch (f->granted) {
	case PVROM_PROBE_YES:
		put(d, host			     ? "could be offered"
		       : f->works == PVROM_PROBE_YES ? "works"
		       : f->works == PVROM_PROBE_NO  ? "granted: "
						     : "granted, not tried");
		break;
	case PVROM_PROBE_NO: put(d, "off: "); break;
	default: put(d, "not known: "); break;
	}
	if (f->why != PVROM_REASON_NONE)
		put(d, pvrom_probe_why_words(f->why));
}

/* Names and words have no quotes and no backslashes in them. */
static void node(struct dot *d, uint32_t i, const struct pvrom_probe_verdict *v)
{
	const struct pvrom_probe_feature *f = &v->feature[i];
	static const char *const texts[] = {
#define TEXT_(NAME, number, needs, name, text) text,
		PVROM_FEATURE_TABLE(TEXT_)
	};

	put(d, "  \"");
	put(d, pvrom_feature_name(i));
	put(d, "\" [fillcolor=");
	put(d, colour(f));
	put(d, ", label=\"");
	put(d, pvrom_feature_name(i));
	put(d, "\\n");
	put(d, texts[i]);
	put(d, "\\n");
	state(d, v->host, f);
	put(d, "\"];");
	end(d);
}

/* Drawn from what is needed to what needs it, so that the former stand in the first column. */
static void edges(struct dot *d)
{
	static const uint64_t needs[] = {
#define NEEDS_(NAME, number, others, name, text) others,
		PVROM_FEATURE_TABLE(NEEDS_)
	};
	uint32_t i, j;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		for (j = 0; j < PVROM_FEATURE_COUNT; j++)
			if (needs[i] >> j & 1) {
				put(d, "  \"");
				put(d, pvrom_feature_name(j));
				put(d, "\" -> \"");
				put(d, pvrom_feature_name(i));
				put(d, "\";");
				end(d);
			}
}

/* Above it: what it is about. */
static void title(struct dot *d, const struct pvrom_probe_verdict *v)
{
	put(d, "  labelloc=t; label=\"");
	if (v->host) {
		put(d, "what a monitor could offer its guests on this machine\\n");
		put(d, v->kvm && pvrom_text_equal(v->kvm, "runs") ? "its KVM runs guests"
								  : "its KVM runs no guest");
	} else {
		put(d, "hypervisor: ");
		put(d, v->vmm == PVROM_PROBE_VMM_NONE ? "none shows itself"
						      : pvrom_probe_vmm_name(v->vmm));
		put(d, "\\nROM: ");
		put(d, pvrom_probe_rom_words(v->rom));
	}
	if (!v->host && v->rom == PVROM_PROBE_ROM_REFUSED) {
		put(d, ": ");
		put(d, pvrom_verdict_words(v->rom_verdict));
	}
	put(d, "\\nan arrow leads to what a feature needs\\n \";");
	end(d);
}

void pvrom_probe_dot(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		     void *ctx)
{
	struct dot d = { .line = line, .ctx = ctx };
	uint32_t i;

	pvrom_text_clear(&d.text);
	line(ctx, "digraph pvrom {");
	title(&d, verdict);
	line(ctx, "  rankdir=LR; graph [fontname=\"sans-serif\"]; edge [dir=back];");
	line(ctx, "  node [shape=box, style=filled, fontname=\"sans-serif\"];");
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		node(&d, i, verdict);
	edges(&d);
	line(ctx, "}");
}
