/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Operations on the host: faults that go straight to the guest, a host that is saved and loaded, one that the
 * guest is moved to and away from, and one whose features come and go.
 */
#include <string.h>

#include "mmu_ops.h"

/* ---- the resident set, and faults that come straight ---------------------------------------------------- */

static bool is_resident(uint64_t address)
{
	uint32_t i;

	for (i = 0; i < os.resident_count; i++)
		if (address - (os.resident[i] & ~4095ull) <=
		    (os.resident[i] << 12 | 4095) % (1ull << 24))
			return true;
	return false;
}

static void add_range(uint32_t vcpu)
{
	static const uint64_t ranges[] = { OS_KERNEL | 15, OS_KERNEL | 3, OS_DIRECT | 15,
					   (OS_DIRECT + 0x7ff000) | 1 };
	const uint64_t range = ranges[os_below(4)];
	uint32_t status;

	if (os.resident_count == OS_RESIDENT)
		return;
	status = world_call(vcpu, PVROM_MMU_RESIDENT, range, PVROM_MMU_RESIDENT_ADD, 0, 0);
	if (status == PVROM_STATUS_OK)
		os.resident[os.resident_count++] = range;
	else if (status != PVROM_STATUS_NO_SPACE)
		world_wrong("RESIDENT: status %u", status);
}

static void drop_range(uint32_t vcpu)
{
	const uint32_t i = os.resident_count ? os_below(os.resident_count) : 0;

	if (!os.resident_count)
		return;
	if (world_call(vcpu, PVROM_MMU_RESIDENT, os.resident[i], PVROM_MMU_RESIDENT_DROP, 0, 0))
		world_wrong("a resident range is not dropped");
	os.resident[i] = os.resident[--os.resident_count];
}

static bool op_resident(void)
{
	const uint32_t vcpu = os_any_vcpu();
	uint32_t status;

	if (!world.calls)
		return false;
	world.resident = is_resident;
	switch (os_below(6)) {
	case 0: drop_range(vcpu); break;
	case 1:
	case 2: add_range(vcpu); break;
	case 3:
		if (world_call(vcpu, PVROM_MMU_FAULTS, 0, 0, 0, 0))
			world_wrong("FAULTS(0) is refused");
		break;
	default:
		status = world_call(vcpu, PVROM_MMU_FAULTS, 1, 0, 0, 0);
		if (status == PVROM_STATUS_OK
			    ? !os.resident_count
			    : status != PVROM_STATUS_NO_SPACE && status != PVROM_STATUS_INVALID)
			world_wrong("FAULTS(1): status %u", status);
	}
	return true;
}

/* ---- another host ------------------------------------------------------------------------------------------ */

static bool op_reload(void)
{
	world_reload();
	return true;
}

/* With nested paging for a while: nobody sees what the guest stores, and its calls are still answered. */
static bool op_move(void)
{
	uint32_t count = os_below(8);

	world_leave_all();
	for (; count; count--) {
		const uint32_t vcpu = os_any_vcpu(), i = os_below(OS_VAS);
		const uint64_t gpa = os_entry(vcpu, os_any_space(), os_address(i), 1, false);

		if (!gpa)
			continue;
		os_focus(os_address(i));
		os_store_unseen(vcpu, gpa, os_once_in(2) ? 0 : os_data() | os_random_flags());
		if (world.calls && world_call(vcpu, PVROM_MMU_FLUSH_ALL, 0, 0, 0, 0))
			world_wrong("a flush whose purpose has gone is refused");
	}
	world_take_in_all();
	return true;
}

/* ---- features that come and go ------------------------------------------------------------------------------- */

#define MAP_GPA 0xa000ull /* of WORLD_PAGES bytes */

/* What the guest kept of its tables, with some mistakes about pages that are none. */
static void hand_over_map(void)
{
	uint32_t gfn, from, count;

	memset(world.memory[MAP_GPA >> 12], 0, 4096);
	for (gfn = WORLD_TABLES; gfn < WORLD_PAGES; gfn++)
		if (gfn < WORLD_DATA ? os.refs[gfn] != 0 : os_once_in(64))
			world.memory[MAP_GPA >> 12][gfn] =
				(uint8_t)(PVROM_MMU_MAP_TABLE |
					  ((gfn < WORLD_DATA ? os.level[gfn] - 1u : os_below(4))
					   << PVROM_MMU_MAP_LEVEL_SHIFT));
	for (from = 0; from < WORLD_PAGES; from += count) {
		count = WORLD_PAGES - from < 1000 ? WORLD_PAGES - from : 1000;
		if (world_call(os_any_vcpu(), PVROM_MMU_MAP, MAP_GPA + from, from, count, 0))
			world_wrong("MAP is refused");
	}
}

static bool op_renegotiate(void)
{
	struct pvrom_mmu_stats stats;
	uint32_t i;

	if (!os.wants_calls)
		return false;
	pvrom_host_raise_epoch(&world.host);
	world_seal(!world.calls, os_once_in(3));
	os.resident_count = 0;
	if (world.calls) {
		hand_over_map();
		return true;
	}
	pvrom_mmu_get_stats(world.mmu, &stats);
	if (stats.registered || stats.resident)
		world_wrong("something is registered still");
	for (i = 0; i < world.vcpus; i++)
		if (world_call(i, PVROM_MMU_LAZY_END, 0, 0, 0, 0) != PVROM_STATUS_DENIED)
			world_wrong("a call outside the set is not denied");
	return true;
}

const struct os_operation os_host_operations[] = {
	{ "resident", op_resident, 6, false },
	{ "reload", op_reload, 1, false },
	{ "move", op_move, 2, false },
	{ "renegotiate", op_renegotiate, 1, false },
	{ NULL, NULL, 0, false },
};
