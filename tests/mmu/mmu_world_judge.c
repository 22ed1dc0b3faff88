/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The judge of the machine of the tests of pvmmu/: what the oracle says, and what the engine made of it. */
#include <string.h>

#include "mmu_world_internal.h"

void world_ask_oracle(uint32_t vcpu, uint64_t address, struct oracle_access a,
		      struct oracle_answer *o)
{
	oracle_judge(world_word, &world.vcpu[vcpu].regs, WORLD_BITS, world.gib_pages, address, a,
		     o);
}

struct world_outcome world_expected(const struct oracle_answer *o, bool write)
{
	if (o->no_table)
		return (struct world_outcome){ WORLD_NO_TABLE, 0, 0 };
	if (!o->allowed)
		return (struct world_outcome){ WORLD_FAULT, 0, o->error };
	if (!world_is_memory(o->gpa >> 12) || (write && world_is_rom(o->gpa >> 12)))
		return (struct world_outcome){ WORLD_MEMORY, o->gpa, 0 };
	return (struct world_outcome){ WORLD_OK, o->gpa, 0 };
}

static bool outcome_matches(const struct world_outcome *want, const struct world_outcome *got)
{
	if (want->result != got->result)
		return false;
	if (want->result == WORLD_FAULT)
		return want->error == got->error;
	return want->result == WORLD_NO_TABLE || want->gpa == got->gpa;
}

/* What became of A and D on the path: nothing but what the access sets, and all of it if it succeeded. */
static bool marks_match(const struct oracle_answer *o, const struct world_outcome *got, bool strict,
			bool resident)
{
	bool match = true;
	uint32_t i;

	for (i = 0; i < o->steps; i++) {
		const struct oracle_step *s = &o->step[i];
		const uint64_t now = *world_word(s->gpa);

		/* Filling the resident set may have come between. */
		const uint64_t others = resident ? 0x60 : s->marks;

		if ((now | others) != (s->entry | others) || (now & s->entry) != s->entry)
			match = false;
		if (strict && got->result == WORLD_OK && (now & s->marks) != s->marks)
			match = false;
		if (got->result == WORLD_FAULT && now != s->entry && !resident)
			match = false;
		*(uint64_t *)(void *)&world.mirror[s->gpa >> 12][s->gpa & 4088] = now;
	}
	return match;
}

struct world_outcome world_judge(uint32_t vcpu, uint64_t address, struct oracle_access a,
				 bool strict)
{
	struct oracle_answer o;
	struct world_outcome want, got;

	world_ask_oracle(vcpu, address, a, &o);
	want = world_expected(&o, a.write);
	got = world_access(vcpu, address, a);
	if (got.result == WORLD_STRAY || got.result == WORLD_STUCK ||
	    (strict && !outcome_matches(&want, &got)))
		world_wrong(
			"vcpu %u %s%s%s%#llx: result %d gpa %#llx error %#x, oracle %d %#llx %#x",
			vcpu, a.user ? "user " : "", a.write ? "write " : "",
			a.fetch ? "fetch " : "", (unsigned long long)address, got.result,
			(unsigned long long)got.gpa, got.error, want.result,
			(unsigned long long)want.gpa, want.error);
	else if (!marks_match(&o, &got, strict, world.resident && world.resident(address)))
		world_wrong("vcpu %u %#llx%s: A or D is wrong", vcpu, (unsigned long long)address,
			    a.write ? " write" : "");
	return got;
}

static bool answers_match(const struct oracle_answer *o, uint64_t hpa)
{
	uint64_t gpa;
	uint32_t i;

	if (!o->allowed || !world_owner(hpa, &gpa) || gpa != o->gpa)
		return false;
	for (i = 0; i < o->steps; i++)
		if ((o->step[i].entry & o->step[i].marks) != o->step[i].marks)
			return false;
	return true;
}

void world_audit(uint32_t vcpu, uint64_t address)
{
	struct world_vcpu *v = &world.vcpu[vcpu];
	const bool smep = v->regs.cr4 >> 20 & 1, smap = v->regs.cr4 >> 21 & 1;
	uint32_t how;

	for (how = 0; how < 12 && v->in_guest; how++) {
		const struct oracle_access a = { how % 3 == 1, how % 3 == 2, how / 3 & 1, how / 6 };
		const struct tlb_access t = { a.write, a.fetch, a.user, a.ac, smep, smap };
		struct oracle_answer o;
		uint64_t hpa;

		if (!tlb_peek(&v->tlb, v->run.root, address, t, &hpa))
			continue;
		world_ask_oracle(vcpu, address, a, &o);
		if (answers_match(&o, hpa))
			continue;
		world_wrong("vcpu %u may %s%s%#llx, which the oracle does not allow so", vcpu,
			    a.user ? "user " : "",
			    a.write   ? "write "
			    : a.fetch ? "fetch "
				      : "",
			    (unsigned long long)address);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than there are levels */
static bool owns_below(const uint64_t *table, uint32_t level, bool seen[WORLD_POOL_MAX])
{
	const size_t page = (size_t)((const uint8_t *)table - world.pool[0]) / 4096;
	uint64_t gpa;
	uint32_t i;

	if (seen[page])
		return true;
	seen[page] = true;

	for (i = 0; i < 512; i++) {
		const uint64_t e = table[i], hpa = e & 0xffffffffff000ull;

		if (!(e & 1))
			continue;
		if (level > 1 ? !world_shadow_at(hpa) ||
					!owns_below(world_shadow_at(hpa), level - 1, seen)
			      : !world_owner(hpa, &gpa) || ((e & 2) && world_is_rom(gpa >> 12)))
			return false;
	}
	return true;
}

bool world_owns_all(uint32_t vcpu)
{
	struct world_vcpu *v = &world.vcpu[vcpu];
	bool seen[WORLD_POOL_MAX] = { false };

	world_leave(vcpu);
	world_go_in(vcpu);
	return !v->run.root || owns_below(world_shadow_at(v->run.root), 4, seen);
}

/* Filling the resident set sets A and D without an access. */
static bool is_as_written(uint32_t gfn)
{
	const uint64_t *now = (const uint64_t *)(const void *)world.memory[gfn];
	const uint64_t *then = (const uint64_t *)(const void *)world.mirror[gfn];
	uint32_t i;

	if (!memcmp(now, then, 4096))
		return true;
	for (i = 0; i < 512 && world.resident; i++)
		if ((now[i] & ~0x60ull) != (then[i] & ~0x60ull) || (then[i] & ~now[i]))
			return false;
	return world.resident != NULL;
}

void world_compare(void)
{
	uint32_t gfn;

	for (gfn = WORLD_TABLES; gfn < WORLD_DATA && !world.wrong[0]; gfn++)
		if (!is_as_written(gfn))
			world_wrong("table page %#x is not what the guest wrote", gfn);
}
