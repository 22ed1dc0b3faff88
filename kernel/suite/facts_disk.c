/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about the disk, where there is one: a disk of tools/disk-image is as that made it; what is written and
 * flushed is what is read. The second half is left as DISK_AS_WRITTEN, for whoever looks at the file afterwards.
 */
#include "disk_pattern.h"
#include "fact.h"
#include "irq.h"
#include "kernel_disk.h"
#include "memory.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define CHUNK 64u /* sectors of a request */
#define PATIENCE_US 5000000

static uint64_t *buffer(unsigned which)
{
	static uint64_t *memory[DISK_QUEUES];

	if (!memory[which])
		memory[which] = memory_pages(CHUNK * PVROM_BLK_SECTOR / PAGE_SIZE, PAGE_SIZE);
	return memory[which];
}

static uint64_t half(void)
{
	return ALIGN_DOWN(disk->blk.sectors / 2, CHUNK);
}

static const char *words(enum pvrom_blk_guest_result result)
{
	return pvrom_blk_guest_result_text(result);
}

/* Reads [from, to) by one queue; the number of the first sector that is not as it must be, or to. */
static uint64_t verify(unsigned queue, uint64_t from, uint64_t to, uint64_t writing)
{
	uint64_t *memory = buffer(queue);

	for (uint64_t sector = from; sector < to; sector += CHUNK) {
		memset(memory, 0, CHUNK * PVROM_BLK_SECTOR);
		if (disk_transfer(queue, PVROM_BLK_T_IN, sector, CHUNK, memory))
			return sector;
		for (uint64_t i = 0; i < CHUNK; i++)
			if (!disk_is(memory + i * DISK_WORDS, sector + i, writing))
				return sector + i;
	}
	return to;
}

static uint64_t write_all(unsigned queue, uint64_t from, uint64_t to, uint64_t writing)
{
	uint64_t *memory = buffer(queue);

	for (uint64_t sector = from; sector < to; sector += CHUNK) {
		for (uint64_t i = 0; i < CHUNK; i++)
			disk_fill(memory + i * DISK_WORDS, sector + i, writing);
		if (disk_transfer(queue, PVROM_BLK_T_OUT, sector, CHUNK, memory))
			return sector;
	}
	return to;
}

static enum pvrom_blk_guest_result flush(void)
{
	struct pvrom_blk_guest_request request = { .type = PVROM_BLK_T_FLUSH };

	return disk_do(0, &request);
}

FACT(disk_read, "disk.read", "VIRTIO 1.2, 5.2.6",
     "each sector of the first half reads as it was made, with its checksum")
{
	if (!disk)
		return fact_without("disk");
	EXPECT_EQ(verify(0, 0, half(), DISK_AS_MADE), half());
	return FACT_PASS;
}

FACT(disk_write, "disk.write", "VIRTIO 1.2, 5.2.6",
     "what is written to the second half and flushed is what is read there")
{
	enum pvrom_blk_guest_result result;

	if (!disk)
		return fact_without("disk");
	EXPECT_EQ(write_all(0, half(), 2 * half(), DISK_AS_WRITTEN), 2 * half());
	result = flush();
	EXPECT(!result, "flush: %s", words(result));
	EXPECT_EQ(verify(0, half(), 2 * half(), DISK_AS_WRITTEN), 2 * half());
	EXPECT_EQ(verify(0, 0, half(), DISK_AS_MADE), half());
	return FACT_PASS;
}

FACT(disk_end, "disk.end", "VIRTIO 1.2, 5.2.6.1", "nothing is read or written behind the end")
{
	if (!disk)
		return fact_without("disk");
	EXPECT_EQ(disk_transfer(0, PVROM_BLK_T_IN, disk->blk.sectors, 1, buffer(0)),
		  PVROM_BLK_GUEST_BAD_REQUEST);
	/* The device's own refusal: the driver is made to believe in a sector more. */
	disk->blk.sectors++;
	memset(buffer(0), 0x5a, PVROM_BLK_SECTOR);
	EXPECT_EQ(disk_transfer(0, PVROM_BLK_T_IN, disk->blk.sectors - 1, 1, buffer(0)),
		  PVROM_BLK_GUEST_FAILED);
	disk->blk.sectors--;
	return FACT_PASS;
}

