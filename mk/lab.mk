# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The lab: a Linux with a working KVM inside QEMU (tools/lab-run), on any machine.
# LAB is what a test that calls tools/lab-run puts in its TEST_NEEDS.
LAB := $(BUILD)/lab/base.cpio $(BUILD)/kvm-works $(BUILD)/tsc-khz

.PHONY: lab
lab: $(LAB)

$(BUILD)/lab/linux/release: tools/lab-kernel
	@mkdir -p $(@D)
	$(Q)BUILD=$(BUILD) tools/lab-kernel
	@touch $@

$(BUILD)/lab/base.cpio: $(BUILD)/lab/linux/release tests/lab/init tools/lab-initrd $(BUILD)/kvm-hold
	$(call say,CPIO,$@)
	$(Q)BUILD=$(BUILD) tools/lab-initrd

# Static: they run inside the lab, which has no C library.
$(BUILD)/kvm-works: $(call objs,hosted,tools/kvm-works.c tools/kvm_trial.c)
	$(call LINK,hosted,-static)
$(BUILD)/kvm-hold: $(call objs,hosted,tools/kvm-hold.c)
	$(call LINK,hosted,-static)
$(BUILD)/tsc-khz: $(call objs,hosted,tools/tsc-khz.c)
	$(call LINK,hosted)
ALL_TARGETS += $(BUILD)/kvm-works $(BUILD)/kvm-hold $(BUILD)/tsc-khz

CHECK += lab.npt lab.shadow lab.run
TEST.lab.npt         = tests/lab/lab_kvm_test 1
TEST_NEEDS.lab.npt   = $(LAB)
TEST.lab.shadow      = tests/lab/lab_kvm_test 0
TEST_NEEDS.lab.shadow = $(LAB)
TEST.lab.run         = tests/lab/lab_run_test
TEST_NEEDS.lab.run   = $(LAB)
TEST_SHARES.lab.npt = yes
TEST_SHARES.lab.shadow = yes
TEST_SHARES.lab.run = yes
