# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# virtqueue/: rings of VIRTIO 1.2, both halves, as a hosted archive and a freestanding one.
VIRTQUEUE_SRCS := virtqueue/vq_layout.c virtqueue/vq_driver.c virtqueue/driver_split.c \
	virtqueue/driver_packed.c virtqueue/vq_device.c virtqueue/device_split.c \
	virtqueue/device_packed.c virtqueue/vq_chain.c virtqueue/vq_state.c virtqueue/vq_inflight.c

$(BUILD)/libpvrom-virtqueue.a: $(call objs,hosted,$(VIRTQUEUE_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-virtqueue.a: $(call objs,free,$(VIRTQUEUE_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-virtqueue.a $(BUILD)/free/libpvrom-virtqueue.a

# ---- tests: both halves in one process (tests/virtqueue) ------------------------------------------
RING_WORLD := tests/virtqueue/ring_world.c $(VIRTQUEUE_SRCS)
$(eval $(call cunit,virtqueue.loop,tests/virtqueue/ring_loop.c,$(RING_WORLD)))
$(eval $(call cunit,virtqueue.crash,tests/virtqueue/ring_crash.c,$(RING_WORLD)))
