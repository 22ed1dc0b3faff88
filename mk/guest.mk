# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# guest/: the shim, as a freestanding archive.
include guest/sources.mk
GUEST_SRCS := $(PVROM_GUEST_SOURCES)

$(BUILD)/libpvrom-guest.a: $(call objs,free,$(GUEST_SRCS))
	$(MAKE_ARCHIVE)

ALL_TARGETS += $(BUILD)/libpvrom-guest.a

$(eval $(call cunit,unit.mem_weak,tests/unit/mem_weak_test.c))

# Once more with a call of the sanitizer's before each load, as Linux's KASAN has it; only gcc's can.
$(BUILD)/%/tests/unit/hypercall_test.o: FLAGS_FOR += -D_GNU_SOURCE
$(eval $(call cunit,unit.hypercall,tests/unit/hypercall_test.c,guest/insn.c))
$(eval $(call variant,asancalls,gcc,$$(HOSTED) -DPVROM_TEST -fsanitize=address --param asan-instrumentation-with-call-threshold=0))
LINK_CC.asancalls = gcc -fsanitize=address
$(eval $(call cunit_one,asancalls,unit.hypercall,tests/unit/hypercall_test.c,guest/insn.c,.asancalls))

# Loop tests: the shim in an ordinary process. They bring their own instructions and memcpy.
GUEST_LOOP_SRCS := $(filter-out guest/insn.c guest/mem_weak.c,$(GUEST_SRCS))
GUEST_CHECK_SRCS := guest/check.c guest/call_info.c $(DIGEST_SRCS) tests/loop/rom_fixture.c
$(eval $(call cunit,loop.guest_check,tests/loop/guest_check_test.c,$(GUEST_CHECK_SRCS)))
GUEST_MACHINE_SRCS := $(GUEST_LOOP_SRCS) tests/loop/rom_fixture.c tests/loop/guest_machine.c \
	tests/loop/fake_host.c
$(eval $(call cunit,loop.guest_find,tests/loop/guest_find_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_firmware,tests/loop/guest_firmware_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_load,tests/loop/guest_load_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_patch,tests/loop/guest_patch_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_repatch,tests/loop/guest_repatch_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_text,tests/loop/guest_text_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_host,tests/loop/guest_host_test.c,$(GUEST_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_change,tests/loop/guest_change_test.c,$(GUEST_MACHINE_SRCS)))

# A native site costs what the bare instruction costs; and the shim compiles wherever kernels do.
CHECK_QUICK += loop.guest_cost
CHECK += loop.guest_build
TEST.loop.guest_cost       = tests/loop/guest_cost '$(CC)' $(if $(ALT_CC),'$(notdir $(ALT_CC))')
TEST_NEEDS.loop.guest_cost = guest/include/pvrom/sites.h
TEST.loop.guest_build       = tests/loop/guest_build $(BUILD)/libpvrom-guest.a '$(CC)' \
	$(if $(ALT_CC),'$(notdir $(ALT_CC))')
TEST_TIME.loop.guest_build  = 180
TEST_SHARES.loop.guest_build = yes
TEST_NEEDS.loop.guest_build = $(BUILD)/libpvrom-guest.a
