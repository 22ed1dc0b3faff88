# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# guest/: the shim, as a freestanding archive.
include guest/sources.mk
GUEST_SRCS := $(PVROM_GUEST_SOURCES)

$(BUILD)/libpvrom-guest.a: $(call objs,free,$(GUEST_SRCS))
	$(MAKE_ARCHIVE)

ALL_TARGETS += $(BUILD)/libpvrom-guest.a

# Loop tests: the shim in an ordinary process. They bring their own instructions and memcpy.
GUEST_LOOP_SRCS := $(filter-out guest/insn.c guest/mem_weak.c,$(GUEST_SRCS))
GUEST_CHECK_SRCS := guest/check.c guest/call_info.c $(DIGEST_SRCS) tests/loop/rom_fixture.c
$(eval $(call cunit,loop.guest_check,tests/loop/guest_check_test.c,$(GUEST_CHECK_SRCS)))
GUEST_MACHINE_SRCS := $(GUEST_LOOP_SRCS) tests/loop/rom_fixture.c tests/loop/guest_machine.c \
	tests/loop/fake_host.c
$(eval $(call cunit,loop.guest_find,tests/loop/guest_find_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_patch,tests/loop/guest_patch_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_host,tests/loop/guest_host_test.c,$(GUEST_MACHINE_SRCS)))