FACT(disk_id, "disk.id", "VIRTIO 1.2, 5.2.6.1", "the device says its name when it is asked")
{
	struct pvrom_blk_guest_piece piece = { (uint64_t)buffer(0), buffer(0), PVROM_BLK_ID_BYTES,
					       0 };
	struct pvrom_blk_guest_request request = { .type = PVROM_BLK_T_GET_ID,
						   .piece = &piece,
						   .pieces = 1 };
	enum pvrom_blk_guest_result result;

	if (!disk)
		return fact_without("disk");
	memset(buffer(0), 0xff, PVROM_BLK_ID_BYTES);
	result = disk_do(0, &request);
	EXPECT(!result, "%s", words(result));
	EXPECT(buffer(0)[0] != UINT64_MAX, "nothing was written");
	return FACT_PASS;
}

/* Where a range of the second half is made void: CHUNK sectors with as many before and behind them. */
static uint64_t hole(void)
{
	return half() + CHUNK;
}

/* Writes the sectors there, has the range zeroed or discarded, and reads it into buffer 0. */
static enum verdict make_hole(uint32_t type)
{
	struct pvrom_blk_range range = { hole(), CHUNK, 0 };
	struct pvrom_blk_guest_request request = { .type = type, .range = &range, .ranges = 1 };
	enum pvrom_blk_guest_result result;

	EXPECT_EQ(write_all(0, half(), half() + 3 * CHUNK, DISK_AS_WRITTEN), half() + 3 * CHUNK);
	result = disk_do(0, &request);
	EXPECT(!result, "%s", words(result));
	EXPECT(!disk_transfer(0, PVROM_BLK_T_IN, hole(), CHUNK, buffer(0)), "not read");
	return FACT_PASS;
}

/* What lies around it is as it was; the range is written again. */
static enum verdict fill_hole(void)
{
	const uint64_t end = hole() + CHUNK;
	enum pvrom_blk_guest_result result;

	EXPECT_EQ(verify(0, half(), hole(), DISK_AS_WRITTEN), hole());
	EXPECT_EQ(verify(0, end, end + CHUNK, DISK_AS_WRITTEN), end + CHUNK);
	EXPECT_EQ(write_all(0, hole(), end, DISK_AS_WRITTEN), end);
	result = flush();
	EXPECT(!result, "flush: %s", words(result));
	return FACT_PASS;
}

FACT(disk_zeroes, "disk.zeroes", "VIRTIO 1.2, 5.2.6.2",
     "what WRITE_ZEROES names reads as zeroes, and nothing else does")
{
	const uint64_t *memory;
	enum verdict made;

	if (!disk)
		return fact_without("disk");
	if (!disk->blk.ranges[1])
		return fact_without("WRITE_ZEROES");
	made = make_hole(PVROM_BLK_T_WRITE_ZEROES);
	if (made != FACT_PASS)
		return made;
	memory = buffer(0);
	for (uint64_t i = 0; i < CHUNK * DISK_WORDS; i++)
		EXPECT(!memory[i], "word %lu is %lx", i, memory[i]);
	return fill_hole();
}

static bool all_zeroes(const uint64_t *word)
{
	for (unsigned i = 0; i < DISK_WORDS; i++)
		if (word[i])
			return false;
	return true;
}

/* What becomes of it is the disk's business, but each sector is as it was, or empty. */
FACT(disk_discard, "disk.discard", "VIRTIO 1.2, 5.2.6.2",
     "what DISCARD names may be lost, and nothing else is")
{
	const uint64_t *memory;
	enum verdict made;

	if (!disk)
		return fact_without("disk");
	if (!disk->blk.ranges[0])
		return fact_without("DISCARD");
	made = make_hole(PVROM_BLK_T_DISCARD);
	if (made != FACT_PASS)
		return made;
	memory = buffer(0);
	for (uint64_t i = 0; i < CHUNK; i++)
		EXPECT(all_zeroes(memory + i * DISK_WORDS) ||
			       disk_is(memory + i * DISK_WORDS, hole() + i, DISK_AS_WRITTEN),
		       "sector %lu is something else", hole() + i);
	return fill_hole();
}

