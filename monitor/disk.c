/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A disk of the guest: pvblk's device over a file, with a thread of its own. */
#include "disk.h"

#include <pvrom/blk_backend.h>
#include <pvrom/blk_host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtio_device.h"

#define BUDGET 64u /* buffers of one queue before the others have their turn */
#define SEGMENTS 126u
#define RANGES 16u

struct disk {
	struct virtio_device virtio;
	struct pvrom_blk_host host;
	struct pvrom_limit limit;
	struct pvrom_blk_backend *backend;
	const struct disk_arg *arg;
	char message[PVROM_BLK_MESSAGE];
	struct pvrom_blk_queue queue[VIRTIO_QUEUES];
	struct pvrom_blk_request *pool[VIRTIO_QUEUES];
};

static struct disk *disk_of(struct virtio_device *device)
{
	return (struct disk *)device; /* its first member */
}

/* ---- what the block device asks for -------------------------------------------------------------- */

static void complete(void *ctx, struct pvrom_blk_request *request, uint64_t written)
{
	(void)ctx;
	pvrom_blk_queue_complete(request, written);
}

static void config_changed(void *ctx)
{
	virtio_changed(ctx);
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return pvrom_loop_now();
}

static const struct pvrom_blk_host_ops host_ops = { complete, config_changed, now };

/* ---- work, on the disk's thread ------------------------------------------------------------------ */

/* Begins what is in a queue; true if there may be more that could begin at once. */
static bool run_queue(struct virtio_queue *queue, struct pvrom_blk_queue *work)
{
	uint32_t begun;

	if (!queue->started || !queue->pending)
		return false;
	pvrom_vq_device_notifications_off(&work->ring);
	begun = pvrom_blk_queue_run(work, BUDGET);
	if (work->broken) {
		queue->pending = false;
		virtio_broken(queue->device);
		return false;
	}
	if (begun == BUDGET)
		return true;
	if (work->in_work == work->requests)
		return false; /* still pending: goes on when one of them is done */
	queue->pending = pvrom_vq_device_notifications_on(&work->ring);
	return queue->pending;
}

static bool run_queues(struct disk *disk)
{
	bool more = false;

	for (unsigned int i = 0; i < disk->virtio.queues; i++)
		more |= run_queue(&disk->virtio.queue[i], &disk->queue[i]);
	return more;
}

static void publish(struct disk *disk)
{
	bool wanted = false;

	for (unsigned int i = 0; i < disk->virtio.queues; i++)
		if (disk->virtio.queue[i].started && pvrom_blk_queue_publish(&disk->queue[i]))
			wanted |= !virtio_queue_used(&disk->virtio.queue[i]);
	if (wanted)
		virtio_used(&disk->virtio);
}

/* Buffers that are done at once may make others possible, so once more while there are any. */
static uint64_t work(void *device)
{
	struct disk *disk = device;
	uint64_t next, time;
	bool more = run_queues(disk);

	pvrom_blk_host_kick(&disk->host);
	next = pvrom_blk_host_release(&disk->host);
	publish(disk);
	if (more)
		return 0;
	if (next == UINT64_MAX)
		return next;
	time = pvrom_loop_now();
	return next > time ? next - time : 0;
}

/* ---- the kind of device --------------------------------------------------------------------------- */

static uint64_t features(struct virtio_device *device)
{
	return pvrom_blk_host_features(&disk_of(device)->host);
}

static bool accept_features(struct virtio_device *device, uint64_t chosen)
{
	return pvrom_blk_host_accept(&disk_of(device)->host, chosen);
}

static void config_read(struct virtio_device *device, uint32_t offset, void *to, uint32_t len)
{
	pvrom_blk_host_config_read(&disk_of(device)->host, offset, to, len);
}

static void config_write(struct virtio_device *device, uint32_t offset, const void *from,
			 uint32_t len)
{
	pvrom_blk_host_config_write(&disk_of(device)->host, offset, from, len);
}

static bool allocate(struct disk *disk, unsigned int i, uint32_t size)
{
	free(disk->pool[i]);
	disk->pool[i] = calloc(size, sizeof(*disk->pool[i]));
	return disk->pool[i] != NULL;
}

static bool queue_start(struct virtio_device *device, struct virtio_queue *queue)
{
	struct disk *disk = disk_of(device);
	struct pvrom_vq_device_config config;

	if (!virtio_ring_config(queue, &config) || !allocate(disk, queue->index, queue->size))
		return false;
	return pvrom_blk_queue_init(&disk->queue[queue->index], &disk->host, &config,
				    disk->pool[queue->index], queue->size) == PVROM_VQ_OK;
}

