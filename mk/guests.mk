# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/guests: the reference kernel on running machines that are not well.
$(BUILD)/pvrom-call.rom: $(BUILD)/rom-image
	$(call say,ROM,$@)
	$(Q)$(BUILD)/rom-image call $@

CHECK += guests.refusals guests.refusals_kvm
TEST.guests.refusals           = tests/guests/refusals_test stock $(KERNEL_ELF)
TEST_TIME.guests.refusals      = 200
TEST_SHARES.guests.refusals    = yes
TEST_NEEDS.guests.refusals     = $(KERNEL_ELF) $(BUILD)/pvrom-call.rom
TEST.guests.refusals_kvm       = tests/guests/refusals_test lab $(KERNEL_ELF)
TEST_TIME.guests.refusals_kvm  = 400
TEST_SHARES.guests.refusals_kvm = yes
TEST_NEEDS.guests.refusals_kvm = $(KERNEL_ELF) $(BUILD)/pvrom-call.rom $(BUILD)/pvrun $(BUILD)/test/pvrun $(LAB)

# Each form on one of the machines (normally served both are in the demo's own test); all the rest in check-long.
SLOTS_0      := call:4,native:1
SLOTS_1      := inline:4,normal:2
SLOTS_LONG   := normal:1,normal:4,native:2,native:4,inline:1,inline:2,call:1,call:2
SLOTS_LONG_0 := $(SLOTS_1),$(SLOTS_LONG)
SLOTS_LONG_1 := $(SLOTS_0),$(SLOTS_LONG)
define SLOTS_TEST
TEST.guests.slots$(1)_$(2)       = tests/guests/slots_test $(2) $(3) $$(KERNEL_ELF)
TEST_TIME.guests.slots$(1)_$(2)  = $(4)
TEST_SHARES.guests.slots$(1)_$(2) = yes
TEST_NEEDS.guests.slots$(1)_$(2) = $$(KERNEL_ELF) $$(BUILD)/pvrun $$(LAB)
endef
$(foreach npt,0 1,$(eval $(call SLOTS_TEST,,$(npt),$(SLOTS_$(npt)),300)))
$(foreach npt,0 1,$(eval $(call SLOTS_TEST,_long,$(npt),$(SLOTS_LONG_$(npt)),1100)))
CHECK += guests.slots_0 guests.slots_1
CHECK_LONG += guests.slots_long_0 guests.slots_long_1

# Some of these bugs make the kernel wait for seconds; the loop tests find all of them in `make check`.
CHECK_LONG += guests.bugs
TEST.guests.bugs       = tests/guests/bugs_test $(KERNEL_ELF)
TEST_TIME.guests.bugs  = 560
TEST_NEEDS.guests.bugs = $(KERNEL_ELF) $(BUILD)/test/pvrun $(LAB)

CHECK += guests.routes
TEST.guests.routes       = tests/guests/routes_test $(KERNEL_ELF)
TEST_TIME.guests.routes  = 400
TEST_SHARES.guests.routes = yes
TEST_NEEDS.guests.routes = $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/pvrom-call.rom $(LAB)

# The kernel's clock on every source of time that there is. QEMU goes into the lab too, with its libraries.
$(BUILD)/tests/set_clock: $(call objs,hosted,tests/guests/set_clock.c)
	$(call LINK,hosted,-static)
CHECK += guests.clock guests.clock_kvm
TEST.guests.clock           = tests/guests/clock_sources_test stock $(KERNEL_ELF)
TEST_TIME.guests.clock      = 90
TEST_NEEDS.guests.clock     = $(KERNEL_ELF)
TEST.guests.clock_kvm       = tests/guests/clock_sources_test lab $(KERNEL_ELF)
TEST_TIME.guests.clock_kvm  = 300
TEST_NEEDS.guests.clock_kvm = $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/tests/set_clock $(LAB)
CHECK += guests.clock_host guests.saved
CHECK_LONG += guests.saved_suite
CLOCK_HOST_NEEDS = $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/tests/set_clock $(LAB)
TEST.guests.clock_host        = tests/guests/clock_host_test host $(KERNEL_ELF)
TEST_TIME.guests.clock_host   = 300
TEST_NEEDS.guests.clock_host  = $(CLOCK_HOST_NEEDS)
TEST.guests.saved             = tests/guests/clock_host_test saved $(KERNEL_ELF)
TEST_TIME.guests.saved        = 300
TEST_SHARES.guests.saved      = yes
TEST_NEEDS.guests.saved       = $(CLOCK_HOST_NEEDS)
TEST.guests.saved_suite       = tests/guests/clock_host_test suite $(KERNEL_ELF)
TEST_TIME.guests.saved_suite  = 300
TEST_NEEDS.guests.saved_suite = $(CLOCK_HOST_NEEDS)
