# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# linux/: its device bus under Linux's own virtio drivers, tested and measured.
LINUX_BUS_NEEDS = $(BUILD)/linux/pvrom.ko $(BUILD)/tests/clock_facts $(BUILD)/tests/insert_module $(BUILD)/disk_guest \
	$(BUILD)/pvrun $(BUILD)/pvrom-netd $(LAB) $(wildcard tests/linux/*)
# $(eval $(call linux_bus,GROUP,NPT,PART,SECONDS)): a part of the test as a group; SECONDS are the lab's, and 30 more the test's.
define linux_bus
TEST.$(1)        = tests/linux/linux_bus_test $(2) $(3) $(4)
TEST_TIME.$(1)   = $(shell expr $(4) + 30)
TEST_NEEDS.$(1)  = $$(LINUX_BUS_NEEDS)
TEST_SHARES.$(1) = yes
endef
CHECK += linux.bus linux.shadow
$(eval $(call linux_bus,linux.bus,1,all,240))
$(eval $(call linux_bus,linux.shadow,0,brief,270))
CHECK_LONG += linux.bus.both linux.bus.saved linux.bus.taken linux.bus.asleep linux.bus.s3 linux.bus.s3.shadow linux.bus.s3.saved linux.bus.lies
CHECK_LONG += linux.kick linux.bus.debug linux.bus.shadow linux.bus.shadow.asleep
$(eval $(call linux_bus,linux.kick,1,kick,300))
$(eval $(call linux_bus,linux.bus.both,1,both,120))
$(eval $(call linux_bus,linux.bus.saved,1,saved,200))
$(eval $(call linux_bus,linux.bus.taken,1,taken,150))
$(eval $(call linux_bus,linux.bus.asleep,1,asleep,120))
$(eval $(call linux_bus,linux.bus.s3,1,s3,300))
$(eval $(call linux_bus,linux.bus.s3.shadow,0,s3,400))
$(eval $(call linux_bus,linux.bus.s3.saved,1,s3_saved,300))
$(eval $(call linux_bus,linux.bus.lies,1,lies,120))
TEST_NEEDS.linux.bus.lies += $(BUILD)/test/pvrun
$(eval $(call linux_bus,linux.bus.debug,1,debug,900))
$(eval $(call linux_bus,linux.bus.shadow,0,all,900))
$(eval $(call linux_bus,linux.bus.shadow.asleep,0,asleep,200))

BENCHES += bench-linux-now
# By itself it judges its own figures; make bench does at its end.
bench-linux:
	@tools/deps bench
	@$(MAKE) bench-linux-now
	$(Q)BUILD=$(BUILD) bench/limits_check linux.disk linux.ping linux.clock linux.load
bench-linux-now: $(LINUX_BUS_NEEDS)
	$(Q)BUILD=$(BUILD) bench/linux_bench
.PHONY: bench-linux bench-linux-now
