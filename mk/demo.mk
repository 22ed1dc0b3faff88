# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# make demo: the same kernel file on four machines.
DEMO_NEEDS   = $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/pvrom.rom $(LAB)
DEMO_COMMAND = BUILD=$(BUILD) tools/demo $(KERNEL_ELF)

CHECK_QUICK += tools.demo
TEST.tools.demo = tests/tools/demo_test
