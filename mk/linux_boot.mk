# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Stock Linux in pvrun: Debian from its disk, minutes of the module's clocksource, exits of its boot.
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

# An ordinary Debian; kept by `make clean`, for it is all downloads.
DEBIAN := $(BUILD)/download/debian/made
$(DEBIAN): $(BUILD)/lab/linux/release tools/linux-image
	$(Q)BUILD=$(BUILD) tools/linux-image
	@touch $@

CHECK_LONG += linux.debian linux.debian.shadow
TEST.linux.debian        = tests/linux/debian_test 1 1200 debian_login.sh
TEST_TIME.linux.debian   = 1230
TEST_NEEDS.linux.debian  = $(LINUX_BOOT) $(DEBIAN)
TEST_SHARES.linux.debian = yes
# The same with nested paging off, booted once: check-long has its hour.
TEST.linux.debian.shadow        = tests/linux/debian_test 0 2400 debian_login.sh BOOTS=1
TEST_TIME.linux.debian.shadow   = 2430
TEST_NEEDS.linux.debian.shadow  = $(LINUX_BOOT) $(DEBIAN)
TEST_SHARES.linux.debian.shadow = yes
CHECK_LONG += linux.stress
TEST.linux.stress        = tests/linux/debian_test 1 1200 debian_stress.sh SECONDS_EACH=15 MEGABYTES=16
TEST_TIME.linux.stress   = 1230
TEST_NEEDS.linux.stress  = $(LINUX_BOOT) $(DEBIAN)
TEST_SHARES.linux.stress = yes

BENCHES += bench-linux-boot-now
bench-linux-boot:
	@tools/deps bench
	@$(MAKE) bench-linux-boot-now
	$(Q)BUILD=$(BUILD) bench/limits_check linux.boot linux.log
bench-linux-boot-now: $(BUILD)/pvrun $(LAB)
	$(Q)BUILD=$(BUILD) bench/linux_boot_bench
.PHONY: bench-linux-boot bench-linux-boot-now
