# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# kernel/: the reference guest kernel with the compatibility suite.
KERNEL_ELF := $(BUILD)/kernel/pvrom-kernel.elf
# The order of the suite's files is the order of the facts.
KERNEL_SRCS := kernel/boot.S kernel/boot_ap.S kernel/boot_bare.S kernel/trap_entry.S \
	$(sort $(wildcard kernel/*.c)) $(sort $(wildcard kernel/suite/*.c)) \
	$(sort $(wildcard kernel/load/*.c)) $(sort $(wildcard kernel/net/*.c))

$(BUILD)/free/kernel/%.o: FLAGS_FOR += -Ikernel -Ikernel/suite -Ikernel/load -Ikernel/net $(KERNEL_FRAMES)
# Below each stack a page is not mapped: none of the kernel's own functions may step over it.
KERNEL_FRAMES := -Wframe-larger-than=3072

KERNEL_LINK = $(Q)$(CC) -nostdlib -static -Wl,-T,kernel/kernel.lds -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o $@ $(filter %.o %.a,$^)

$(KERNEL_ELF): $(call objs,free,$(KERNEL_SRCS)) $(BUILD)/free/libpvrom-clock-guest.a \
		$(BUILD)/libpvrom-mmu-guest.a $(BUILD)/free/libpvrom-probe.a $(BUILD)/free/libpvrom-blk-guest.a $(BUILD)/free/libpvrom-net-guest.a \
		$(BUILD)/libpvrom-guest.a kernel/kernel.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(KERNEL_LINK)

ALL_TARGETS += $(KERNEL_ELF)

CHECK_QUICK += kernel.privileged
TEST.kernel.privileged = tests/guests/kernel_privileged_test $(KERNEL_ELF)
TEST_NEEDS.kernel.privileged = $(KERNEL_ELF)

CHECK_QUICK += kernel.contexts
TEST.kernel.contexts = tests/guests/kernel_contexts_test $(KERNEL_ELF) $(BUILD)/libpvrom-guest.a
TEST_NEEDS.kernel.contexts = $(KERNEL_ELF) $(BUILD)/libpvrom-guest.a

CHECK += kernel.native
TEST.kernel.native = tests/guests/kernel_native_test $(KERNEL_ELF)
TEST_TIME.kernel.native = 300
TEST_SHARES.kernel.native = yes
TEST_NEEDS.kernel.native = $(KERNEL_ELF)

# The work load natively; and with the planted faults of test builds, which it must notice.
KERNEL_PLANTED := kernel/load/load_fault.c kernel/stacks.c
$(eval $(call variant,freetest,$$(CC),$$(FREE) -DPVROM_TEST))
$(BUILD)/freetest/kernel/%.o: FLAGS_FOR += -Ikernel -Ikernel/load $(KERNEL_FRAMES)
$(BUILD)/tests/pvrom-kernel-planted.elf: $(call objs,free,$(filter-out $(KERNEL_PLANTED),$(KERNEL_SRCS))) \
		$(call objs,freetest,$(KERNEL_PLANTED)) $(BUILD)/free/libpvrom-clock-guest.a \
		$(BUILD)/libpvrom-mmu-guest.a $(BUILD)/free/libpvrom-probe.a $(BUILD)/free/libpvrom-blk-guest.a $(BUILD)/free/libpvrom-net-guest.a \
		$(BUILD)/libpvrom-guest.a kernel/kernel.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(KERNEL_LINK)

CHECK += kernel.load
TEST.kernel.load = tests/guests/load_test $(KERNEL_ELF) $(BUILD)/tests/pvrom-kernel-planted.elf
TEST_TIME.kernel.load = 120
TEST_SHARES.kernel.load = yes
TEST_NEEDS.kernel.load = $(KERNEL_ELF) $(BUILD)/tests/pvrom-kernel-planted.elf

CHECK += kernel.stacks
TEST.kernel.stacks = tests/guests/kernel_stacks_test $(BUILD)/tests/pvrom-kernel-planted.elf
TEST_SHARES.kernel.stacks = yes
TEST_NEEDS.kernel.stacks = $(BUILD)/tests/pvrom-kernel-planted.elf
