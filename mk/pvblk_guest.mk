# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvblk/, the guest half: the driver with its transports and rings, as one archive for kernels.
VIRTIO_GUEST_SRCS := $(addprefix virtqueue/transport/,virtio_begin.c queue_memory.c)
PVBLK_GUEST_SRCS := $(addprefix pvblk/,blk_guest.c blk_guest_config.c blk_guest_request.c) $(VIRTIO_GUEST_SRCS) \
	$(addprefix virtqueue/transport/,mmio_transport.c pci_transport.c bus_transport.c)
VIRTQUEUE_GUEST_SRCS := $(addprefix virtqueue/,vq_layout.c vq_driver.c driver_split.c driver_packed.c)

$(BUILD)/libpvrom-blk-guest.a: $(call objs,hosted,$(PVBLK_GUEST_SRCS) $(VIRTQUEUE_GUEST_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-blk-guest.a: $(call objs,free,$(PVBLK_GUEST_SRCS) $(VIRTQUEUE_GUEST_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-blk-guest.a $(BUILD)/free/libpvrom-blk-guest.a

# The host half of the device bus.
$(BUILD)/libpvrom-bus-host.a: $(call objs,hosted,virtqueue/transport/bus_host.c)
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-bus-host.a: $(call objs,free,virtqueue/transport/bus_host.c)
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-bus-host.a $(BUILD)/free/libpvrom-bus-host.a

# ---- tests: the driver over our own device, and over devices that lie -------------------------------
BLK_GUEST_WORLD := tests/blk/guest_world.c pvblk/blk_guest.c pvblk/blk_guest_config.c \
	pvblk/blk_guest_request.c $(VIRTIO_GUEST_SRCS) pvblk/backend/memory_backend.c \
	$(PVBLK_HOST_SRCS) $(VIRTQUEUE_SRCS)
$(eval $(call cunit,blk.guest,tests/blk/blk_guest_test.c,$(BLK_GUEST_WORLD)))
$(eval $(call cunit,virtio.transport,tests/blk/transport_test.c,virtqueue/transport/virtio_begin.c \
	virtqueue/transport/mmio_transport.c virtqueue/transport/pci_transport.c))
$(eval $(call cunit,blk.devices,tests/blk/blk_devices_test.c,$(BLK_GUEST_WORLD)))

# The reference kernel with QEMU's devices, its storage daemon, and pvrom-blkd behind QEMU.
CHECK += guests.disk
TEST.guests.disk       = tests/guests/disk_test $(KERNEL_ELF) $(BUILD)/disk-image $(filter $(BLKD),$(ALL_TARGETS))
TEST_TIME.guests.disk  = 240
TEST_SHARES.guests.disk = yes
TEST_NEEDS.guests.disk = $(KERNEL_ELF) $(BUILD)/disk-image $(filter $(BLKD),$(ALL_TARGETS))

CHECK += guests.saved_disk
TEST.guests.saved_disk       = tests/blk/saved_disk_test $(KERNEL_ELF) $(BUILD)/disk-image
TEST_TIME.guests.saved_disk  = 320
TEST_SHARES.guests.saved_disk = yes
TEST_NEEDS.guests.saved_disk = $(KERNEL_ELF) $(BUILD)/disk-image $(BUILD)/pvrun $(LAB)

# And standing still for longer than the kernel has patience with a request.
CHECK_LONG += guests.saved_disk.long
TEST.guests.saved_disk.long       = $(TEST.guests.saved_disk) 12
TEST_TIME.guests.saved_disk.long  = 750
TEST_SHARES.guests.saved_disk.long = yes
TEST_NEEDS.guests.saved_disk.long = $(TEST_NEEDS.guests.saved_disk)

# The device bus: both its halves, and both of the disk, under the host core.
$(eval $(call cunit,loop.bus,tests/loop/bus_loop.c,tests/loop/host_world.c $$(HOST_SRCS) $$(DIGEST_SRCS) \
	virtqueue/transport/bus_host.c virtqueue/transport/bus_transport.c $(BLK_GUEST_WORLD)))
