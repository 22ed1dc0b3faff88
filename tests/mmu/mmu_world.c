/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The machine of the tests of pvmmu/: its memory, its host, its processors and their judge. */
#define _GNU_SOURCE /* madvise */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mmu_world.h"

struct world world;

/* ---- memory --------------------------------------------------------------------------------------- */

bool world_is_memory(uint64_t gfn)
{
	return gfn < WORLD_PAGES && !(gfn >= WORLD_HOLE && gfn < WORLD_ROM);
}

static bool is_rom(uint64_t gfn)
{
	return gfn >= WORLD_ROM && gfn < WORLD_DATA2;
}

uint64_t *world_word(uint64_t gpa)
{
	if (!world_is_memory(gpa >> 12))
		return NULL;
	return (uint64_t *)(void *)&world.memory[gpa >> 12][gpa & 4088];
}

void world_wrong(const char *format, ...)
{
	va_list arguments;

	if (world.wrong[0])
		return;
	va_start(arguments, format);
	vsnprintf(world.wrong, sizeof(world.wrong), format, arguments);
	va_end(arguments);
}

static const uint64_t *shadow_at(uint64_t hpa)
{
	const uint64_t page = (hpa - WORLD_POOL_HPA) >> 12;

	return hpa >= WORLD_POOL_HPA && page < world.config.pool_pages
		       ? (const uint64_t *)(const void *)world.pool[page]
		       : NULL;
}

/* The guest page that lies at hpa; false if what lies there is not the guest's. */
static bool owner(uint64_t hpa, uint64_t *gpa)
{
	const uint64_t page = (hpa >> 12) - 0x100000;
	/* 5 * 0xccd is 1 modulo 0x1000. */
	const uint64_t gfn = page * 0xccd & 0xfff;

	*gpa = gfn << 12 | (hpa & 4095);
	return page < WORLD_PAGES && world_is_memory(gfn);
}

/* ---- what the engine asks for --------------------------------------------------------------------- */

static bool op_page(void *ctx, uint64_t gfn, struct pvrom_mmu_memory *memory)
{
	(void)ctx;
	world.asked++;
	if (gfn >= WORLD_PAGES)
		world_wrong("the engine asks for page %#llx", (unsigned long long)gfn);
	if (!world_is_memory(gfn))
		return false;
	*memory = (struct pvrom_mmu_memory){ world.memory[gfn], WORLD_HPA(gfn), is_rom(gfn) };
	return true;
}

static void op_kick(void *ctx, uint64_t vcpus)
{
	(void)ctx;
	if (vcpus >> world.self & 1 && !world.sealing)
		world_wrong("the engine kicks the caller");
	for (uint32_t i = 0; i < world.vcpus; i++)
		if (vcpus >> i & 1)
			world.vcpu[i].in_guest = false;
}

static void op_lock(void *ctx)
{
	(void)ctx;
	if (world.locked++)
		world_wrong("locked twice");
}

static void op_unlock(void *ctx)
{
	(void)ctx;
	world.locked--;
}

static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	const uint64_t left = 4096 - (gpa.gpa & 4095);

	(void)ctx;
	if (!world_is_memory(gpa.gpa >> 12) || is_rom(gpa.gpa >> 12))
		return NULL;
	if (*len > left)
		*len = left;
	return &world.memory[gpa.gpa >> 12][gpa.gpa & 4095];
}

static void op_nothing(void *ctx)
{
	(void)ctx;
}

static uint64_t op_tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
	return 1;
}

/* The others stop before a RESET. */
static void op_park_others(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	for (uint32_t i = 0; i < world.vcpus; i++)
		if (i != vcpu)
			world.vcpu[i].in_guest = false;
}

/* ---- opening --------------------------------------------------------------------------------------- */

static void open_engine(uint32_t vcpus, uint32_t pool)
{
	world.ops = (struct pvrom_mmu_ops){ op_page, op_kick, NULL, op_lock, op_unlock };
	world.config = (struct pvrom_mmu_config){
		.ops = &world.ops,
		.pool = world.pool,
		.pool_hpa = WORLD_POOL_HPA,
		.pool_pages = pool,
		.vcpus = vcpus,
		.guest_pages = WORLD_PAGES,
		.physical_bits = WORLD_BITS,
		.flags = world.gib_pages ? PVROM_MMU_GIB_PAGES : 0,
	};
	world.config.memory_size = pvrom_mmu_size(&world.config);
	world.config.memory = world.engine = aligned_alloc(16, world.config.memory_size);
	world.mmu = pvrom_mmu_init(&world.config);
	if (!world.mmu)
		abort();
}

