/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "patcher": the guest shim over any right ROM, any call sites and an honest host, with a kernel
 * that sometimes cannot write its text.
 *
 * Promised (PVROM-ROM-9, PVROM-ROM-24): no byte outside of the sites changes; a site holds its native form, or exactly what its slot says;
 * the copy is the ROM, but for what the relocations say, and is left alone once sealed;
 * unless the verdict is READY every site is native, and un-patching makes it so.
 */
#include "shim_world.h"

#define ROUNDS_MAX 4

/* ---- what the copy must be ------------------------------------------------------------------------------ */

static void relocate(const struct pvrom_policy *policy, const uint8_t *real, uint8_t *copy,
		     const struct pvrom_reloc *r)
{
	uint32_t word = (uint32_t)policy->percpu_offset + r->addend;
	uint8_t *at = copy + r->offset;

	if (r->kind == PVROM_RELOC_SEGMENT) {
		*at = policy->percpu == PVROM_PERCPU_FS		? 0x64
		      : policy->percpu == PVROM_PERCPU_REGISTER ? 0x2e
								: 0x65;
	} else if (r->kind == PVROM_RELOC_ADDRESS) {
		if (policy->percpu == PVROM_PERCPU_REGISTER) {
			at[0] |= 0x80;
			at[1] = (uint8_t)(0x20 | policy->percpu_offset);
			word = r->addend;
		}
		memcpy(at + 2, &word, 4);
	} else if (policy->return_thunk) {
		word = (uint32_t)((uintptr_t)policy->return_thunk -
				  ((uintptr_t)real + r->offset + 5));
		at[0] = 0xe9;
		memcpy(at + 1, &word, 4);
	}
}

static void check_relocated(const struct shim_world *world)
{
	static uint8_t expected[ROM_ROOM];
	struct pvrom_rom_header h;
	struct pvrom_reloc r;
	uint32_t i;

	memcpy(expected, world->rom, world->rom_size);
	memcpy(&h, expected, sizeof(h));
	for (i = 0; i < h.reloc_count; i++) {
		memcpy(&r, world->rom + h.reloc_offset + i * sizeof(r), sizeof(r));
		relocate(&world->policy, world->guest.copy, expected, &r);
	}
	PROMISE(world->guest.copy_size == world->rom_size);
	PROMISE(!memcmp(expected, world->guest.copy, world->rom_size));
}

/* ---- what a site must hold --------------------------------------------------------------------------------- */

static uint32_t feature_of(uint16_t call)
{
	static const uint8_t features[] = {
#define FEATURE_NUMBER_BASE 63
#define FEATURE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)               \
	[(number >> 8) * 64 + (number & 0x3f)] =                                                   \
		FEATURE_NUMBER_##feature + (flags & PVROM_CALL_RESERVED ? 64 : 0),
#define FEATURE_NUMBER_CPU PVROM_FEATURE_CPU
#define FEATURE_NUMBER_IRQ PVROM_FEATURE_IRQ
#define FEATURE_NUMBER_SMP PVROM_FEATURE_SMP
#define FEATURE_NUMBER_ALARM PVROM_FEATURE_ALARM
#define FEATURE_NUMBER_CLOCK PVROM_FEATURE_CLOCK
#define FEATURE_NUMBER_MMU PVROM_FEATURE_MMU
#define FEATURE_NUMBER_MMU_FAULT PVROM_FEATURE_MMU_FAULT
#define FEATURE_NUMBER_DEV PVROM_FEATURE_DEV
#define FEATURE_NUMBER_MEM PVROM_FEATURE_MEM
		PVROM_CALL_TABLE(FEATURE)
	};

	return features[(call >> 8) * 64 + (call & 0x3f)];
}

static bool needs_area(const uint8_t *rom, const struct pvrom_rom_header *h,
		       const struct pvrom_slot *slot)
{
	struct pvrom_reloc r;
	uint32_t i;

	for (i = 0; i < slot->reloc_count; i++) {
		memcpy(&r, rom + h->reloc_offset + (slot->reloc_first + i) * sizeof(r), sizeof(r));
		if (r.kind != PVROM_RELOC_RETURN)
			return true;
	}
	return false;
}

/* The slot that serves the call for this kernel; false if it stays native. */
static bool slot_of(const struct shim_world *world, uint16_t call, struct pvrom_slot *slot)
{
	const uint32_t feature = feature_of(call);
	struct pvrom_rom_header h;
	uint32_t i;

	memcpy(&h, world->rom, sizeof(h));
	if (feature >= 63 || !(world->guest.granted >> feature & 1))
		return false;
	for (i = 0; i < h.slot_count; i++) {
		memcpy(slot, world->rom + h.slot_offset + i * sizeof(*slot), sizeof(*slot));
		if (slot->call == call)
			break;
	}
	if (i == h.slot_count || slot->form == PVROM_FORM_NATIVE)
		return false;
	if (slot->flags & PVROM_SLOT_NOPREEMPT && !(world->policy.flags & PVROM_POLICY_NOPREEMPT))
		return false;
	if (slot->flags & PVROM_SLOT_X2APIC && !(world->policy.flags & PVROM_POLICY_X2APIC))
		return false;
	return world->policy.percpu || !needs_area(world->rom, &h, slot);
}

