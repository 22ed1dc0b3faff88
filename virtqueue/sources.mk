# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The C files of both halves of the virtqueues, for whoever builds them in.
VIRTQUEUE_SRCS := virtqueue/vq_layout.c virtqueue/vq_driver.c virtqueue/driver_split.c \
	virtqueue/driver_packed.c virtqueue/vq_device.c virtqueue/device_split.c \
	virtqueue/device_packed.c virtqueue/device_burst.c virtqueue/vq_chain.c virtqueue/vq_state.c \
	virtqueue/vq_inflight.c virtqueue/vq_resume.c