static void open_host(uint32_t vcpus)
{
	static uint8_t rom[65536];
	size_t size;

	world.features[0] = pvrom_mmu_feature(world.mmu, PVROM_FEATURE_MMU);
	world.features[1] = pvrom_mmu_feature(world.mmu, PVROM_FEATURE_MMU_FAULT);
	world.features[2] = NULL;
	world.host_ops = (struct pvrom_host_ops){
		.translate = op_translate,
		.lock = op_nothing,
		.unlock = op_nothing,
		.tsc = op_tsc,
		.park_others = op_park_others,
	};
	world.host_config = (struct pvrom_host_config){ .ops = &world.host_ops,
							.features = world.features,
							.hardware = PVROM_HW_OWNS_MMU,
							.transport = PVROM_TRANSPORT_VMMCALL,
							.vcpus = vcpus };
	if (pvrom_host_init(&world.host, &world.host_config, world.host_vcpu) ||
	    pvrom_host_build_rom(&world.host, rom, sizeof(rom), &size))
		abort();
}

static uint32_t negotiate(uint64_t form)
{
	uint32_t status;

	world.sealing = true;
	status = world_call(0, PVROM_BASE_NEGOTIATE, 0, form, 0, 0);
	world.sealing = false;
	return status;
}

static uint32_t propose(bool mmu)
{
	struct pvrom_negotiation *n = (struct pvrom_negotiation *)(void *)world.memory[0];

	*n = (struct pvrom_negotiation){ .size = sizeof(*n),
					 .major = PVROM_MAJOR,
					 .epoch = world.host.epoch };
	if (mmu)
		n->wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) |
			    PVROM_FEATURE_BIT(PVROM_FEATURE_MMU_FAULT);
	n->required = n->wanted;
	return negotiate(PVROM_NEGOTIATE_PROPOSE);
}

void world_seal(bool mmu, bool reload)
{
	uint32_t i;

	if (propose(mmu))
		world_wrong("a proposal is refused");
	if (reload) {
		world_reload();
		/* What was proposed, was proposed to another host; the empty set is always accepted. */
		if ((negotiate(PVROM_NEGOTIATE_COMMIT) == PVROM_STATUS_OK) == mmu)
			world_wrong("a commit of a proposal to another host");
		world_seal(mmu, false);
		return;
	}
	if (negotiate(PVROM_NEGOTIATE_COMMIT))
		world_wrong("a commit is refused");
	world.calls = mmu;
	for (i = 0; i < world.vcpus && mmu; i++) {
		memset(world.memory[1 + i], 0, 4096);
		*world_word((1 + i) << 12) = 256;
		world.vcpu[i].start = world.vcpu[i].done = 0;
		if (world_call(i, PVROM_MMU_RING, (1 + i) << 12, 0, 0, 0))
			world_wrong("a ring is refused");
	}
}

/* Whole pages; those that were never touched cost nothing. */
static void clear(void *at, size_t size)
{
	if (madvise(at, size, MADV_DONTNEED))
		memset(at, 0, size);
}

void world_open(uint32_t vcpus, uint32_t pool, bool calls, uint64_t seed)
{
	const bool gib_pages = world.gib_pages;
	uint32_t i;

	clear(world.memory, sizeof(world.memory));
	clear(world.mirror, sizeof(world.mirror));
	memset(world.pool, 0xff, (size_t)pool * 4096);
	world.wrong[0] = 0;
	world.locked = 0;
	world.resident = NULL;
	world.faults = world.own_faults = 0;
	world.vcpus = vcpus;
	world.calls = calls;
	world.nested = world.sealing = false;
	world.gib_pages = gib_pages;
	for (i = 0; i < vcpus; i++) {
		tlb_init(&world.vcpu[i].tlb, shadow_at, seed + i * 77);
		world.vcpu[i].in_guest = false;
		world.vcpu[i].start = world.vcpu[i].done = 0;
		memset(&world.vcpu[i].regs, 0, sizeof(world.vcpu[i].regs));
	}
	open_engine(vcpus, pool);
	open_host(vcpus);
	if (calls)
		world_seal(true, false);
}

void world_close(void)
{
	free(world.engine);
	world.engine = NULL;
}

/* ---- what a vCPU does outside the guest -------------------------------------------------------------- */

static void leave(uint32_t vcpu)
{
	world.self = vcpu;
	world.vcpu[vcpu].in_guest = false;
}

uint32_t world_call(uint32_t vcpu, uint32_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct pvrom_host_regs regs = { .call = number, .arg = { a, b, c, d }, .mode64 = 1 };

	leave(vcpu);
	pvrom_host_call(&world.host_vcpu[vcpu], &regs);
	world.value = regs.value;
	if (number == PVROM_MMU_SWITCH_ROOT && !regs.status)
		world.vcpu[vcpu].regs.cr3 = a;
	return regs.status;
}