/* What a limit holds back begins now; the guest waits no longer than the file takes. */
static void queue_stop(struct virtio_device *device, struct virtio_queue *queue)
{
	struct disk *disk = disk_of(device);

	pvrom_blk_host_drain(&disk->host);
	pvrom_blk_host_kick(&disk->host);
	while (disk->queue[queue->index].in_work > 0)
		device_thread_wait(&device->thread);
	if (pvrom_blk_queue_publish(&disk->queue[queue->index]) && !virtio_queue_used(queue))
		virtio_used(device);
}

static void reset(struct virtio_device *device)
{
	struct disk *disk = disk_of(device);

	pvrom_blk_host_reset(&disk->host);
	while (disk->host.in_work > 0)
		device_thread_wait(&device->thread);
}

static struct pvrom_vq_device *ring(struct virtio_device *device, unsigned int index)
{
	return &disk_of(device)->queue[index].ring;
}

static size_t save(struct virtio_device *device, void *buffer, size_t room)
{
	return pvrom_blk_host_save(&disk_of(device)->host, buffer, room);
}

static bool load(struct virtio_device *device, const void *buffer, size_t size)
{
	return pvrom_blk_host_load(&disk_of(device)->host, buffer, size);
}

static const struct virtio_kind disk_kind = {
	.id = PVROM_BLK_DEVICE_ID,
	.features = features,
	.accept = accept_features,
	.config_read = config_read,
	.config_write = config_write,
	.queue_start = queue_start,
	.queue_stop = queue_stop,
	.reset = reset,
	.ring = ring,
	.save = save,
	.load = load,
};

/* ---- life ------------------------------------------------------------------------------------------ */

/* A tenth of a second's worth may go at once. */
static struct pvrom_rate rate(uint64_t a_second)
{
	return (struct pvrom_rate){ .rate = a_second, .burst = a_second ? a_second / 10 + 1 : 0 };
}

static bool set_up(struct disk *disk, unsigned int number)
{
	struct pvrom_blk_host_setup setup = {
		.ops = &host_ops,
		.ops_ctx = &disk->virtio,
		.backend = disk->backend,
		.limit = disk->arg->iops || disk->arg->bps ? &disk->limit : NULL,
		.queues = (uint16_t)disk->virtio.queues,
		.read_only = disk->arg->read_only,
		.seg_max = SEGMENTS,
		.discard_ranges = RANGES,
		.zeroes_ranges = RANGES,
	};
	struct pvrom_rate bytes = rate(disk->arg->bps), requests = rate(disk->arg->iops);

	snprintf(setup.id, sizeof(setup.id), "pvrun-disk-%u", number);
	return (setup.limit == NULL ||
		pvrom_limit_set(&disk->limit, &bytes, &requests, pvrom_loop_now())) &&
	       pvrom_blk_host_init(&disk->host, &setup);
}

static void open_file(void *argument)
{
	struct disk *disk = argument;
	struct pvrom_blk_file_setup setup = {
		.path = disk->arg->path,
		.fd = -1,
		.read_only = disk->arg->read_only,
		.direct = disk->arg->direct,
	};

	disk->backend = pvrom_blk_file_open(&setup, &disk->virtio.thread.loop, disk->message);
}

static void begin_work(void *argument)
{
	((struct disk *)argument)->virtio.thread.work = work;
}

/* Opens a disk and shows it to the guest as its virtio device `number`; ends pvrun if it cannot. */
struct virtio_device *disk_create(struct vm *vm, const struct disk_arg *arg, unsigned int number)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	int result;

	if (disk == NULL)
		fail(EXIT_CANNOT_RUN, "out of memory");
	disk->arg = arg;
	disk->virtio.kind = &disk_kind;
	disk->virtio.vm = vm;
	disk->virtio.queues = arg->queues;
	result = device_thread_start(&disk->virtio.thread, device_thread_rest, disk);
	if (result < 0)
		fail(EXIT_CANNOT_RUN, "--disk %s: io_uring: %s", arg->path, strerror(-result));
	device_thread_do(&disk->virtio.thread, open_file, disk);
	if (disk->backend == NULL)
		fail(EXIT_CANNOT_RUN, "--disk %s: %s", arg->path, disk->message);
	if (!set_up(disk, number))
		fail(EXIT_USAGE, "--disk %s: its limits are out of bounds", arg->path);
	virtio_begin(&disk->virtio, number, begin_work);
	return &disk->virtio;
}

static void end_work(void *argument)
{
	struct disk *disk = argument;

	disk->virtio.thread.work = device_thread_rest;
	pvrom_blk_backend_close(disk->backend);
}

/* Stops it when what is in flight is done, and frees it; no CPU runs. */
void disk_destroy(struct virtio_device *device)
{
	struct disk *disk = disk_of(device);

	virtio_end(device, end_work);
	for (unsigned int i = 0; i < VIRTIO_QUEUES; i++)
		free(disk->pool[i]);
	free(disk);
}