/* Prefixes, and then one of the recommended NOPs: nothing that does anything. */
static bool are_nops(const uint8_t *at, uint32_t size)
{
	static const uint8_t nop[6][5] = { { 0 },
					   { 0x90 },
					   { 0x66, 0x90 },
					   { 0x0f, 0x1f, 0 },
					   { 0x0f, 0x1f, 0x40, 0 },
					   { 0x0f, 0x1f, 0x44, 0, 0 } };

	for (; size > 5; size--)
		if (*at++ != 0x2e)
			return false;
	return !memcmp(at, nop[size], size);
}

static bool is_branch(const uint8_t *at, uint32_t size, const uint8_t *target)
{
	int32_t distance;

	for (; size > 5; size--)
		if (*at++ != 0x2e)
			return false;
	memcpy(&distance, at + 1, 4);
	return (at[0] == 0xe8 || at[0] == 0xe9) && at + 5 + distance == target;
}

static void check_site(const struct shim_world *world, const struct pvrom_site *site)
{
	const uint8_t *at = (const uint8_t *)site + site->offset;
	const uint8_t *before = world->text_before + (at - world->text);
	const uint8_t *copy = world->guest.copy;
	struct pvrom_slot slot;

	if (!copy || !slot_of(world, site->call, &slot)) {
		PROMISE(!memcmp(at, before, site->length));
	} else if (slot.form == PVROM_FORM_NOP) {
		PROMISE(are_nops(at, site->length));
	} else if (slot.form == PVROM_FORM_INLINE && slot.template_size <= site->length) {
		PROMISE(!memcmp(at, copy + slot.template_offset, slot.template_size));
		PROMISE(are_nops(at + slot.template_size, site->length - slot.template_size));
	} else {
		PROMISE(slot.text_size && is_branch(at, site->length, copy + slot.text));
	}
}

static uint32_t changed(const struct shim_world *world)
{
	uint32_t i, count = 0;

	for (i = 0; i < world->site_count; i++) {
		const uint8_t *at = (const uint8_t *)&world->sites[i] + world->sites[i].offset;

		count += memcmp(at, world->text_before + (at - world->text),
				world->sites[i].length) != 0;
	}
	return count;
}

static void check_ready(struct shim_world *world)
{
	uint32_t i;

	PROMISE(world->guest.granted == world->sealed);
	PROMISE(!(world->policy.required & ~world->guest.granted));
	PROMISE(!(world->guest.granted & ~world->policy.wanted));
	PROMISE(!!world->guest.copy == !(world->policy.flags & PVROM_POLICY_DATA_ONLY));
	if (world->guest.copy)
		check_relocated(world);
	for (i = 0; i < world->site_count; i++)
		check_site(world, &world->sites[i]);
	PROMISE(world->guest.patched == changed(world));
}

/* ---- what a kernel does -------------------------------------------------------------------------------------- */

static void check_all(struct shim_world *world, uint32_t verdict)
{
	PROMISE(verdict == world->guest.verdict);
	shim_check(world);
	if (verdict == PVROM_VERDICT_READY) {
		check_ready(world);
	} else {
		shim_check_native(world);
		PROMISE(!world->sealed && !world->guest.granted);
		/* Text that a site still leads to is kept. */
		PROMISE(!world->allocs || world->broken_write);
	}
}

/* The host has other features now, and perhaps another ROM. */
static void change_host(struct shim_world *world, struct input *in)
{
	world->offered = take16(in) & 0x3ff;
	world->epoch++;
	if (take8(in) & 1)
		world->rom_size = rom_make(in, &world->choice, world->rom);
}

/* A refusal leaves things as they are, whatever they are; all else is as at the start. */
static void again(struct shim_world *world, struct input *in)
{
	uint32_t verdict;

	change_host(world, in);
	verdict = pvrom_guest_renegotiate(&world->guest);
	if (verdict == PVROM_VERDICT_REQUIRED_MISSING)
		shim_check(world);
	else
		check_all(world, verdict);
}

static void end(struct shim_world *world, bool stop)
{
	if (stop)
		PROMISE(pvrom_guest_stop(&world->guest, 0) == PVROM_STATUS_OK);
	else
		pvrom_guest_unpatch(&world->guest);
	shim_check(world);
	shim_check_native(world);
	if (!world->broken_write)
		PROMISE(!world->guest.patched);
}

static bool writes_too_much, forgets_writes, writes_the_copy, forgets_to_unpatch;

const char *const hostile_faults[] = {
	"writes-too-much", "forgets-writes", "writes-the-copy", "forgets-to-unpatch", NULL,
};

void hostile_plant(const char *fault)
{
	writes_too_much = !strcmp(fault, "writes-too-much");
	forgets_writes = !strcmp(fault, "forgets-writes");
	writes_the_copy = !strcmp(fault, "writes-the-copy");
	forgets_to_unpatch = !strcmp(fault, "forgets-to-unpatch");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shim_world world;
	struct input in = { data, size };
	uint32_t i;

	shim_setup(&world, &in);
	world.writes_too_much = writes_too_much;
	world.forgets_writes = forgets_writes;
	world.writes_the_copy = writes_the_copy;
	check_all(&world, pvrom_guest_start(&world.guest, world.sites, world.site_count));
	if (forgets_to_unpatch)
		world.guest.patched = 0;
	for (i = 0; i < ROUNDS_MAX && in.left && world.guest.verdict == PVROM_VERDICT_READY; i++)
		again(&world, &in);
	if (world.guest.verdict == PVROM_VERDICT_READY)
		end(&world, take8(&in) & 1);
	return 0;
}
