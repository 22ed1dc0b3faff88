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
	case PVROM_PROBE_YES: return f->works == PVROM_PROBE_YES ? "palegreen" : "lightblue";
	case PVROM_PROBE_NO: return "lightgrey";
	default: return "white";
	}
}

/* Names and words have no quotes and no backslashes in them. */
static void node(struct dot *d, uint32_t i, const struct pvrom_probe_feature *f)
{
	put(d, "  \"");
	put(d, pvrom_feature_name(i));
	put(d, "\" [fillcolor=");
	put(d, colour(f));
	put(d, ", label=\"");
	put(d, pvrom_feature_name(i));
	if (f->why != PVROM_REASON_NONE) {
		put(d, "\\n");
		put(d, pvrom_probe_why_words(f->why));
	}
	put(d, "\"];");
	end(d);
}

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
				put(d, pvrom_feature_name(i));
				put(d, "\" -> \"");
				put(d, pvrom_feature_name(j));
				put(d, "\";");
				end(d);
			}
}

void pvrom_probe_dot(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		     void *ctx)
{
	struct dot d = { .line = line, .ctx = ctx };
	uint32_t i;

	pvrom_text_clear(&d.text);
	line(ctx, "digraph pvrom {");
	put(&d, "  label=\"");
	put(&d, pvrom_probe_vmm_name(verdict->vmm));
	put(&d, "; ROM: ");
	put(&d, pvrom_probe_rom_words(verdict->rom));
	put(&d, "\\ngreen: seen to work, blue: granted, grey: off, white: not known\";");
	end(&d);
	line(ctx, "  rankdir=BT; node [shape=box, style=filled];");
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		node(&d, i, &verdict->feature[i]);
	edges(&d);
	line(ctx, "}");
}
