/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The life of a disk in the guest: features, memory of queues, start and stop.
 *
 *	shared memory of a queue, from a page boundary on
 *	descriptors | driver area | device area | indirect tables | requests' headers | bounce buffers
 */
#include "blk_guest_internal.h"

#ifdef PVROM_TEST
uint32_t pvrom_blk_guest_check_off;
#endif

#define SIZE_DEFAULT 128u
#define SEGMENTS_DEFAULT 16u

#define DISK_FEATURES                                                                              \
	(PVROM_BLK_F_SIZE_MAX | PVROM_BLK_F_SEG_MAX | PVROM_BLK_F_RO | PVROM_BLK_F_BLK_SIZE |      \
	 PVROM_BLK_F_FLUSH | PVROM_BLK_F_TOPOLOGY | PVROM_BLK_F_CONFIG_WCE | PVROM_BLK_F_MQ |      \
	 PVROM_BLK_F_DISCARD | PVROM_BLK_F_WRITE_ZEROES | PVROM_BLK_F_SECURE_ERASE)
#define RING_FEATURES                                                                              \
	(PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_VERSION_1 |                  \
	 PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_NOTIFICATION_DATA)

#define TEXT_CASE(name, number, text)                                                              \
	case number: return text;

const char *pvrom_blk_guest_result_text(enum pvrom_blk_guest_result result)
{
	switch ((uint32_t)result) {
		PVROM_BLK_GUEST_RESULT_TABLE(TEXT_CASE)
	default: return "?";
	}
}

/* ---- beginning ----------------------------------------------------------------------------------- */

static void usual(struct pvrom_blk_guest_config *s)
{
	if (!s->queues)
		s->queues = 1;
	if (s->queues > PVROM_BLK_GUEST_QUEUES)
		s->queues = PVROM_BLK_GUEST_QUEUES;
	if (!s->size)
		s->size = SIZE_DEFAULT;
	if (!s->segments)
		s->segments = SEGMENTS_DEFAULT;
	if (s->segments > PVROM_BLK_GUEST_SEGMENTS)
		s->segments = PVROM_BLK_GUEST_SEGMENTS;
	s->bounce &= ~(PVROM_BLK_SECTOR - 1);
}

enum pvrom_virtio_result pvrom_blk_guest_begin(struct pvrom_blk_guest *blk,
					       struct pvrom_virtio *virtio,
					       const struct pvrom_blk_guest_config *settings)
{
	enum pvrom_virtio_result result;

	if (virtio->id != PVROM_BLK_DEVICE_ID)
		return PVROM_VIRTIO_NO_DEVICE;
	*blk = (struct pvrom_blk_guest){ .virtio = virtio, .settings = *settings };
	usual(&blk->settings);
	result = pvrom_virtio_begin(virtio, (DISK_FEATURES | RING_FEATURES) & ~settings->avoid, 0);
	if (result)
		return result;
	blk->features = virtio->accepted;
	if (pvrom_blk_guest_read_config(blk))
		return PVROM_VIRTIO_OK;
	virtio->ops->set_status(virtio, PVROM_VIRTIO_FAILED);
	return PVROM_VIRTIO_MALFORMED;
}

/* ---- memory -------------------------------------------------------------------------------------- */

/* Offsets into the shared and the driver's own memory of a queue. */
struct layout {
	struct pvrom_virtio_layout ring;
	size_t shared, bounce, end;
	size_t next, own_end;
};

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

/* Header, data pieces (ranges are one), status. */
static uint32_t chain_length(const struct pvrom_blk_guest *blk)
{
	uint32_t data = blk->segments;

	if (blk->bounce_bytes) /* at least 1: SIZE_MAX is no less than a sector */
		data = (blk->bounce_bytes - 1) / blk->segment_bytes + 1;
	return data + 2;
}

static void lay_out(const struct pvrom_blk_guest *blk, uint32_t size, struct layout *l)
{
	pvrom_virtio_lay_out(blk->virtio, size, chain_length(blk), &l->ring);
	l->shared = l->ring.shared_end;
	l->bounce = round_up(l->shared + size * sizeof(struct pvrom_blk_guest_shared), 4096);
	l->end = l->bounce + (size_t)size * blk->bounce_bytes;
	l->next = l->ring.own_end;
	l->own_end = round_up(l->next + size * sizeof(uint16_t), 8);
}

bool pvrom_blk_guest_memory(struct pvrom_blk_guest *blk, uint16_t number,
			    struct pvrom_virtio_memory *memory)
{
	struct layout l;

	*memory = (struct pvrom_virtio_memory){ .vector = PVROM_VIRTIO_NO_VECTOR };
	if (number < blk->queues)
		memory->size = pvrom_virtio_queue_size(blk->virtio, number, blk->settings.size);
	if (!memory->size)
		return false;
	lay_out(blk, memory->size, &l);
	memory->shared_bytes = l.end;
	memory->own_bytes = l.own_end;
	return true;
}

/* ---- queues -------------------------------------------------------------------------------------- */

/* All places are free, in a list. */
static void free_places(struct pvrom_blk_guest_queue *queue, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		queue->next[i] = (uint16_t)(i + 1);
	queue->free = 0;
}

bool pvrom_blk_guest_queue(struct pvrom_blk_guest *blk, uint16_t number,
			   struct pvrom_blk_guest_queue *queue,
			   const struct pvrom_virtio_memory *memory)
{
	uint8_t *shared = memory->shared;
	struct layout l;

	lay_out(blk, memory->size, &l);
	*queue = (struct pvrom_blk_guest_queue){
		.blk = blk,
		.number = number,
		.shared = (void *)(shared + l.shared),
		.shared_gpa = memory->shared_gpa + l.shared,
		.bounce = shared + l.bounce,
		.bounce_gpa = memory->shared_gpa + l.bounce,
		.next = (void *)((uint8_t *)memory->own + l.next),
	};
	free_places(queue, memory->size);
	if (!pvrom_virtio_queue_start(blk->virtio, number, &queue->ring, &l.ring, memory))
		return false;
	blk->queue[number] = queue;
	return true;
}

void pvrom_blk_guest_go(struct pvrom_blk_guest *blk)
{
	blk->running = true;
	pvrom_virtio_ready(blk->virtio);
}

/* ---- end ----------------------------------------------------------------------------------------- */

static void give_back(struct pvrom_blk_guest_queue *queue, enum pvrom_blk_guest_result result)
{
	void *token;

	while (pvrom_vq_driver_detach(&queue->ring, &token) == PVROM_VQ_OK)
		pvrom_blk_guest_finish(queue, token, result);
}

enum pvrom_virtio_result pvrom_blk_guest_stop(struct pvrom_blk_guest *blk)
{
	enum pvrom_virtio_result reset = pvrom_virtio_reset(blk->virtio);
	enum pvrom_blk_guest_result result = PVROM_BLK_GUEST_CANCELLED;
	uint32_t i;

	if (GUEST_REFUSE(STUCK_MEMORY, reset))
		result = PVROM_BLK_GUEST_STUCK;
	blk->running = false;
	for (i = 0; i < blk->queues; i++) {
		if (blk->queue[i])
			give_back(blk->queue[i], result);
		blk->queue[i] = NULL;
	}
	return reset;
}
