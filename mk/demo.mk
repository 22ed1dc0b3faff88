# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# make demo: the same kernel file on four machines.
DEMO_NEEDS   = $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/pvrom.rom $(LAB)
DEMO_COMMAND = BUILD=$(BUILD) tools/demo $(KERNEL_ELF)

CHECK_QUICK += tools.demo
TEST.tools.demo = tests/tools/demo_test

$(BUILD)/rom-image: $(call objs,hosted,tools/rom-image.c) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)
$(BUILD)/pvrom.rom: $(BUILD)/rom-image
	$(Q)$(BUILD)/rom-image $@
ALL_TARGETS += $(BUILD)/pvrom.rom
