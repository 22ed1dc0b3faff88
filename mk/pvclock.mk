# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvclock/: the clock, as one archive for each half, hosted and freestanding.
PVCLOCK_HOST_SRCS  := pvclock/clock_rate.c pvclock/clock_mono.c pvclock/clock_tai.c pvclock/clock_leap.c \
	pvclock/clock_writer.c pvclock/clock_area.c pvclock/clock_save.c pvclock/clock_feature.c
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
INSTALL_HEADERS += $(sort $(wildcard pvclock/include/pvrom/*.h))

# The adapters to other hosts' clocks.
$(eval $(call cunit,loop.clock_source,tests/loop/clock_source_test.c,$(PVCLOCK_GUEST_SRCS)))
