# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# guest/: the shim, as a freestanding archive.
include guest/sources.mk
GUEST_SRCS := $(PVROM_GUEST_SOURCES)

$(BUILD)/libpvrom-guest.a: $(call objs,free,$(GUEST_SRCS))
	$(MAKE_ARCHIVE)

ALL_TARGETS += $(BUILD)/libpvrom-guest.a
