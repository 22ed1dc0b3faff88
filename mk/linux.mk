# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# linux/: the module, built by Kbuild on the headers of the lab's Linux in a folder of its own, because Kbuild
# puts its output beside the sources.
LINUX_SRCS := $(sort $(wildcard linux/*.c linux/*.h)) linux/Kbuild
LINUX_SHARED = $(filter-out guest/mem_weak.c,$(INSTALL_SOURCES)) pvclock/clock_guest.c pvclock/clock_rate.c \
	$(sort $(wildcard pvclock/*.h pvclock/include/pvrom/*.h))
LINUX_HEADERS = $(BUILD)/lab/headers

$(BUILD)/lab/headers/release: $(BUILD)/lab/linux/release tools/lab-headers
	$(Q)BUILD=$(BUILD) tools/lab-headers
	@touch $@

$(BUILD)/linux/pvrom.ko: $(BUILD)/lab/headers/release $(LINUX_SRCS) $(LINUX_SHARED)
	$(call say,KBUILD,$@)
	$(Q)rm -rf $(BUILD)/linux && mkdir -p $(BUILD)/linux/pvrom
	$(Q)cp $(LINUX_SRCS) $(BUILD)/linux/
	$(Q)cp --parents $(sort $(LINUX_SHARED)) $(BUILD)/linux/pvrom/
	$(Q)$(MAKE) -C $(LINUX_HEADERS)/kernel M="$(abspath $(BUILD)/linux)" modules >$(BUILD)/linux/log 2>&1 || \
		{ cat $(BUILD)/linux/log; exit 1; }
	$(Q)! grep -i 'warning' $(BUILD)/linux/log

.PHONY: linux linux-now
linux-now: $(BUILD)/linux/pvrom.ko

$(BUILD)/tests/clock_facts: $(call objs,hosted,tests/linux/clock_facts.c)
	$(call LINK,hosted,-static)
$(BUILD)/tests/insert_module: $(call objs,hosted,tests/linux/insert_module.c)
	$(call LINK,hosted,-static)

LINUX_LAB = $(BUILD)/linux/pvrom.ko $(BUILD)/tests/clock_facts $(BUILD)/tests/insert_module $(BUILD)/pvrun $(BUILD)/pvrom.rom $(LAB) $(wildcard tests/linux/*)
CHECK += linux.module
TEST.linux.module       = tests/linux/linux_module_test 1 20 100
TEST_TIME.linux.module  = 120
TEST_NEEDS.linux.module = $(LINUX_LAB)
CHECK_LONG += linux.module.shadow linux.loads
TEST.linux.module.shadow       = tests/linux/linux_module_test 0 20 200
TEST_TIME.linux.module.shadow  = 230
TEST_NEEDS.linux.module.shadow = $(LINUX_LAB)
TEST.linux.loads       = tests/linux/linux_module_test 1 1000 500
TEST_TIME.linux.loads  = 530
TEST_NEEDS.linux.loads = $(LINUX_LAB)
