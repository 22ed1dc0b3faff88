# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# examples/: the smallest kernel with the shim in it and the smallest host with the handler in it.
TINY_KERNEL := $(BUILD)/examples/tiny-kernel.elf
TINY_HOST   := $(BUILD)/examples/tiny-host

# The functions of kernel_api.h and the callbacks of host.h are done here in a line or two each,
# which do not need every argument.
$(BUILD)/free/examples/kernel/%.o: FLAGS_FOR += -Wno-unused-parameter
$(BUILD)/hosted/examples/host/%.o: FLAGS_FOR += -Wno-unused-parameter

$(TINY_KERNEL): $(call objs,free,examples/kernel/tiny_boot.S examples/kernel/tiny_kernel.c) \
		$(BUILD)/libpvrom-guest.a examples/kernel/tiny.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,-z,max-page-size=4096 \
		-T examples/kernel/tiny.lds -o $@ $(filter %.o %.a,$^)

$(TINY_HOST): $(call objs,hosted,examples/host/tiny_host.c) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted)

ALL_TARGETS += $(TINY_KERNEL) $(TINY_HOST)

CHECK_QUICK += examples.small
TEST.examples.small = examples/check_small

# The same kernel file, natively in stock QEMU and under the tiny host.
CHECK += examples.run
TEST.examples.run       = examples/check_run $(TINY_KERNEL) $(TINY_HOST)
TEST_TIME.examples.run  = 240
TEST_SHARES.examples.run = yes
TEST_NEEDS.examples.run = $(TINY_KERNEL) $(TINY_HOST) $(LAB)
