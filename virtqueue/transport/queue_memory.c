/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Memory of a driver's queue: how long, where what lies, and the ring in it. Alike for all kinds of devices.
 */
#include <pvrom/virtio_guest.h>
#include <pvrom/virtqueue_driver.h>

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

/* Split queues want a power of two. */
uint32_t pvrom_virtio_queue_size(struct pvrom_virtio *dev, uint32_t queue, uint32_t most)
{
	const uint32_t max = dev->ops->queue_max(dev, queue);
	uint32_t size = most < max ? most : max;

	while (size && !pvrom_vq_layout(dev->accepted, size, NULL))
		size &= size - 1;
	return size;
}

void pvrom_virtio_lay_out(const struct pvrom_virtio *dev, uint32_t size, uint32_t each,
			  struct pvrom_virtio_layout *layout)
{
	struct pvrom_vq_layout ring;

	pvrom_vq_layout(dev->accepted, size, &ring);
	layout->size = size;
	layout->each = dev->accepted & PVROM_VQ_F_INDIRECT_DESC ? each : 0;
	layout->driver = ring.desc_bytes;
	layout->device = round_up(layout->driver + ring.driver_bytes, 64);
	layout->tables = round_up(layout->device + ring.device_bytes, 64);
	layout->shared_end = round_up(
		layout->tables + (size_t)size * layout->each * sizeof(struct pvrom_vq_desc), 64);
	layout->own_end = round_up(size * sizeof(struct pvrom_vq_driver_slot), 8);
}

static bool init_ring(const struct pvrom_virtio *dev, uint32_t queue, struct pvrom_vq_driver *ring,
		      const struct pvrom_virtio_layout *layout,
		      const struct pvrom_virtio_memory *memory)
{
	uint8_t *shared = memory->shared;
	const struct pvrom_vq_driver_config config = {
		.features = dev->accepted,
		.size = layout->size,
		.queue = (uint16_t)queue,
		.desc = shared,
		.driver = shared + layout->driver,
		.device = shared + layout->device,
		.slots = memory->own,
		.tables = layout->each ? (void *)(shared + layout->tables) : NULL,
		.tables_addr = memory->shared_gpa + layout->tables,
		.each = layout->each,
	};

	return pvrom_vq_driver_init(ring, &config) == PVROM_VQ_OK;
}

bool pvrom_virtio_queue_start(struct pvrom_virtio *dev, uint32_t queue,
			      struct pvrom_vq_driver *ring,
			      const struct pvrom_virtio_layout *layout,
			      const struct pvrom_virtio_memory *memory)
{
	const struct pvrom_virtio_queue where = {
		.desc_gpa = memory->shared_gpa,
		.driver_gpa = memory->shared_gpa + layout->driver,
		.device_gpa = memory->shared_gpa + layout->device,
		.size = (uint16_t)layout->size,
		.vector = memory->vector,
		.vcpu = memory->vcpu,
	};

	return init_ring(dev, queue, ring, layout, memory) &&
	       dev->ops->queue_start(dev, queue, &where);
}
