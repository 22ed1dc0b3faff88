# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Stock Linux in pvrun: minutes of the module's clocksource, exits of its boot.
$(BUILD)/hosted/tests/linux/clock_minutes.o: FLAGS_FOR += -D_GNU_SOURCE
$(BUILD)/tests/clock_minutes: $(call objs,hosted,tests/linux/clock_minutes.c)
	$(call LINK,hosted,-static -pthread)

LINUX_BOOT    = $(BUILD)/linux/pvrom.ko $(BUILD)/pvrun $(LAB)
LINUX_MINUTES = $(LINUX_BOOT) $(BUILD)/tests/clock_minutes
CHECK += linux.clock
TEST.linux.clock         = tests/linux/minutes_test 1 10 100
TEST_TIME.linux.clock    = 120
TEST_NEEDS.linux.clock   = $(LINUX_MINUTES)
TEST_SHARES.linux.clock  = yes
CHECK_LONG += linux.minutes
TEST.linux.minutes        = tests/linux/minutes_test 1 300 450
TEST_TIME.linux.minutes   = 480
TEST_NEEDS.linux.minutes  = $(LINUX_MINUTES)
TEST_SHARES.linux.minutes = yes

BENCHES += bench-linux-boot-now
bench-linux-boot:
	@tools/deps bench
	@$(MAKE) bench-linux-boot-now
bench-linux-boot-now: $(BUILD)/pvrun $(LAB)
	$(Q)BUILD=$(BUILD) bench/linux_boot_bench
.PHONY: bench-linux-boot bench-linux-boot-now