/* ---- interrupts ------------------------------------------------------------------------------------- */

static uint32_t ended;

static void note_end(struct pvrom_blk_guest_request *request)
{
	ended += request->result == PVROM_BLK_GUEST_OK;
}

/* Begins one read and waits for the interrupt; true if it came and the read is done then. */
static bool read_by_interrupt(struct pvrom_blk_guest_queue *queue)
{
	const struct pvrom_blk_guest_piece piece = { (uint64_t)buffer(0), buffer(0),
						     PVROM_BLK_SECTOR, 0 };
	struct pvrom_blk_guest_request request = {
		.type = PVROM_BLK_T_IN, .piece = &piece, .pieces = 1, .done = note_end
	};
	uint64_t before = probe_irqs(0, DISK_VECTOR);
	struct pvrom_virtio *virtio = disk->blk.virtio;
	struct patience patience;
	bool broken = false, came;

	ended = 0;
	if (pvrom_blk_guest_interrupts(queue, true) || pvrom_blk_guest_submit(queue, &request))
		return false;
	pvrom_blk_guest_kick(queue);
	came = probe_wait_irq(0, DISK_VECTOR, before + 1, PATIENCE_US);
	if (disk->way.entry == PVROM_VIRTIO_NO_VECTOR)
		came &= virtio->ops->interrupt(virtio) == PVROM_VIRTIO_USED;
	/* The request lies on this stack: it must end before this function does. */
	patience = patience_of(PATIENCE_US);
	while (!ended && patience_lasts(&patience))
		pvrom_blk_guest_poll(queue, 8, &broken);
	if (!ended)
		pvrom_blk_guest_stop(&disk->blk);
	return came && ended == 1 && !broken;
}

FACT(disk_interrupt, "disk.interrupt", "VIRTIO 1.2, 2.7.7",
     "a request that is done is announced by one interrupt if that was asked for, else by none")
{
	struct pvrom_blk_guest_queue *queue;
	uint64_t before;

	if (!disk)
		return fact_without("disk");
	queue = &disk->queue[0];
	EXPECT(disk_interrupts(true), "its interrupts cannot be routed");
	for (unsigned i = 0; i < 20; i++)
		EXPECT(read_by_interrupt(queue), "read %u: no interrupt", i);
	pvrom_blk_guest_interrupts(queue, false);
	before = probe_irqs(0, DISK_VECTOR);
	/* A device without event index may still send some; one that has it may not. */
	EXPECT(!disk_transfer(0, PVROM_BLK_T_IN, 0, 1, buffer(0)), "not read");
	if (disk->blk.features & PVROM_VQ_F_EVENT_IDX)
		EXPECT(!probe_wait_irq(0, DISK_VECTOR, before + 1, 2000), "one too many");
	EXPECT(disk_interrupts(false), "its interrupts cannot be masked");
	return FACT_PASS;
}

/* ---- many at a time ---------------------------------------------------------------------------------- */

static uint64_t wrong_at[DISK_QUEUES];

static void read_half(void *argument)
{
	unsigned queue = (unsigned)(uint64_t)argument;

	wrong_at[queue] = verify(queue, 0, half(), DISK_AS_MADE);
}

FACT(disk_cpus, "disk.cpus", "VIRTIO 1.2, 5.2.2",
     "CPUs read at the same time, each by a queue of its own, and each reads what is there")
{
	unsigned queues;

	if (!disk)
		return fact_without("disk");
	queues = disk->blk.queues < smp_cpus ? disk->blk.queues : smp_cpus;
	for (unsigned i = 1; i < queues; i++)
		smp_post(i, read_half, (void *)(uint64_t)i);
	read_half(NULL);
	for (unsigned i = 1; i < queues; i++)
		EXPECT(smp_wait(i), "cpu %u does not end", i);
	for (unsigned i = 0; i < queues; i++)
		EXPECT_EQ(wrong_at[i], half());
	return FACT_PASS;
}
