# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvblk/: the block device's halves as archives, and pvrom-blkd, the vhost-user server.
include virtqueue/sources.mk vhost-user/sources.mk
PVBLK_HOST_SRCS    := $(addprefix pvblk/, blk_config.c blk_queue.c blk_request.c blk_slips.c \
	blk_state.c)
PVBLK_HOST_SRCS    += limits/rate_limit.c
PVBLK_BACKEND_SRCS := $(addprefix pvblk/backend/, fault_backend.c file_backend.c file_open.c \
	memory_backend.c)
BLKD_SRCS := $(addprefix pvblk/blkd/, blkd_control.c blkd_export.c blkd_main.c blkd_queues.c \
	blkd_round.c blkd_spec.c blkd_steps.c)

$(BUILD)/libpvrom-blk-host.a: $(call objs,hosted,$(PVBLK_HOST_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-blk-host.a: $(call objs,free,$(PVBLK_HOST_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-blk-host.a $(BUILD)/free/libpvrom-blk-host.a
# What pvrun's disks are made of.
$(BUILD)/libpvrom-blk-backend.a: $(call objs,hosted,$(PVBLK_BACKEND_SRCS) vhost-user/io_loop.c)
	$(MAKE_ARCHIVE)

# And of a pvrun that makes mistakes.
$(BUILD)/test/libpvrom-blk.a: $(call objs,test,$(PVBLK_HOST_SRCS) $(PVBLK_BACKEND_SRCS))
	$(MAKE_ARCHIVE)

BLKD_ALL := $(BLKD_SRCS) $(PVBLK_BACKEND_SRCS) $(PVBLK_HOST_SRCS) $(VIRTQUEUE_SRCS) $(VHOST_USER_SRCS)
BLKD := $(BUILD)/pvrom-blkd
$(foreach v,hosted test asan,$(BUILD)/$(v)/pvblk/blkd/%.o) $(BUILD)/lint/pvblk/blkd/%.ok: FLAGS_FOR += -DPVROM_BLKD_VERSION='"$(VERSION)"'
$(BLKD): $(call objs,hosted,$(BLKD_ALL))
	$(call LINK,hosted,-luring -lpthread)
# With steps at which it kills itself, and without INFLIGHT on demand.
$(BUILD)/test/pvrom-blkd: $(call objs,test,$(BLKD_ALL))
	$(call LINK,test,-luring -lpthread)
$(BUILD)/asan/pvrom-blkd: $(call objs,asan,$(BLKD_ALL))
	$(call LINK,asan,-luring -lpthread)

# liburing is no part of a C library: without it the rest is built all the same.
ifneq ($(wildcard /usr/include/liburing.h),)
ALL_TARGETS += $(BLKD)
INSTALL_BIN += $(BLKD)
INSTALL_MAN += pvblk/blkd/pvrom-blkd.1
else
$(call left_out,pvrom-blkd,liburing-dev)
endif

# ---- tests ---------------------------------------------------------------------------------------
$(eval $(call cunit,unit.patience,tests/unit/patience_test.c,vhost-user/io_patience.c))
VU_CLIENT_SRCS := vhost-user/client/vu_client.c vhost-user/client/blk_client.c
BLK_SERVER_TEST := tests/blk/server_process.c tests/blk/counter_load.c $(VU_CLIENT_SRCS) $(VIRTQUEUE_SRCS)
BLK_DIR = mkdir -p $(BUILD)/blk/$(1) &&

$(BUILD)/test/blk.kill: $(call objs,test,$(addprefix tests/blk/kill_,test.c run.c log.c) $(BLK_SERVER_TEST))
	$(call LINK,test,)
CHECK += blk.kill
TEST.blk.kill       = $(call BLK_DIR,kill) $(BUILD)/test/blk.kill $(BUILD)/test/pvrom-blkd $(BUILD)/blk/kill
TEST_TIME.blk.kill  = 120
TEST_NEEDS.blk.kill = $(BUILD)/test/blk.kill $(BUILD)/test/pvrom-blkd
CHECK_LONG += blk.kill.long
TEST_SHARES.blk.kill.long = yes
TEST.blk.kill.long       = $(call BLK_DIR,kill.long) $(BUILD)/test/blk.kill $(BUILD)/test/pvrom-blkd $(BUILD)/blk/kill.long 20
TEST_TIME.blk.kill.long  = 900
TEST_NEEDS.blk.kill.long = $(TEST_NEEDS.blk.kill)

BLK_WORLD := tests/blk/blk_world.c $(PVBLK_HOST_SRCS) $(VIRTQUEUE_SRCS)
$(eval $(call cunit,blk.hostile,tests/blk/blk_hostile_test.c,$(BLK_WORLD)))

# ---- stock front ends -------------------------------------------------------------------------------
# Static: it runs inside a guest without a C library.
$(BUILD)/disk_guest: $(call objs,hosted,tests/blk/disk_guest.c)
	$(call LINK,hosted,-static)
BLK_FRONT_END := $(BUILD)/disk_guest $(BLKD) $(BUILD)/lab/base.cpio
CHECK += blk.qemu.split blk.qemu.packed
TEST.blk.qemu.split       = tests/blk/front_end_test split 1
TEST_NEEDS.blk.qemu.split = $(BLK_FRONT_END)
TEST_SHARES.blk.qemu.split = yes
TEST.blk.qemu.packed       = tests/blk/front_end_test packed 4
TEST_NEEDS.blk.qemu.packed = $(BLK_FRONT_END)
TEST_SHARES.blk.qemu.packed = yes

# ---- bench -----------------------------------------------------------------------------------------
$(BUILD)/hosted/blk_turns: $(call objs,hosted,bench/blk_turns.c $(VU_CLIENT_SRCS) $(VIRTQUEUE_SRCS))
	$(call LINK,hosted,)
BENCHES += bench-blk
bench-blk: $(BUILD)/hosted/blk_turns $(BLKD)
	$(Q)BUILD=$(BUILD) bench/blk_bench $< $(BLKD)
.PHONY: bench-blk
$(eval $(call cunit,blk.limits,tests/blk/blk_limit_test.c,tests/blk/blk_cases.c $(BLK_WORLD)))
$(eval $(call cunit,blk.crash,tests/blk/blk_crash_test.c,tests/blk/blk_cases.c $(BLK_WORLD)))
$(eval $(call cunit,blk.backend,tests/blk/blk_backend_test.c,tests/blk/blk_cases.c pvblk/backend/fault_backend.c \
	pvblk/backend/memory_backend.c $(BLK_WORLD)))
$(eval $(call cunit,blk.state,tests/blk/blk_state_test.c,tests/blk/blk_cases.c $(BLK_WORLD)))

# The server as a process, each case with the mistake that it is there for.
BLK_SERVER_CASES := tests/tap_lines.c $(addprefix tests/blk/server_,test.c world.c start_cases.c features_cases.c running_cases.c \
	rubbish_cases.c disk_cases.c patience_cases.c)
$(BUILD)/test/blk.server: $(call objs,test,$(BLK_SERVER_CASES) $(BLK_SERVER_TEST))
	$(call LINK,test,)
CHECK += blk.server
TEST.blk.server       = $(call BLK_DIR,server) $(BUILD)/test/blk.server $(BUILD)/test/pvrom-blkd $(BUILD)/blk/server
TEST_TIME.blk.server  = 240
TEST_SHARES.blk.server = yes
TEST_NEEDS.blk.server = $(BUILD)/test/blk.server $(BUILD)/test/pvrom-blkd
CHECK_LONG += blk.qemu.faults
TEST_SHARES.blk.qemu.faults = yes
TEST.blk.qemu.faults       = tests/blk/front_end_faults_test OFFER_INBAND ZEROES_QUIET DISCARD_QUIET
TEST_TIME.blk.qemu.faults  = 400
TEST_NEEDS.blk.qemu.faults = $(BLK_FRONT_END) $(BUILD)/test/pvrom-blkd
CHECK_LONG += blk.qemu.long blk.reconnect.split blk.reconnect.packed
TEST_SHARES.blk.qemu.long = yes
TEST.blk.qemu.long       = tests/blk/front_end_long_test
TEST_TIME.blk.qemu.long  = 2400
TEST_NEEDS.blk.qemu.long = $(BLK_FRONT_END)
CHECK_LONG += blk.reconnect.forgetful
TEST.blk.reconnect.forgetful       = tests/blk/reconnect_test split 20 forgetful
TEST_TIME.blk.reconnect.forgetful  = 600
TEST_SHARES.blk.reconnect.forgetful = yes
TEST_NEEDS.blk.reconnect.forgetful = $(BLK_FRONT_END) $(BUILD)/test/pvrom-blkd
TEST.blk.reconnect.split       = tests/blk/reconnect_test split 20
TEST_TIME.blk.reconnect.split  = 400
TEST_SHARES.blk.reconnect.split = yes
TEST_NEEDS.blk.reconnect.split = $(BLK_FRONT_END) $(BUILD)/test/pvrom-blkd
TEST.blk.reconnect.packed       = tests/blk/reconnect_test packed 20
TEST_TIME.blk.reconnect.packed  = 400
TEST_SHARES.blk.reconnect.packed = yes
TEST_NEEDS.blk.reconnect.packed = $(BLK_FRONT_END) $(BUILD)/test/pvrom-blkd
CHECK_LONG += blk.upgrade.split blk.upgrade.packed
TEST.blk.upgrade.split       = tests/blk/upgrade_test split
TEST_TIME.blk.upgrade.split  = 300
TEST_SHARES.blk.upgrade.split = yes
TEST_NEEDS.blk.upgrade.split = $(BLK_FRONT_END)
TEST.blk.upgrade.packed       = tests/blk/upgrade_test packed
TEST_TIME.blk.upgrade.packed  = 300
TEST_SHARES.blk.upgrade.packed = yes
TEST_NEEDS.blk.upgrade.packed = $(BLK_FRONT_END)

# ---- fuzz targets (mk/hostile.mk) ------------------------------------------------------------------
$(eval $(call hostile,blk_requests,$(BLK_WORLD)))
ifneq ($(wildcard /usr/include/liburing.h),)
$(BUILD)/test/hostile.vhost_user $(BUILD)/asan/hostile.vhost_user $(BUILD)/fuzz/fuzz.vhost_user: HOSTILE_LIBS = -luring -lpthread
$(eval $(call hostile,vhost_user,$(VHOST_USER_SRCS) $(VIRTQUEUE_SRCS)))
endif