bool world_set_regs(uint32_t vcpu, const struct pvrom_mmu_regs *regs)
{
	leave(vcpu);
	world.vcpu[vcpu].regs = *regs;
	return world.nested || pvrom_mmu_set_regs(world.mmu, vcpu, regs);
}

void world_invlpg(uint32_t vcpu, uint64_t address)
{
	leave(vcpu);
	if (!world.nested)
		pvrom_mmu_invlpg(world.mmu, vcpu, address);
}

void world_flush(uint32_t vcpu)
{
	leave(vcpu);
	if (!world.nested)
		pvrom_mmu_flush(world.mmu, vcpu, PVROM_MMU_TLB_ALL);
}

/* The host's state goes through an image into a host that knows nothing; its shadows do not. */
void world_reload(void)
{
	static uint8_t image[1 << 17];
	size_t size;
	uint32_t i;

	if (pvrom_host_save(&world.host, image, sizeof(image), &size))
		world_wrong("the state cannot be saved");
	world_close();
	open_engine(world.vcpus, world.config.pool_pages);
	open_host(world.vcpus);
	if (pvrom_host_load(&world.host, image, size))
		world_wrong("the state cannot be loaded");
	for (i = 0; i < world.vcpus; i++)
		world_set_regs(i, &world.vcpu[i].regs);
}

void world_leave_all(void)
{
	uint32_t i;

	for (i = 0; i < world.vcpus; i++) {
		leave(i);
		pvrom_mmu_leave(world.mmu, i);
	}
}

void world_take_in_all(void)
{
	uint32_t i;

	pvrom_mmu_forget(world.mmu);
	for (i = 0; i < world.vcpus; i++)
		if (!world_set_regs(i, &world.vcpu[i].regs))
			world_wrong("registers are refused");
}

static void go_in(uint32_t vcpu)
{
	struct world_vcpu *v = &world.vcpu[vcpu];

	if (v->in_guest)
		return;
	world.self = vcpu;
	pvrom_mmu_run(world.mmu, vcpu, &v->run);
	v->in_guest = true;
	if (v->run.tlb != PVROM_MMU_TLB_KEEP)
		tlb_forget(&v->tlb, v->run.tlb == PVROM_MMU_TLB_ALL);
}

/* What happens while it is nested the engine does not see, so what it has is worth nothing afterwards. */
void world_nest(bool nested)
{
	uint32_t i;

	world.nested = nested;
	for (i = 0; i < world.vcpus; i++) {
		leave(i);
		if (nested)
			pvrom_mmu_leave(world.mmu, i);
	}
	if (nested)
		pvrom_mmu_forget(world.mmu);
	else
		for (i = 0; i < world.vcpus; i++)
			pvrom_mmu_set_regs(world.mmu, i, &world.vcpu[i].regs);
	pvrom_host_set_hardware(&world.host, nested ? PVROM_HW_NESTED_PAGING : PVROM_HW_OWNS_MMU);
}

/* ---- an access ---------------------------------------------------------------------------------------- */

static void judge(uint32_t vcpu, uint64_t address, struct oracle_access a, struct oracle_answer *o)
{
	oracle_judge(world_word, &world.vcpu[vcpu].regs, WORLD_BITS, world.gib_pages, address, a,
		     o);
}

static bool rings_are_drained(void)
{
	uint32_t i;

	for (i = 0; i < world.vcpus; i++)
		if (world.vcpu[i].start !=
		    *(uint32_t *)(void *)&world.memory[1 + i][PVROM_MMU_RING_RETIRED])
			return false;
	return true;
}

/* The guest takes its own page faults: it tells its own from the hidden ones, and has those filled. */
static bool own_fault(uint32_t vcpu, uint64_t address, struct oracle_access a,
		      struct world_outcome *out)
{
	struct oracle_answer o;
	uint32_t i, status;

