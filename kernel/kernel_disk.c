/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Finds a disk, hands the driver its memory, and waits for requests. */
#include "kernel_disk.h"

#include "boot_record.h"
#include "console.h"
#include "memory.h"
#include "percpu.h"
#include "time.h"

#define PATIENCE_US 10000000
#define BOUNCE 65536u

struct disk *disk;

static struct disk the_disk;

/* ---- setting it up -------------------------------------------------------------------------------- */

static bool open_queue(struct disk *d, uint16_t number)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_blk_guest_memory(&d->blk, number, &m))
		return false;
	m.shared = memory_pages(ALIGN_UP(m.shared_bytes, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
	m.shared_gpa = (uint64_t)m.shared;
	m.own = memory_pages(ALIGN_UP(m.own_bytes, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
	m.vector = d->way.entry;
	m.vcpu = cpus[0].vcpu;
	if (!pvrom_blk_guest_queue(&d->blk, number, &d->queue[number], &m))
		return false;
	pvrom_blk_guest_interrupts(&d->queue[number], false);
	return true;
}

static bool open_queues(struct disk *d)
{
	for (uint16_t i = 0; i < d->blk.queues; i++)
		if (!open_queue(d, i))
			return false;
	pvrom_blk_guest_go(&d->blk);
	return true;
}

static void print(const struct disk *d)
{
	kprintf("# disk: %s, %lu sectors, queues %u of %u, %s%s%s%s\n", d->way.name, d->blk.sectors,
		d->blk.queues, d->queue[0].ring.config.size,
		d->blk.features & PVROM_VQ_F_RING_PACKED ? "packed" : "split",
		d->blk.features & PVROM_VQ_F_EVENT_IDX ? ", event index" : "",
		d->blk.features & PVROM_VQ_F_INDIRECT_DESC ? ", indirect" : "",
		d->blk.bounce_bytes ? ", bounce buffers" : "");
}

void disk_init(void)
{
	struct disk *d = &the_disk;
	const char *avoid = boot_option("disk_avoid=");
	struct pvrom_blk_guest_config settings = {
		.avoid = avoid ? lib_number(avoid) : 0,
		.queues = DISK_QUEUES,
		.bounce = boot_option("disk_bounce") ? BOUNCE : 0,
	};
	struct pvrom_virtio *virtio = virtio_way_find(&d->way, PVROM_BLK_DEVICE_ID,
						      PVROM_FEATURE_BLK, "disk=", DISK_VECTOR);
	enum pvrom_virtio_result result;

	if (!virtio)
		return;
	result = pvrom_blk_guest_begin(&d->blk, virtio, &settings);
	if (result || !open_queues(d)) {
		kprintf("# disk: %s: %s\n", d->way.name,
			result ? pvrom_virtio_result_text(result) : "it refuses its queues");
		return;
	}
	disk = d;
	print(d);
}

/* ---- requests ------------------------------------------------------------------------------------- */

static void note_done(struct pvrom_blk_guest_request *request)
{
	WRITE_ONCE(*(uint32_t *)request->context, 1);
}

enum pvrom_blk_guest_result disk_do(unsigned queue, struct pvrom_blk_guest_request *request)
{
	struct pvrom_blk_guest_queue *q = &disk->queue[queue];
	struct patience patience = patience_of(PATIENCE_US);
	enum pvrom_blk_guest_result result;
	bool broken = false;
	uint32_t done = 0;

	request->done = note_done;
	/* cppcheck-suppress autoVariables; the request ends before this function does */
	request->context = &done;
	result = pvrom_blk_guest_submit(q, request);
	if (result)
		return result;
	pvrom_blk_guest_kick(q);
	while (!READ_ONCE(done) && !broken && patience_lasts(&patience))
		if (!pvrom_blk_guest_poll(q, 16, &broken))
			cpu_relax();
	/* Nothing that lies on a stack stays in flight. The disk is of no use any more. */
	if (!done)
		pvrom_blk_guest_stop(&disk->blk);
	return broken ? PVROM_BLK_GUEST_BROKEN : request->result;
}

enum pvrom_blk_guest_result disk_transfer(unsigned queue, uint32_t type, uint64_t sector,
					  uint32_t count, void *memory)
{
	const struct pvrom_blk_guest_piece piece = { (uint64_t)memory, memory,
						     count << PVROM_BLK_SECTOR_SHIFT, 0 };
	struct pvrom_blk_guest_request request = {
		.type = type, .sector = sector, .piece = &piece, .pieces = 1
	};

	return disk_do(queue, &request);
}

/* ---- interrupts ----------------------------------------------------------------------------------- */

bool disk_interrupts(bool on)
{
	return virtio_way_interrupts(&disk->way, disk->blk.virtio, on);
}
