/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The processors of the machine of the tests of pvmmu/: what they do in the guest and outside it. */
#include "mmu_world_internal.h"

/* ---- what a vCPU does outside the guest -------------------------------------------------------------- */

void world_leave(uint32_t vcpu)
{
	world.self = vcpu;
	world.vcpu[vcpu].in_guest = false;
}

uint32_t world_call(uint32_t vcpu, uint32_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct pvrom_host_regs regs = { .call = number, .arg = { a, b, c, d }, .mode64 = 1 };

	world_leave(vcpu);
	pvrom_host_call(&world.host_vcpu[vcpu], &regs);
	world.value = regs.value;
	if (number == PVROM_MMU_SWITCH_ROOT && !regs.status)
		world.vcpu[vcpu].regs.cr3 = a;
	return regs.status;
}

bool world_set_regs(uint32_t vcpu, const struct pvrom_mmu_regs *regs)
{
	world_leave(vcpu);
	world.vcpu[vcpu].regs = *regs;
	return world.nested || pvrom_mmu_set_regs(world.mmu, vcpu, regs);
}

void world_poll(void)
{
	world.self = 63; /* none of them */
	while (pvrom_mmu_poll(world.mmu))
		;
}

void world_flush(uint32_t vcpu)
{
	world_leave(vcpu);
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
	world_open_engine(world.vcpus, world.config.pool_pages);
	world_open_host(world.vcpus);
	if (pvrom_host_load(&world.host, image, size))
		world_wrong("the state cannot be loaded");
	for (i = 0; i < world.vcpus && world.polls && world.calls; i++)
		if (!*(uint32_t *)(void *)&world.memory[1 + i][PVROM_MMU_RING_POLLED])
			world_wrong("a ring is not said to be polled");
	for (i = 0; i < world.vcpus; i++)
		world_set_regs(i, &world.vcpu[i].regs);
}

void world_leave_all(void)
{
	uint32_t i;

	for (i = 0; i < world.vcpus; i++) {
		world_leave(i);
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

void world_go_in(uint32_t vcpu)
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
		world_leave(i);
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

void world_invlpg(uint32_t vcpu, uint64_t address)
{
	if (world.nested)
		return;
	world_go_in(vcpu);
	if (!world.vcpu[vcpu].run.intercept_invlpg) {
		tlb_forget_address(&world.vcpu[vcpu].tlb, address);
		return;
	}
	world_leave(vcpu);
	pvrom_mmu_invlpg(world.mmu, vcpu, address);
}

/* ---- an access ---------------------------------------------------------------------------------------- */

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
	world_ask_oracle(vcpu, address, a, &o);
	if (!o.allowed) {
		*out = (struct world_outcome){ o.no_table ? WORLD_NO_TABLE : WORLD_FAULT, 0,
					       o.error };
		return true;
	}
	if (world.resident && world.resident(address) && rings_are_drained() &&
	    world_is_memory(o.gpa >> 12) && !(a.write && world_is_rom(o.gpa >> 12)))
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

	world_leave(vcpu);
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

static struct world_outcome nested_access(uint32_t vcpu, uint64_t address, struct oracle_access a)
{
	struct oracle_answer o;
	uint32_t i;

	world_ask_oracle(vcpu, address, a, &o);
	for (i = 0; o.allowed && i < o.steps; i++)
		*world_word(o.step[i].gpa) |= o.step[i].marks;
	return world_expected(&o, a.write);
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

		world_go_in(vcpu);
		if (tlb_access(&v->tlb, v->run.root, address, t, &hpa, &error, &strange)) {
			out.result = world_owner(hpa, &out.gpa) ? WORLD_OK : WORLD_STRAY;
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
