# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# linux/: the module, built by Kbuild on the headers of the lab's Linux in a folder of its own, because Kbuild
# puts its output beside the sources.
LINUX_SRCS := $(sort $(wildcard linux/*.c linux/*.h)) linux/Kbuild
LINUX_SHARED = $(filter-out guest/mem_weak.c,$(INSTALL_SOURCES)) pvclock/clock_guest.c pvclock/clock_rate.c \
	$(sort $(wildcard pvclock/*.h pvclock/include/pvrom/*.h)) $(sort $(wildcard feature-probe/*.[ch] feature-probe/include/pvrom/*.h)) \
	virtqueue/transport/bus_transport.c virtqueue/include/pvrom/virtio_guest.h
LINUX_HEADERS = $(BUILD)/lab/headers

$(BUILD)/lab/headers/release: $(BUILD)/lab/linux/release tools/lab-headers
	$(Q)BUILD=$(BUILD) tools/lab-headers
	@touch $@

# The module's own files, and the shim's in a folder beside them, as they are packed too.
LINUX_SOURCE = $(BUILD)/linux-source
$(LINUX_SOURCE)/Kbuild: $(LINUX_SRCS) $(LINUX_SHARED)
	$(Q)rm -rf $(LINUX_SOURCE) && mkdir -p $(LINUX_SOURCE)/pvrom
	$(Q)cp --parents $(sort $(LINUX_SHARED)) $(LINUX_SOURCE)/pvrom/
	$(Q)cp $(LINUX_SRCS) $(LINUX_SOURCE)/

$(BUILD)/linux/pvrom.ko: $(BUILD)/lab/headers/release $(LINUX_SOURCE)/Kbuild tools/linux-module
	$(call say,KBUILD,$@)
	$(Q)MAKE='$(MAKE)' tools/linux-module $(LINUX_SOURCE) $(LINUX_HEADERS) $(BUILD)/linux

# The same for DKMS, which looks under /usr/src: make install PREFIX=/usr, then dkms install pvrom/VERSION.
$(BUILD)/dkms.conf: linux/dkms.conf.in mk/version.mk
	@mkdir -p $(@D)
	$(Q)sed 's/@VERSION@/$(VERSION)/' $< >$@
ALL_TARGETS += $(BUILD)/dkms.conf
INSTALL_DKMS        = $(BUILD)/dkms.conf $(LINUX_SRCS)
INSTALL_DKMS_SHARED = $(sort $(LINUX_SHARED))

.PHONY: linux linux-now
linux-now: $(BUILD)/linux/pvrom.ko

$(BUILD)/hosted/tests/linux/clock_facts.o: FLAGS_FOR += -D_GNU_SOURCE
$(BUILD)/tests/clock_facts: $(call objs,hosted,tests/linux/clock_facts.c)
	$(call LINK,hosted,-static)
$(BUILD)/tests/insert_module: $(call objs,hosted,tests/linux/insert_module.c)
	$(call LINK,hosted,-static)
$(BUILD)/tests/kexec_linux: $(call objs,hosted,tests/linux/kexec_linux.c)
	$(call LINK,hosted,-static)

LINUX_LAB = $(BUILD)/linux/pvrom.ko $(BUILD)/tests/clock_facts $(BUILD)/tests/insert_module $(BUILD)/pvrun $(BUILD)/pvrom.rom $(LAB) $(wildcard tests/linux/*)
CHECK += linux.module
TEST.linux.module       = tests/linux/linux_module_test 1 20 240
TEST_TIME.linux.module  = 270
TEST_SHARES.linux.module = yes
TEST_NEEDS.linux.module = $(LINUX_LAB)
CHECK_LONG += linux.module.shadow linux.loads
TEST.linux.module.shadow       = tests/linux/linux_module_test 0 20 200
TEST_TIME.linux.module.shadow  = 230
TEST_NEEDS.linux.module.shadow = $(LINUX_LAB)
TEST.linux.loads       = tests/linux/linux_module_test 1 1000 500
TEST_TIME.linux.loads  = 530
TEST_NEEDS.linux.loads = $(LINUX_LAB)

# Other kernels' headers, and a path with a blank.
CHECK_LONG += linux.kernels
TEST.linux.kernels       = tests/linux/kernels_test
TEST_TIME.linux.kernels  = 400
TEST_SHARES.linux.kernels = yes
TEST_NEEDS.linux.kernels = $(BUILD)/linux/pvrom.ko

# By DKMS, in a Debian of its own.
CHECK_LONG += linux.dkms
TEST.linux.dkms       = tests/linux/dkms_test
TEST_TIME.linux.dkms  = 900
TEST_SHARES.linux.dkms = yes
TEST_NEEDS.linux.dkms = all $(BUILD)/lab/headers/release

# How it ends, and sleeps; where it finds a ROM; and the PCI ROMs, for which no KVM is needed.
LINUX_LIFE = $(LINUX_LAB) $(BUILD)/tests/kexec_linux
CHECK_LONG += linux.life linux.sleep linux.find linux.rom linux.stock_sleep
TEST.linux.life       = tests/linux/linux_life_test 1 500 life.sh
TEST_TIME.linux.life  = 530
TEST_SHARES.linux.life = yes
TEST_NEEDS.linux.life = $(LINUX_LIFE)
TEST.linux.sleep       = tests/linux/linux_life_test 1 700 sleep.sh
TEST_TIME.linux.sleep  = 730
TEST_SHARES.linux.sleep = yes
TEST_NEEDS.linux.sleep = $(LINUX_LIFE)
TEST.linux.find       = tests/linux/linux_life_test 1 200 find.sh
TEST_TIME.linux.find  = 230
TEST_SHARES.linux.find = yes
TEST_NEEDS.linux.find = $(LINUX_LIFE)
TEST.linux.rom       = tests/linux/pci_rom_test
TEST_TIME.linux.rom  = 400
TEST_SHARES.linux.rom = yes
TEST_NEEDS.linux.rom = $(BUILD)/linux/pvrom.ko $(BUILD)/tests/insert_module $(BUILD)/pvrom.rom $(LAB)
TEST.linux.stock_sleep        = tests/linux/stock_sleep_test
TEST_TIME.linux.stock_sleep   = 220
TEST_SHARES.linux.stock_sleep = yes
TEST_NEEDS.linux.stock_sleep  = $(TEST_NEEDS.linux.rom)
