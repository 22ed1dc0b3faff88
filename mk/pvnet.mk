# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvnet/: the network card's host half, as archives, and its tests.
include virtqueue/sources.mk vhost-user/sources.mk
PVNET_FRAME_SRCS := $(addprefix pvnet/, net_frame.c net_hash.c net_segments.c net_sum.c)
PVNET_HOST_SRCS := $(PVNET_FRAME_SRCS) $(addprefix pvnet/, net_control.c net_direct.c net_filter.c net_host.c net_limit.c net_queue.c \
	net_receive.c net_state.c net_steering.c net_transmit.c)

PVNET_HOST_SRCS += limits/rate_limit.c

$(BUILD)/libpvrom-net-host.a: $(call objs,hosted,$(PVNET_HOST_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-net-host.a: $(call objs,free,$(PVNET_HOST_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-net-host.a $(BUILD)/free/libpvrom-net-host.a

# What pvrun's cards are made of; user-mode networking is in pvrom-netd alone.
PVNET_BACKEND_SRCS := $(addprefix pvnet/backend/, loop_backend.c net_capture.c net_fifo.c netback.c netback_limits.c \
	netback_slips.c netback_words.c net_port.c port_backend.c tap_backend.c tap_open.c)
$(BUILD)/libpvrom-net-backend.a: $(call objs,hosted,$(PVNET_BACKEND_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-net-backend.a

# ---- pvrom-netd ----------------------------------------------------------------------------------
NETD_SRCS := $(addprefix pvnet/netd/, netd_card.c netd_front.c netd_helper.c netd_main.c netd_spec.c netd_switch.c)
PVNET_SWITCH_SRCS := $(addprefix pvnet/backend/, net_switch.c switch_backend.c switch_table.c)
# libslirp.h asks for nothing else; its .pc wants glib's headers.
ifneq ($(call have_header,slirp/libslirp.h),)
PVNET_USER_SRCS := pvnet/backend/user_backend.c pvnet/backend/user_words.c
NETD_LIBS := -lslirp
$(foreach v,hosted test asan,$(BUILD)/$(v)/pvnet/netd/%.o): FLAGS_FOR += -DPVROM_NETD_SLIRP
else
$(call left_out,user-mode networking,libslirp-dev)
endif
NETD_ALL := $(NETD_SRCS) $(PVNET_BACKEND_SRCS) $(PVNET_SWITCH_SRCS) $(PVNET_USER_SRCS) $(PVNET_HOST_SRCS) $(VIRTQUEUE_SRCS) $(VHOST_USER_SRCS)
NETD := $(BUILD)/pvrom-netd
$(foreach v,hosted test asan,$(BUILD)/$(v)/pvnet/netd/%.o) $(BUILD)/lint/pvnet/netd/%.ok: FLAGS_FOR += -DPVROM_NETD_VERSION='"$(VERSION)"'
$(NETD): $(call objs,hosted,$(NETD_ALL))
	$(call LINK,hosted,-luring -lpthread $(NETD_LIBS))
# With the mistakes that tests have it make.
$(BUILD)/test/pvrom-netd: $(call objs,test,$(NETD_ALL))
	$(call LINK,test,-luring -lpthread $(NETD_LIBS))
$(BUILD)/asan/pvrom-netd: $(call objs,asan,$(NETD_ALL))
	$(call LINK,asan,-luring -lpthread $(NETD_LIBS))
ifneq ($(wildcard /usr/include/liburing.h),)
ALL_TARGETS += $(NETD)
INSTALL_BIN += $(NETD)
INSTALL_MAN += pvnet/netd/pvrom-netd.1
else
$(call left_out,pvrom-netd,liburing-dev)
endif

# ---- tests ---------------------------------------------------------------------------------------
$(eval $(call cunit,net.frame,tests/net/net_frame_test.c,tests/net/frame_oracle.c $(PVNET_FRAME_SRCS)))
$(eval $(call cunit,net.bad_frame,tests/net/net_bad_frame_test.c,tests/net/frame_oracle.c $(PVNET_FRAME_SRCS)))
NET_WORLD := tests/net/net_world.c tests/net/frame_oracle.c $(PVNET_HOST_SRCS) $(VIRTQUEUE_SRCS)
$(eval $(call cunit,net.card,$(addprefix tests/net/net_,card_main.c feature_cases.c send_cases.c receive_cases.c \
	filter_cases.c steering_cases.c queue_cases.c state_cases.c),$(NET_WORLD)))
$(eval $(call cunit,net.hostile,$(addprefix tests/net/net_hostile_,main.c commands.c frames.c buffers.c),$(NET_WORLD)))
# Parts of pvrun without pvrun: the round of its card, and the file of its devices. Compiled as mk/monitor.mk does it, with
# KVM's structures and at an address that is fixed.
ifneq ($(wildcard /usr/include/liburing.h),)
PVRUN_PARTS := $(foreach v,test alt asan ndebug,$(addprefix $(BUILD)/$(v)/tests/,net/net_round_test.o monitor/saved_virtio_test.o \
	monitor/saved_notify_test.o monitor/notify_world.o)) \
	$(foreach v,asan ndebug,$(addprefix $(BUILD)/$(v)/monitor/,net_round.o saved_file.o saved_virtio.o disk.o \
	device_thread.o virtio_bus.o virtio_device.o virtio_mmio.o))
$(PVRUN_PARTS): FLAGS_FOR += $(KVM_STRUCTURES)
$(foreach v,test alt asan ndebug,$(BUILD)/$(v)/net.round $(BUILD)/$(v)/monitor.saved_virtio \
	$(BUILD)/$(v)/monitor.saved_notify): LDFLAGS += -no-pie
$(eval $(call cunit,net.round,tests/net/net_round_test.c,monitor/net_round.c $(PVNET_BACKEND_SRCS) $(NET_WORLD)))
$(eval $(call cunit,monitor.saved_virtio,tests/monitor/saved_virtio_test.c,monitor/saved_file.c monitor/saved_virtio.c $(VIRTQUEUE_SRCS)))
$(foreach v,test alt asan ndebug,$(BUILD)/$(v)/monitor.saved_notify): CUNIT_LIBS = -luring
$(eval $(call cunit,monitor.saved_notify,$(addprefix tests/monitor/,saved_notify_test.c notify_world.c),$(addprefix monitor/,saved_file.c saved_virtio.c \
	disk.c device_thread.c virtio_bus.c virtio_device.c virtio_mmio.c) vhost-user/io_loop.c virtqueue/transport/bus_host.c \
	$(PVBLK_BACKEND_SRCS) $(PVBLK_HOST_SRCS) $(VIRTQUEUE_SRCS)))
endif
CHECK_LONG += net.frame.million
TEST_SHARES.net.frame.million = yes
TEST.net.frame.million       = $(BUILD)/test/net.frame 1000000 $(or $(SEED),$(shell date +%s))
TEST_TIME.net.frame.million  = 600
TEST_NEEDS.net.frame.million = $(BUILD)/test/net.frame

# The hosted backends, in a network namespace that the test makes; each case with the mistakes it is for.
NETBACK_CASES := tests/tap_lines.c $(addprefix tests/net/netback_,main.c plain_cases.c switch_cases.c capture_cases.c limit_cases.c tap_cases.c \
	user_cases.c) tests/net/own_namespace.c $(PVNET_BACKEND_SRCS) $(PVNET_SWITCH_SRCS) $(PVNET_USER_SRCS) $(NET_WORLD)
ifneq ($(PVNET_USER_SRCS),)
define netback_test
$$(BUILD)/$(1)/net.backends: $$(call objs,$(1),$$(NETBACK_CASES))
	$$(call LINK,$(1),-lpthread $$(NETD_LIBS))
CHECK_QUICK += net.backends$(2)
TEST.net.backends$(2)       = mkdir -p $$(BUILD)/net/backends$(2) && $$(BUILD)/$(1)/net.backends $$(BUILD)/net/backends$(2) $(3)
TEST_NEEDS.net.backends$(2) = $$(BUILD)/$(1)/net.backends
endef
$(eval $(call netback_test,test,,))
$(eval $(call netback_test,asan,.asan,plain))
endif

# pvrom-netd as a process, with front ends of ours; each case with the mistakes it is for.
NETD_CASES := tests/tap_lines.c $(addprefix tests/net/netd_,test.c card_cases.c net_cases.c life_cases.c) tests/net/own_namespace.c tests/net/frame_oracle.c \
	tests/blk/server_process.c vhost-user/client/net_client.c $(VU_CLIENT_SRCS) pvnet/backend/net_port.c \
	pvnet/backend/netback_words.c pvnet/backend/netback_slips.c $(VIRTQUEUE_SRCS)
$(BUILD)/test/net.netd: $(call objs,test,$(NETD_CASES))
	$(call LINK,test,)
ifneq ($(PVNET_USER_SRCS),)
CHECK += net.netd
TEST.net.netd       = mkdir -p $(BUILD)/net/netd && $(BUILD)/test/net.netd $(BUILD)/test/pvrom-netd $(BUILD)/net/netd
TEST_TIME.net.netd  = 500
TEST_SHARES.net.netd = yes
TEST_NEEDS.net.netd = $(BUILD)/test/net.netd $(BUILD)/test/pvrom-netd
endif

# Stock QEMU and Linux, their server killed under load.
CHECK_LONG += net.reconnect.split net.reconnect.packed
TEST.net.reconnect.split       = tests/net/net_reconnect_test split 12
TEST_TIME.net.reconnect.split  = 400
TEST_NEEDS.net.reconnect.split = $(NETD) $(BUILD)/lab/base.cpio
TEST_SHARES.net.reconnect.split = yes
TEST.net.reconnect.packed       = tests/net/net_reconnect_test packed 12
TEST_TIME.net.reconnect.packed  = 400
TEST_NEEDS.net.reconnect.packed = $(NETD) $(BUILD)/lab/base.cpio
TEST_SHARES.net.reconnect.packed = yes

# ---- fuzz targets (mk/hostile.mk) ------------------------------------------------------------------
$(eval $(call hostile,net_control,$(NET_WORLD)))
$(eval $(call hostile,net_frames,$(NET_WORLD)))
