# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvnet/, the guest half: the driver with its transports and rings, as one archive for kernels.
PVNET_GUEST_SRCS := $(addprefix pvnet/,net_guest.c net_guest_control.c net_guest_features.c \
	net_guest_receive.c net_guest_send.c)
PVNET_GUEST_PARTS := $(PVNET_GUEST_SRCS) $(VIRTIO_GUEST_SRCS) $(addprefix virtqueue/transport/,mmio_transport.c \
	pci_transport.c bus_transport.c) $(VIRTQUEUE_GUEST_SRCS)

$(BUILD)/libpvrom-net-guest.a: $(call objs,hosted,$(PVNET_GUEST_PARTS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-net-guest.a: $(call objs,free,$(PVNET_GUEST_PARTS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-net-guest.a $(BUILD)/free/libpvrom-net-guest.a

# ---- tests: the driver over our own card, and over devices that lie ---------------------------------
NET_GUEST_WORLD := tests/net/net_guest_world.c tests/net/frame_oracle.c $(PVNET_GUEST_SRCS) \
	$(VIRTIO_GUEST_SRCS) $(PVNET_HOST_SRCS) $(VIRTQUEUE_SRCS)
$(eval $(call cunit,net.guest,tests/net/net_guest_test.c,$(NET_GUEST_WORLD)))
$(eval $(call cunit,net.guest_offload,tests/net/net_guest_offload_test.c,$(NET_GUEST_WORLD)))
$(eval $(call cunit,net.devices,tests/net/net_devices_test.c,$(addprefix tests/net/,net_lies.c \
	net_lies_begin.c net_lies_commands.c net_lies_frames.c net_lies_headers.c net_lies_rings.c) \
	$(NET_GUEST_WORLD)))

# The reference kernel's network stack, in an ordinary program.
KERNEL_STACK := $(addprefix kernel/net/,stack.c stack_page.c stack_tcp.c stack_tcp_input.c stack_udp.c)
$(eval $(call cunit,net.stack,tests/net/net_stack_test.c,tests/net/net_stack_world.c tests/net/net_stack_bad.c $(KERNEL_STACK) $(PVNET_FRAME_SRCS)))
$(eval $(call cunit,net.stack_refuse,tests/net/net_stack_refuse_test.c,$(KERNEL_STACK)))
$(eval $(call cunit,net.stack_segment,tests/net/net_stack_segment_test.c,$(KERNEL_STACK)))

# ---- the reference kernel's network, over QEMU's cards -----------------------------------------------
$(BUILD)/net-peer: $(call objs,hosted,tools/net-peer.c)
	$(call LINK,hosted)
ALL_TARGETS += $(BUILD)/net-peer
$(BUILD)/test/net_wire_peer: $(call objs,test,tests/net/net_wire_peer.c $(addprefix kernel/net/,stack.c \
		stack_page.c stack_tcp.c stack_tcp_input.c stack_udp.c))
	$(call LINK,test)

GUESTS_NET = tests/guests/net_test $(KERNEL_ELF) $(BUILD)/net-peer $(BUILD)/test/net_wire_peer
CHECK += guests.net
TEST.guests.net            = $(GUESTS_NET)
TEST_TIME.guests.net       = 750
TEST_SHARES.guests.net     = yes
TEST_NEEDS.guests.net      = $(KERNEL_ELF) $(BUILD)/net-peer $(BUILD)/test/net_wire_peer
CHECK_LONG += guests.net.long
TEST.guests.net.long       = $(GUESTS_NET) long $(BUILD)/pvrom-netd
TEST_TIME.guests.net.long  = 1800
TEST_NEEDS.guests.net.long = $(TEST_NEEDS.guests.net) $(BUILD)/pvrom-netd
# The same on the device bus and over pvrun's virtio-mmio; user-mode networking needs pvrom-netd beside it.
GUESTS_NET_LAB := $(KERNEL_ELF) $(BUILD)/net-peer $(BUILD)/pvrun $(BUILD)/pvrom-netd
CHECK_LONG += guests.net.lab
TEST.guests.net.lab       = tests/guests/net_lab_test $(GUESTS_NET_LAB)
TEST_TIME.guests.net.lab  = 360
TEST_NEEDS.guests.net.lab = $(GUESTS_NET_LAB) $(LAB)

# ---- bench: the driver's own instructions -------------------------------------------------------------
$(BUILD)/hosted/net_guest_turns: $(call objs,hosted,bench/net_guest_turns.c) $(BUILD)/libpvrom-net-guest.a \
		$(BUILD)/libpvrom-net-backend.a $(BUILD)/libpvrom-net-host.a $(BUILD)/libpvrom-virtqueue.a
	$(call LINK,hosted,)
BENCHES += bench-net-guest
bench-net-guest: $(BUILD)/hosted/net_guest_turns
	$(Q)BUILD=$(BUILD) bench/net_guest_cost $<
.PHONY: bench-net-guest

# TCP without a guest: the reference kernel's stack on our driver, in front of a server with a tap interface.
$(BUILD)/hosted/net_tso: $(call objs,hosted,bench/net_tso.c vhost-user/client/net_front.c $(VU_CLIENT_SRCS) $(KERNEL_STACK)) $(BUILD)/libpvrom-net-guest.a
	$(call LINK,hosted,)

# ---- the driver in front of vhost-user servers: ours, and DPDK's ----------------------------------------
$(BUILD)/test/net_vhost_driver: $(call objs,test,tests/net/net_vhost_driver.c vhost-user/client/net_front.c $(VU_CLIENT_SRCS) $(PVNET_GUEST_SRCS) \
		$(VIRTIO_GUEST_SRCS) $(VIRTQUEUE_SRCS))
	$(call LINK,test,)
CHECK += net.driver
TEST.net.driver       = tests/net/net_driver_test $(BUILD)/test/net_vhost_driver $(BUILD)/pvrom-netd 4000
TEST_TIME.net.driver  = 480
TEST_NEEDS.net.driver = $(BUILD)/test/net_vhost_driver $(BUILD)/pvrom-netd
CHECK_LONG += net.driver.dpdk
TEST.net.driver.dpdk       = tests/net/net_driver_test $(BUILD)/test/net_vhost_driver dpdk 20000
TEST_TIME.net.driver.dpdk  = 500
TEST_NEEDS.net.driver.dpdk = $(BUILD)/test/net_vhost_driver

# Anything at all in the memory that driver and device share.
$(eval $(call hostile,net_driver,$(NET_GUEST_WORLD)))
