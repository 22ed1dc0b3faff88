# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvclock/: the clock, as one archive for each half, hosted and freestanding.
PVCLOCK_HOST_SRCS  := pvclock/clock_rate.c pvclock/clock_mono.c pvclock/clock_tai.c pvclock/clock_leap.c \
	pvclock/clock_writer.c pvclock/clock_area.c pvclock/clock_save.c pvclock/clock_cmos.c pvclock/clock_feature.c \
	pvclock/clock_feature_save.c pvclock/clock_bugs.c
PVCLOCK_GUEST_SRCS := pvclock/clock_guest.c pvclock/clock_rate.c pvclock/clock_source.c pvclock/tsc_rate.c \
	pvclock/foreign_kvm.c pvclock/foreign_hyperv.c pvclock/foreign_math.c

$(BUILD)/libpvrom-clock-host.a: $(call objs,hosted,$(PVCLOCK_HOST_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-clock-host.a: $(call objs,free,$(PVCLOCK_HOST_SRCS))
	$(MAKE_ARCHIVE)
# For programs in user mode, and for kernels.
$(BUILD)/libpvrom-clock-guest.a: $(call objs,hosted,$(PVCLOCK_GUEST_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-clock-guest.a: $(call objs,free,$(PVCLOCK_GUEST_SRCS))
	$(MAKE_ARCHIVE)

ALL_TARGETS += $(BUILD)/libpvrom-clock-host.a $(BUILD)/free/libpvrom-clock-host.a \
	$(BUILD)/libpvrom-clock-guest.a $(BUILD)/free/libpvrom-clock-guest.a

# The adapters to other hosts' clocks.
$(eval $(call cunit,loop.clock_source,tests/loop/clock_source_test.c,\
	tests/loop/foreign_host.c $(PVCLOCK_GUEST_SRCS)))
$(eval $(call cunit,loop.clock_foreign,tests/loop/clock_foreign_test.c,\
	tests/loop/foreign_host.c $(PVCLOCK_GUEST_SRCS)))

# Both halves over one page.
PVCLOCK_TEST_SRCS := tests/loop/clock_world.c $(PVCLOCK_HOST_SRCS) pvclock/clock_guest.c host/access.c
$(eval $(call cunit,loop.clock,tests/loop/clock_loop.c,$(PVCLOCK_TEST_SRCS)))
$(eval $(call cunit,loop.clock_cmos,tests/loop/clock_cmos_test.c,pvclock/clock_cmos.c))
$(eval $(call cunit,loop.clock_leap,tests/loop/clock_leap_test.c,$(PVCLOCK_TEST_SRCS)))
$(eval $(call cunit,loop.clock_bad,tests/loop/clock_bad.c,$(PVCLOCK_TEST_SRCS)))

# The feature behind the host handler.
PVCLOCK_MACHINE_SRCS = tests/loop/clock_machine.c tests/loop/host_world.c $(HOST_SRCS) $(DIGEST_SRCS) \
	$(PVCLOCK_HOST_SRCS) pvclock/clock_guest.c
$(eval $(call cunit,loop.clock_calls,tests/loop/clock_calls_test.c,$(PVCLOCK_MACHINE_SRCS)))
$(eval $(call cunit,loop.clock_vcpu,tests/loop/clock_vcpu_test.c,$(PVCLOCK_MACHINE_SRCS)))

# Random calls of all groups, with the clock and the device bus behind the handler.
$(eval $(call cunit,loop.host_random,tests/loop/host_random.c,tests/loop/host_random_draw.c tests/random_calls.c $(HOST_TEST_SRCS) $(PVCLOCK_HOST_SRCS) virtqueue/transport/bus_host.c))

# Readers that race with a writer.
$(BUILD)/test/clock_race: $(call objs,test,tests/loop/clock_race.c $(PVCLOCK_HOST_SRCS) host/access.c \
		pvclock/clock_guest.c)
	$(call LINK,test,-lpthread)
CHECK += loop.clock_race
TEST.loop.clock_race            = $(BUILD)/test/clock_race 2000000
TEST_TIME.loop.clock_race       = 300
TEST_NEEDS.loop.clock_race      = $(BUILD)/test/clock_race
CHECK_LONG += loop.clock_race.long
TEST.loop.clock_race.long       = $(BUILD)/test/clock_race 100000000
TEST_TIME.loop.clock_race.long  = 1800
TEST_NEEDS.loop.clock_race.long = $(BUILD)/test/clock_race

# Random host histories, judged in exact rational arithmetic.
ifneq ($(wildcard /usr/include/gmp.h /usr/include/*/gmp.h),)
$(BUILD)/test/clock_histories: $(call objs,test,tests/model/clock_histories.c tests/model/clock_judge.c \
		$(PVCLOCK_HOST_SRCS) host/access.c)
	$(call LINK,test,-lgmp)
CHECK_QUICK += model.clock_histories
TEST.model.clock_histories       = $(BUILD)/test/clock_histories 50000
TEST_NEEDS.model.clock_histories = $(BUILD)/test/clock_histories
CHECK_QUICK += model.clock_bugs
TEST.model.clock_bugs       = tests/model/clock_bugs_check $(BUILD)/test/clock_histories
TEST_NEEDS.model.clock_bugs = $(BUILD)/test/clock_histories
CHECK_LONG += model.clock_histories.million
TEST_SHARES.model.clock_histories.million = yes
TEST.model.clock_histories.million       = $(BUILD)/test/clock_histories 1000000 $${SEED:-new}
TEST_TIME.model.clock_histories.million  = 600
TEST_NEEDS.model.clock_histories.million = $(BUILD)/test/clock_histories
else
$(call left_out,the judge of clock histories,libgmp-dev)
endif

# The sequence protocol, all orders that x86 allows.
$(eval $(call spin,model.clock_seq,tests/model/clock_seq.pml))

# ---- bench -----------------------------------------------------------------------------------
# The kernel's reads with the kernel's flags, so at a fixed address.
$(BUILD)/hosted/bench/clock_read.o: FLAGS_FOR += -fno-pic -fno-pie
$(BUILD)/hosted/clock_read: $(call objs,hosted,bench/clock_read.c) \
		$(call objs,free,bench/clock_read_kernel.c) $(BUILD)/libpvrom-clock-host.a \
		$(BUILD)/libpvrom-clock-guest.a $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,-no-pie)
BENCHES += bench-clock
bench-clock: $(BUILD)/hosted/clock_read
	$(Q)BUILD=$(BUILD) bench/clock_bench $<
.PHONY: bench-clock
