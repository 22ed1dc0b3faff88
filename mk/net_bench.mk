# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The network card's speed: its own instructions, and the server against DPDK's.
$(BUILD)/hosted/net_turns: $(call objs,hosted,bench/net_turns.c) $(BUILD)/libpvrom-net-backend.a \
		$(BUILD)/libpvrom-net-host.a $(BUILD)/libpvrom-virtqueue.a
	$(call LINK,hosted,)

ifneq ($(wildcard /usr/include/liburing.h),)
BENCHES += bench-net
endif
bench-net: $(BUILD)/pvrom-netd $(BUILD)/hosted/net_turns $(BUILD)/hosted/net_tso $(BUILD)/lab/base.cpio
	$(Q)BUILD=$(BUILD) bench/net_cost $(BUILD)/hosted/net_turns
	$(Q)BUILD=$(BUILD) bench/net_bench $(BUILD)/pvrom-netd $(NET_ROUNDS) $(NET_ROWS)
	$(Q)BUILD=$(BUILD) bench/net_tso_bench $(BUILD)/pvrom-netd $(BUILD)/hosted/net_tso
	$(Q)BUILD=$(BUILD) bench/net_cpu_bench
# Only the rows against DPDK's vhost port: make bench-net-dpdk NET_ROUNDS=15 NET_ROWS='64.split 64.packed'
NET_ROUNDS ?= 11
NET_ROWS ?= 64.split 64.packed 64.inorder 1518
bench-net-dpdk: $(BUILD)/pvrom-netd
	$(Q)BUILD=$(BUILD) bench/net_bench $< $(NET_ROUNDS) $(NET_ROWS)
.PHONY: bench-net bench-net-dpdk

# iPXE's virtio driver, and what it boots.
CHECK_LONG += net.ipxe
TEST.net.ipxe       = tests/net/ipxe_test $(KERNEL_ELF)
TEST_TIME.net.ipxe  = 400
TEST_SHARES.net.ipxe = yes
TEST_NEEDS.net.ipxe = $(KERNEL_ELF) $(BUILD)/pvrom-netd

# DPDK's virtio-user port is the driver.
CHECK_LONG += net.dpdk
TEST.net.dpdk       = tests/net/dpdk_test $(BUILD)/pvrom-netd
TEST_TIME.net.dpdk  = 1500
TEST_NEEDS.net.dpdk = $(BUILD)/pvrom-netd
