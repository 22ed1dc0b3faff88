/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Finds a disk, hands the driver its memory, and waits for requests. */
#include "kernel_disk.h"

#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "kernel_rom.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"
#include "time.h"

#define PATIENCE_US 10000000
#define OPTION "virtio_mmio.device="
#define BOUNCE 65536u

struct disk *disk;

static struct disk the_disk;

/* ---- finding it ---------------------------------------------------------------------------------- */

static uint32_t os_read(void *ctx, uint32_t offset, uint32_t bytes)
{
	return pci_read(ctx, offset, bytes);
}

static void os_write(void *ctx, uint32_t offset, uint32_t bytes, uint32_t value)
{
	pci_write(ctx, offset, bytes, value);
}

static volatile void *os_map(void *ctx, uint32_t bar, uint64_t *length)
{
	return pci_map(ctx, bar, length);
}

static const struct pvrom_virtio_pci_os pci_os = { os_read, os_write, os_map };

static struct pvrom_virtio *find_pci(struct disk *d)
{
	d->function = (struct pci_function){ 0xff, 0xff };
	while (pci_next(&d->function)) {
		if (pvrom_virtio_pci_open(&d->transport.pci, &pci_os, &d->function) ||
		    d->transport.pci.virtio.id != PVROM_BLK_DEVICE_ID)
			continue;
		d->way = "virtio-pci";
		d->entry = pci_msix(&d->function, 0, DISK_VECTOR, cpus[0].apic_id)
				   ? 0
				   : PVROM_VIRTIO_NO_VECTOR;
		return &d->transport.pci.virtio;
	}
	return NULL;
}

static uint32_t os_call(void *ctx, uint32_t number, uint64_t arg0, uint64_t arg1, uint64_t arg2,
			uint64_t *value)
{
	(void)ctx;
	return pvrom_call(&kernel_rom, number, arg0, arg1, arg2, 0, value);
}

static void os_out(void *ctx, uint16_t port, uint32_t value)
{
	(void)ctx;
	cpu_out32(port, value);
}

static const struct pvrom_virtio_bus_os bus_os = { os_call, os_out };

static struct pvrom_virtio *find_bus(struct disk *d)
{
	uint32_t number = 0;

	if (!kernel_rom_granted(PVROM_FEATURE_BLK) || boot_option_is("disk=", "mmio"))
		return NULL;
	d->way = "pvrom bus";
	d->entry = DISK_VECTOR;
	while (pvrom_virtio_bus_open(&d->transport.bus, number++, &bus_os, NULL) == PVROM_VIRTIO_OK)
		if (d->transport.bus.virtio.id == PVROM_BLK_DEVICE_ID)
			return &d->transport.bus.virtio;
	return NULL;
}

static const char *behind(const char *text, char sign)
{
	while (*text && *text != ' ' && *text != sign)
		text++;
	return *text == sign ? text + 1 : NULL;
}

/* SIZE@ADDRESS:LINE */
static bool open_mmio(struct disk *d, const char *text)
{
	uint64_t size = lib_number(text), address;
	const char *at = behind(text, '@'), *line = at ? behind(at, ':') : NULL;

	if (!line)
		return false;
	address = lib_number(at);
	d->line = (uint32_t)lib_number(line);
	paging_map_device(ALIGN_DOWN(address, PAGE_SIZE), PAGE_SIZE);
	return pvrom_virtio_mmio_open(&d->transport.mmio, (volatile void *)address,
				      (uint32_t)size) == PVROM_VIRTIO_OK &&
	       d->transport.mmio.virtio.id == PVROM_BLK_DEVICE_ID;
}

static struct pvrom_virtio *find_mmio(struct disk *d)
{
	const char *text = boot_record.command_line;

	d->way = "virtio-mmio";
	d->entry = PVROM_VIRTIO_NO_VECTOR;
	for (; *text; text++)
		if (lib_starts(text, OPTION) && open_mmio(d, text + sizeof(OPTION) - 1))
			return &d->transport.mmio.virtio;
	return NULL;
}

/* ---- setting it up -------------------------------------------------------------------------------- */

static bool open_queue(struct disk *d, uint16_t number)
{
	struct pvrom_blk_guest_memory m;

	if (!pvrom_blk_guest_memory(&d->blk, number, &m))
		return false;
	m.shared = memory_pages(ALIGN_UP(m.shared_bytes, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
	m.shared_gpa = (uint64_t)m.shared;
	m.own = memory_pages(ALIGN_UP(m.own_bytes, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
	m.vector = d->entry;
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
	kprintf("# disk: %s, %lu sectors, queues %u of %u, %s%s%s%s\n", d->way, d->blk.sectors,
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
	struct pvrom_virtio *virtio = find_pci(d);
	enum pvrom_virtio_result result;

	if (!virtio)
		virtio = find_bus(d);
	if (!virtio)
		virtio = find_mmio(d);
	if (!virtio)
		return;
	result = pvrom_blk_guest_begin(&d->blk, virtio, &settings);
	if (result || !open_queues(d)) {
		kprintf("# disk: %s: %s\n", d->way,
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
	uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);
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
	while (!READ_ONCE(done) && !broken && cpu_rdtsc() < end)
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
	struct pvrom_virtio *virtio = disk->blk.virtio;

	if (disk->entry != PVROM_VIRTIO_NO_VECTOR)
		return true;
	if (disk->way[7] != 'm') /* a PCI line: which one it is only firmware knows */
		return false;
	virtio->ops->interrupt(virtio);
	return (!on || pvrom_irq_route(disk->line, DISK_VECTOR, cpus[0].vcpu) == PVROM_STATUS_OK) &&
	       pvrom_irq_mask(disk->line, !on) == PVROM_STATUS_OK;
}
