/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "shim": the guest shim before a host that lies in any answer: CPUID, ports, statuses, values, the
 * offer, the negotiation, and a ROM that is another one each time it is looked at.
 *
 * Promised (PVROM-SEC-5, PVROM-SEC-6): the shim ends in a verdict; unless that is READY no byte of the kernel's text has changed and no
 * memory is kept; if it is, the set is one that this kernel wants, whole, and bytes have changed in sites alone.
 * No hypercall is executed before somebody has shown that he answers it (shim_host.c sees to that).
 */
#include "shim_world.h"

#define ROUNDS_MAX 3

static bool is_closed(uint64_t set)
{
#define CLOSED(NAME, bit, needs, name, text)                                                       \
	if (set >> bit & 1 && (needs) & ~set)                                                      \
		return false;
	PVROM_FEATURE_TABLE(CLOSED)
	return true;
}

/* All the promises after start and after renegotiate. */
static void check_all(struct shim_world *world, uint32_t verdict)
{
	const struct pvrom_guest *guest = &world->guest;

	PROMISE(verdict == guest->verdict);
	shim_check(world);
	if (verdict == PVROM_VERDICT_READY) {
		PROMISE(!(guest->granted & ~(world->policy.wanted | world->policy.required)));
		PROMISE(!(world->policy.required & ~guest->granted) && is_closed(guest->granted));
	} else if (verdict != PVROM_VERDICT_REQUIRED_MISSING || !guest->patched) {
		shim_check_native(world);
	}
}

/* What a kernel does with a shim that is ready; nothing of it may go wrong. */
static void use(struct shim_world *world)
{
	static const uint64_t somewhere[4];
	uintptr_t stack[2] = { (uintptr_t)somewhere, 0 };
	uint64_t rip = (uintptr_t)world->guest.copy + 8, rsp = (uintptr_t)stack, value;
	uint32_t offset;

	pvrom_call(&world->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, &value);
	pvrom_guest_fault_site(&world->guest, &rip, &rsp);
	pvrom_guest_symbol(&world->guest, (const void *)(uintptr_t)rip, &offset);
}

static bool writes_too_much, forgets_writes, writes_the_copy;

const char *const hostile_faults[] = {
	"writes-too-much",
	"forgets-writes",
	"writes-the-copy",
	NULL,
};

void hostile_plant(const char *fault)
{
	writes_too_much = !strcmp(fault, "writes-too-much");
	forgets_writes = !strcmp(fault, "forgets-writes");
	writes_the_copy = !strcmp(fault, "writes-the-copy");
}

/* The input ends with the lies, so that they do not move when the machine before them changes. */
#define MACHINE_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shim_world world;
	const size_t half = size / 2 < MACHINE_MAX ? size / 2 : MACHINE_MAX;
	struct input in = { data, half }, lies = { data + half, size - half };
	uint32_t i;

	shim_setup(&world, &in);
	world.lies = &lies;
	world.writes_too_much = writes_too_much;
	world.forgets_writes = forgets_writes;
	world.writes_the_copy = writes_the_copy;
	check_all(&world, pvrom_guest_start(&world.guest, world.sites, world.site_count));
	PROMISE(world.guest.verdict == PVROM_VERDICT_READY || !world.allocs || world.broken_write);
	for (i = 0; i < ROUNDS_MAX && world.guest.verdict == PVROM_VERDICT_READY; i++) {
		use(&world);
		check_all(&world, pvrom_guest_renegotiate(&world.guest));
	}
	pvrom_guest_stop(&world.guest, 0);
	shim_check(&world);
	shim_check_native(&world);
	return 0;
}
