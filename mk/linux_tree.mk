# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# linux/ in a Linux that is built here, with linux/patches; kept by `make clean`, as downloads are. debug: with lockdep and KASAN,
# for the module; patched: pvrom is built in.
LINUX_DEBUG   := $(BUILD)/download/linux-debug
LINUX_PATCHED := $(BUILD)/download/linux-patched
LINUX_BUILT   = tools/linux-built tools/linux-source tools/linux-tree $(wildcard linux/patches/*.patch) $(LINUX_SOURCE)/Kbuild
$(LINUX_DEBUG)/made: $(LINUX_BUILT) tests/linux/debug.config
	@tools/deps linux-built
	$(Q)BUILD=$(BUILD) tools/linux-built debug
	@touch $@
$(LINUX_PATCHED)/made: $(LINUX_BUILT) tests/linux/patched.config
	@tools/deps linux-built
	$(Q)BUILD=$(BUILD) tools/linux-built patched
	@touch $@

$(BUILD)/linux-debug/pvrom.ko: $(LINUX_DEBUG)/made $(LINUX_SOURCE)/Kbuild tools/linux-module
	$(call say,KBUILD,$@)
	$(Q)MAKE='$(MAKE)' KBUILD_CC=gcc-12 tools/linux-module $(LINUX_SOURCE) $(LINUX_DEBUG) $(BUILD)/linux-debug

# lockdep and KASAN: the kernel for it is built in four minutes of two CPUs. By themselves only: all that the devices do in it, and
# the one with pvrom built in, for check-long has its hour.
CHECK_LONG += linux.lockdep
$(eval $(call linux_bus,linux.lockdep,1,lockdep,400))
$(eval $(call linux_bus,linux.lockdep.all,1,lockdep_all,400))
TEST_NEEDS.linux.lockdep     += $(BUILD)/linux-debug/pvrom.ko
TEST_NEEDS.linux.lockdep.all += $(BUILD)/linux-debug/pvrom.ko
$(eval $(call linux_bus,linux.patched,1,patched,200))
TEST_NEEDS.linux.patched += $(LINUX_PATCHED)/made