	world.own_faults++;
	judge(vcpu, address, a, &o);
	if (!o.allowed) {
		*out = (struct world_outcome){ o.no_table ? WORLD_NO_TABLE : WORLD_FAULT, 0,
					       o.error };
		return true;
	}
	if (world.resident && world.resident(address) && rings_are_drained() &&
	    world_is_memory(o.gpa >> 12) && !(a.write && is_rom(o.gpa >> 12)))
		world_wrong("vcpu %u: a hidden fault at %#llx, which is in the resident set", vcpu,
			    (unsigned long long)address);
	for (i = 0; i < o.steps; i++)
		*world_word(o.step[i].gpa) |= o.step[i].marks;
	status = world_call(vcpu, PVROM_MMU_FILL, address,
			    (a.write ? PVROM_MMU_FILL_WRITE : 0u) |
				    (a.user ? PVROM_MMU_FILL_USER : 0u) |
				    (a.fetch ? PVROM_MMU_FILL_FETCH : 0u),
			    0, 0);
	if (status == PVROM_STATUS_OK)
		return false;
	*out = (struct world_outcome){ status == PVROM_STATUS_ADDRESS ? WORLD_MEMORY : WORLD_STUCK,
				       o.gpa, status };
	return true;
}

static bool intercepted(uint32_t vcpu, uint64_t address, struct oracle_access a, uint32_t error,
			struct world_outcome *out)
{
	struct pvrom_mmu_fault fault;

	leave(vcpu);
	world.faults++;
	switch (pvrom_mmu_fault(world.mmu, vcpu, address, error | (a.ac ? PVROM_MMU_ACCESS_AC : 0),
				&fault)) {
	case PVROM_MMU_RETRY: return false;
	case PVROM_MMU_INJECT:
		*out = (struct world_outcome){ WORLD_FAULT, 0, fault.error };
		return true;
	case PVROM_MMU_MEMORY:
		*out = (struct world_outcome){ WORLD_MEMORY, fault.gpa, 0 };
		return true;
	default: *out = (struct world_outcome){ WORLD_NO_TABLE, fault.gpa, 0 }; return true;
	}
}

static struct world_outcome expected(const struct oracle_answer *o, bool write)
{
	if (o->no_table)
		return (struct world_outcome){ WORLD_NO_TABLE, 0, 0 };
	if (!o->allowed)
		return (struct world_outcome){ WORLD_FAULT, 0, o->error };
	if (!world_is_memory(o->gpa >> 12) || (write && is_rom(o->gpa >> 12)))
		return (struct world_outcome){ WORLD_MEMORY, o->gpa, 0 };
	return (struct world_outcome){ WORLD_OK, o->gpa, 0 };
}

static struct world_outcome nested_access(uint32_t vcpu, uint64_t address, struct oracle_access a)
{
	struct oracle_answer o;
	uint32_t i;

	judge(vcpu, address, a, &o);
	for (i = 0; o.allowed && i < o.steps; i++)
		*world_word(o.step[i].gpa) |= o.step[i].marks;
	return expected(&o, a.write);
}

struct world_outcome world_access(uint32_t vcpu, uint64_t address, struct oracle_access a)
{
	struct world_vcpu *v = &world.vcpu[vcpu];
	struct world_outcome out = { WORLD_STUCK, 0, 0 };
	bool strange = false;
	uint32_t tries, error;
	uint64_t hpa;

	for (tries = 0; tries < 8 && !world.nested; tries++) {
		struct tlb_access t = {
			a.write, a.fetch, a.user, a.ac, v->regs.cr4 >> 20 & 1, v->regs.cr4 >> 21 & 1
		};
		bool done;

		go_in(vcpu);
		if (tlb_access(&v->tlb, v->run.root, address, t, &hpa, &error, &strange)) {
			out.result = owner(hpa, &out.gpa) ? WORLD_OK : WORLD_STRAY;
			return out;
		}
		if (strange)
			return (struct world_outcome){ WORLD_STRAY, 0, 0 };
		if (v->run.intercept_faults)
			done = intercepted(vcpu, address, a, error, &out);
		else if (world.take_fault)
			done = world.take_fault(vcpu, address, a, error, &out);
		else
			done = own_fault(vcpu, address, a, &out);
		if (done)
			return out;
	}
	return world.nested ? nested_access(vcpu, address, a) : out;
}

/* ---- the judge ---------------------------------------------------------------------------------------- */

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

	judge(vcpu, address, a, &o);
	want = expected(&o, a.write);
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

	if (!o->allowed || !owner(hpa, &gpa) || gpa != o->gpa)
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
		judge(vcpu, address, a, &o);
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
		if (level > 1 ? !shadow_at(hpa) || !owns_below(shadow_at(hpa), level - 1, seen)
			      : !owner(hpa, &gpa) || ((e & 2) && is_rom(gpa >> 12)))
			return false;
	}
	return true;
}

bool world_owns_all(uint32_t vcpu)
{
	struct world_vcpu *v = &world.vcpu[vcpu];
	bool seen[WORLD_POOL_MAX] = { false };

	leave(vcpu);
	go_in(vcpu);
	return !v->run.root || owns_below(shadow_at(v->run.root), 4, seen);
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
