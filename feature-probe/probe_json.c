/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The verdict as JSON: one object, schema 1, a member a line; pvrom-probe(1) describes it. */
#include "probe_internal.h"

struct json {
	struct pvrom_text text;
	pvrom_probe_line_fn *line;
	void *ctx;
};

static void key(struct json *j, const char *name)
{
	pvrom_text_put(&j->text, "  ");
	pvrom_text_quoted(&j->text, name);
	pvrom_text_put(&j->text, ": ");
}

static void end(struct json *j, const char *comma)
{
	pvrom_text_put(&j->text, comma);
	pvrom_text_end(&j->text, j->line, j->ctx);
}

/* NULL: null. */
static void string(struct json *j, const char *name, const char *value)
{
	key(j, name);
	if (value)
		pvrom_text_quoted(&j->text, value);
	else
		pvrom_text_put(&j->text, "null");
	end(j, ",");
}

static void boolean(struct json *j, const char *name, bool value)
{
	key(j, name);
	pvrom_text_put(&j->text, value ? "true" : "false");
	end(j, ",");
}

/* What is not known is null, what was not tried a string. */
static const char *answer(uint8_t value)
{
	switch (value) {
	case PVROM_PROBE_YES: return "true";
	case PVROM_PROBE_NO: return "false";
	case PVROM_PROBE_NOT_TRIED: return "\"not tried\"";
	default: return "null";
	}
}

static void interfaces(struct json *j, uint32_t set)
{
	const char *comma = "";
	uint32_t i;

	key(j, "interfaces");
	pvrom_text_put(&j->text, "[");
	for (i = 1; i < PVROM_PROBE_VMM_COUNT; i++)
		if (set >> i & 1) {
			pvrom_text_put(&j->text, comma);
			pvrom_text_quoted(&j->text, pvrom_probe_vmm_name(i));
			comma = ", ";
		}
	pvrom_text_put(&j->text, "]");
	end(j, ",");
}

static void member(struct json *j, const char *name, const char *value, const char *comma)
{
	pvrom_text_quoted(&j->text, name);
	pvrom_text_put(&j->text, ": ");
	pvrom_text_put(&j->text, value);
	pvrom_text_put(&j->text, comma);
}

static void feature(struct json *j, const struct pvrom_probe_verdict *v, uint32_t i)
{
	const struct pvrom_probe_feature *f = &v->feature[i];

	pvrom_text_put(&j->text, "    ");
	pvrom_text_quoted(&j->text, pvrom_feature_name(i));
	pvrom_text_put(&j->text, ": {");
	member(j, "can", answer(f->can), ", ");
	member(j, "advised", answer(f->advised), ", ");
	member(j, "hardware", answer(f->hardware), ", ");
	member(j, "offered", answer(f->offered), ", ");
	member(j, "granted", answer(f->granted), ", ");
	member(j, "works", answer(f->works), ", ");
	pvrom_text_put(&j->text, "\"reason\": ");
	if (f->why == PVROM_REASON_NONE)
		pvrom_text_put(&j->text, "null");
	else
		pvrom_text_quoted(&j->text, pvrom_probe_why_words(f->why));
	end(j, i + 1 < PVROM_FEATURE_COUNT ? "}," : "}");
}

static void machine(struct json *j, const struct pvrom_probe_verdict *v)
{
	string(j, "hypervisor",
	       v->vmm == PVROM_PROBE_VMM_NONE ? NULL : pvrom_probe_vmm_name(v->vmm));
	interfaces(j, v->interfaces);
	boolean(j, "hypervisor_bit", v->hypervisor_bit);
	boolean(j, "hidden", v->hidden);
	boolean(j, "privileged_guest", v->root);
	string(j, "container", v->container);
	string(j, "encrypted_memory", v->cc);
	string(j, "kvm", v->kvm);
	string(j, "kvm_module", v->kvm_module);
	boolean(j, "about_host", v->host);
	boolean(j, "can_run_guests", v->nested_guest);
	key(j, "nested_paging");
	pvrom_text_put(&j->text, answer(v->nested_paging));
	end(j, ",");
	key(j, "virtual_apic");
	pvrom_text_put(&j->text, answer(v->apic));
	end(j, ",");
	boolean(j, "constant_tsc", v->invariant_tsc);
	boolean(j, "x2apic", v->x2apic);
}

static void rom(struct json *j, const struct pvrom_probe_verdict *v)
{
	string(j, "rom", pvrom_probe_rom_words(v->rom));
	string(j, "rom_verdict", pvrom_verdict_words(v->rom_verdict));
	string(j, "route", v->route == PVROM_ROUTE_NONE ? NULL : pvrom_route_words(v->route));
	key(j, "version");
	if (v->rom_major) {
		pvrom_text_put(&j->text, "[");
		pvrom_text_number(&j->text, v->rom_major);
		pvrom_text_put(&j->text, ", ");
		pvrom_text_number(&j->text, v->rom_minor);
		pvrom_text_put(&j->text, "]");
	} else {
		pvrom_text_put(&j->text, "null");
	}
	end(j, ",");
}

void pvrom_probe_json(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		      void *ctx)
{
	struct json j = { .line = line, .ctx = ctx };
	uint32_t i;

	pvrom_text_clear(&j.text);
	line(ctx, "{");
	key(&j, "schema");
	pvrom_text_number(&j.text, 1);
	end(&j, ",");
	key(&j, "status");
	pvrom_text_number(&j.text, pvrom_probe_status(verdict));
	end(&j, ",");
	machine(&j, verdict);
	rom(&j, verdict);
	key(&j, "features");
	end(&j, "{");
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		feature(&j, verdict, i);
	line(ctx, "  }");
	line(ctx, "}");
}
