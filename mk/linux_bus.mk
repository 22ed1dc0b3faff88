# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# linux/: its device bus under Linux's own virtio drivers, tested and measured.
LINUX_BUS_NEEDS = $(BUILD)/linux/pvrom.ko $(BUILD)/tests/clock_facts $(BUILD)/tests/insert_module $(BUILD)/disk_guest \
	$(BUILD)/pvrun $(BUILD)/pvrom-netd $(LAB) $(wildcard tests/linux/*)
CHECK += linux.bus
TEST.linux.bus       = tests/linux/linux_bus_test 1 all 240
TEST_TIME.linux.bus  = 270
TEST_NEEDS.linux.bus = $(LINUX_BUS_NEEDS)
TEST_SHARES.linux.bus = yes
CHECK_LONG += linux.bus.both linux.bus.saved linux.bus.asleep linux.bus.lies linux.bus.shadow
TEST.linux.bus.shadow       = tests/linux/linux_bus_test 0 asleep 200
TEST_TIME.linux.bus.shadow  = 230
TEST_NEEDS.linux.bus.shadow = $(LINUX_BUS_NEEDS)
TEST_SHARES.linux.bus.shadow = yes
TEST.linux.bus.both       = tests/linux/linux_bus_test 1 both 120
TEST_TIME.linux.bus.both  = 150
TEST_NEEDS.linux.bus.both = $(LINUX_BUS_NEEDS)
TEST_SHARES.linux.bus.both = yes
TEST.linux.bus.saved       = tests/linux/linux_bus_test 1 saved 200
TEST_TIME.linux.bus.saved  = 230
TEST_NEEDS.linux.bus.saved = $(LINUX_BUS_NEEDS)
TEST_SHARES.linux.bus.saved = yes

TEST.linux.bus.asleep       = tests/linux/linux_bus_test 1 asleep 120
TEST_TIME.linux.bus.asleep  = 150
TEST_NEEDS.linux.bus.asleep = $(LINUX_BUS_NEEDS)
TEST_SHARES.linux.bus.asleep = yes
TEST.linux.bus.lies       = tests/linux/linux_bus_test 1 lies 120
TEST_TIME.linux.bus.lies  = 150
TEST_NEEDS.linux.bus.lies = $(LINUX_BUS_NEEDS) $(BUILD)/test/pvrun
TEST_SHARES.linux.bus.lies = yes

BENCHES += bench-linux
bench-linux: $(LINUX_BUS_NEEDS)
	$(Q)BUILD=$(BUILD) bench/linux_bench
.PHONY: bench-linux
