/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The verdict for people: a line for each thing, no line over 80 columns. */
#include "probe_internal.h"

#define LABEL 12u /* columns */

struct report {
	const struct pvrom_probe_verdict *v;
	struct pvrom_text text;
	pvrom_probe_line_fn *line;
	void *ctx;
};

static void label(struct report *r, const char *name)
{
	pvrom_text_put(&r->text, name);
	pvrom_text_column(&r->text, LABEL);
}

static void put(struct report *r, const char *words)
{
	pvrom_text_put(&r->text, words);
}

static void end(struct report *r)
{
	pvrom_text_end(&r->text, r->line, r->ctx);
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void machine(struct report *r)
{
	const struct pvrom_probe_verdict *v = r->v;

	label(r, "machine");
	if (v->vmm == PVROM_PROBE_VMM_NONE)
		put(r, "no hypervisor shows itself: bare metal, as far as can be seen");
	else if (v->vmm == PVROM_PROBE_VMM_UNKNOWN)
		put(r, "a hypervisor that nobody here knows");
	else
		put(r, pvrom_probe_vmm_name(v->vmm));
	if (v->root)
		put(r, ", and this is its privileged guest");
	if (v->hidden)
		put(r, " (CPUID does not say so, the firmware does)");
	end(r);
}

/* Interfaces of others are why a name in CPUID is not the name of the hypervisor. */
static void interfaces(struct report *r)
{
	bool any = false;
	uint32_t i;

	label(r, "interfaces");
	for (i = 1; i < PVROM_PROBE_VMM_COUNT; i++)
		if (r->v->interfaces >> i & 1) {
			put(r, any ? ", " : "");
			put(r, pvrom_probe_vmm_name(i));
			any = true;
		}
	put(r, any ? "" : "none");
	end(r);
}

static void surroundings(struct report *r)
{
	if (r->v->container) {
		label(r, "container");
		put(r, r->v->container);
		end(r);
	}
	if (r->v->cc) {
		label(r, "memory");
		put(r, "encrypted, the host cannot read it: ");
		put(r, r->v->cc);
		end(r);
	}
}

static void processor(struct report *r)
{
	const struct pvrom_probe_verdict *v = r->v;

	label(r, "processor");
	put(r, v->nested_guest ? "can run guests" : "cannot run guests");
	if (v->nested_guest)
		put(r, v->nested_paging == PVROM_PROBE_YES  ? ", with nested paging"
		       : v->nested_paging == PVROM_PROBE_NO ? ", without nested paging"
							    : "");
	put(r, v->invariant_tsc ? "; constant TSC" : "; TSC rate not promised");
	put(r, v->x2apic ? "; x2APIC" : "");
	end(r);
}

/* ---- pvrom ----------------------------------------------------------------------------------- */

static void rom(struct report *r)
{
	const struct pvrom_probe_verdict *v = r->v;

	label(r, "ROM");
	put(r, pvrom_probe_rom_words(v->rom));
	if (v->rom == PVROM_PROBE_ROM_REFUSED) {
		put(r, ": ");
		put(r, pvrom_verdict_words(v->rom_verdict));
	}
	if (v->route != PVROM_ROUTE_NONE) {
		end(r);
		label(r, "");
		put(r, "found by ");
		put(r, pvrom_route_words(v->route));
	}
	if (v->rom_major) {
		put(r, "; version ");
		pvrom_text_number(&r->text, v->rom_major);
		put(r, ".");
		pvrom_text_number(&r->text, v->rom_minor);
	}
	end(r);
}

/* The same reason for all is said once. */
static bool is_one_reason(const struct pvrom_probe_verdict *v)
{
	uint32_t i;

	for (i = 1; i < PVROM_FEATURE_COUNT; i++)
		if (v->feature[i].why != v->feature[0].why)
			return false;
	return v->feature[0].why >= PVROM_PROBE_WHY_NO_ROM;
}

static void cell(struct report *r, uint32_t column, uint8_t answer)
{
	pvrom_text_column(&r->text, column);
	put(r, pvrom_probe_answer_words(answer));
}

/* Which ones they are: what it needs and is not offered. */
static void missing(struct report *r, uint32_t i)
{
	static const uint64_t needs[] = {
#define NEEDS_(NAME, number, others, name, text) others,
		PVROM_FEATURE_TABLE(NEEDS_)
	};
	uint32_t j;

	for (j = 0; j < PVROM_FEATURE_COUNT; j++)
		if (needs[i] >> j & 1 && r->v->feature[j].granted == PVROM_PROBE_NO) {
			put(r, ": ");
			put(r, pvrom_feature_name(j));
		}
}

static void feature(struct report *r, uint32_t i)
{
	const struct pvrom_probe_feature *f = &r->v->feature[i];

	put(r, pvrom_feature_name(i));
	cell(r, 12, f->can);
	cell(r, 17, f->advised);
	cell(r, 26, f->hardware);
	cell(r, 35, f->offered);
	cell(r, 44, f->granted);
	cell(r, 53, f->works);
	if (f->why != PVROM_REASON_NONE) {
		end(r);
		put(r, "   off: ");
		put(r, pvrom_probe_why_words(f->why));
		if (f->why == PVROM_REASON_DEPENDENCY)
			missing(r, i);
	}
	end(r);
}

/* Who keeps a guest's page tables decides whether the paravirtual MMU has a point. */
static void host(struct report *r)
{
	const uint8_t nested = r->v->nested_paging;

	label(r, "KVM here");
	put(r, r->v->kvm ? r->v->kvm : "not tried");
	end(r);
	if (r->v->kvm_module) {
		label(r, "");
		put(r, r->v->kvm_module);
		put(r, nested == PVROM_PROBE_YES  ? "; the processor walks its guests' page tables"
		       : nested == PVROM_PROBE_NO ? "; it keeps shadow page tables for its guests"
						  : "");
		end(r);
	}
	put(r, r->v->kvm && pvrom_text_equal(r->v->kvm, "runs")
		       ? "What a monitor that embeds the handler could offer its guests here:"
		       : "What a monitor could offer its guests here, if this KVM ran any:");
	end(r);
}

static void features(struct report *r)
{
	uint32_t i;

	if (r->v->host)
		host(r);

	if (is_one_reason(r->v)) {
		label(r, "features");
		put(r, r->v->feature[0].offered == PVROM_PROBE_UNKNOWN ? "not known: " : "none: ");
		put(r, pvrom_probe_why_words(r->v->feature[0].why));
		end(r);
		return;
	}
	put(r, "feature     can  advised  hardware offered  granted  works");
	end(r);
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		feature(r, i);
}

void pvrom_probe_report(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
			void *ctx)
{
	struct report r = { .v = verdict, .line = line, .ctx = ctx };

	pvrom_text_clear(&r.text);
	machine(&r);
	interfaces(&r);
	surroundings(&r);
	processor(&r);
	rom(&r);
	features(&r);
}
