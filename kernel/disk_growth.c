/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * "disk=grows" on the command line: waits until the device says that its disk has become longer, and uses what has
 * come. For tests in which somebody outside makes it so meanwhile.
 */
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "disk_pattern.h"
#include "kernel_disk.h"
#include "time.h"

#define PATIENCE_US 30000000

bool disk_growth_wanted(void)
{
	return boot_option_is("disk=", "grows");
}

/* The device interrupts for it, whether anybody listens or not: that is seen by asking it. */
static bool told(void)
{
	struct pvrom_virtio *virtio = disk->blk.virtio;
	uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

	while (cpu_rdtsc() < end) {
		if (virtio->ops->interrupt(virtio) & PVROM_VIRTIO_CHANGED)
			return true;
		cpu_relax();
	}
	return false;
}

/* The last sector there is now can be written and read, and there is none behind it. */
static bool last_one_works(void)
{
	static uint64_t written[DISK_WORDS], read[DISK_WORDS];
	uint64_t last = disk->blk.sectors - 1;

	disk_fill(written, last, DISK_AS_WRITTEN);
	return !disk_transfer(0, PVROM_BLK_T_OUT, last, 1, written) &&
	       !disk_transfer(0, PVROM_BLK_T_IN, last, 1, read) &&
	       disk_is(read, last, DISK_AS_WRITTEN) &&
	       disk_transfer(0, PVROM_BLK_T_IN, last + 1, 1, read) == PVROM_BLK_GUEST_BAD_REQUEST;
}

bool disk_growth(void)
{
	uint64_t before = disk ? disk->blk.sectors : 0;
	bool is_told, good;

	if (!disk) {
		kprintf("# disk: there is none\n");
		return false;
	}
	kprintf("# disk: waits until it is longer than %lu sectors\n", before);
	is_told = told();
	good = is_told && !pvrom_blk_guest_changed(&disk->blk) && disk->blk.sectors > before &&
	       last_one_works();
	kprintf("# disk: %s, %lu sectors now, %s\n", is_told ? "told" : "not told",
		disk->blk.sectors, good ? "and the last one works" : "and that is wrong");
	return good;
}
