# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# linux/ in a Linux with lockdep and KASAN, which is built here; kept by `make clean`, as downloads are.
LINUX_DEBUG := $(BUILD)/download/linux-debug
$(LINUX_DEBUG)/made: tools/linux-debug tools/linux-source tests/linux/debug.config
	@tools/deps linux-debug
	$(Q)BUILD=$(BUILD) tools/linux-debug
	@touch $@

$(BUILD)/linux-debug/pvrom.ko: $(LINUX_DEBUG)/made $(LINUX_SOURCE)/Kbuild tools/linux-module
	$(call say,KBUILD,$@)
	$(Q)MAKE='$(MAKE)' KBUILD_CC=gcc-12 tools/linux-module $(LINUX_SOURCE) $(LINUX_DEBUG) $(BUILD)/linux-debug

# By itself only: make test-linux.lockdep.
$(eval $(call linux_bus,linux.lockdep,1,lockdep,400))
TEST_NEEDS.linux.lockdep += $(BUILD)/linux-debug/pvrom.ko
