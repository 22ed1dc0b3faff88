# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/contract: the headers of abi/ alone, against the golden list and the rules for them.
CHECK_QUICK += contract.golden contract.rules contract.headers
TEST.contract.golden  = tests/contract/golden_check
TEST.contract.rules   = tests/contract/rules_check
TEST.contract.headers = tests/contract/headers_alone

# Writes the golden list anew, after a deliberate change of the interface.
golden:
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/contract/golden_update
.PHONY: golden

# The images that the handler builds, read by a second reader, and their text, disassembled.
CONTRACT_ROM := $(BUILD)/test/contract.rom
$(CONTRACT_ROM): $(call objs,test,tests/contract/rom_image_test.c tests/contract/rom_judge.c \
		tests/cunit_tap.c) $(BUILD)/libpvrom-host.a
	$(call LINK,test,-lcunit)

CHECK_QUICK += contract.rom contract.text
TEST.contract.rom        = $(CONTRACT_ROM)
TEST_NEEDS.contract.rom  = $(CONTRACT_ROM)
TEST.contract.text       = tests/contract/rom_text_check $(CONTRACT_ROM)
TEST_NEEDS.contract.text = $(CONTRACT_ROM)

# The call sites of the kernels in this tree, as compiled.
SITE_KERNELS := $(BUILD)/examples/tiny-kernel.elf $(BUILD)/kernel/pvrom-kernel.elf
CHECK_QUICK += contract.sites
TEST.contract.sites       = tests/contract/sites_check $(SITE_KERNELS)
TEST_NEEDS.contract.sites = $(SITE_KERNELS)

# A guest that speaks to both hosts of this tree without the shim.
WIRE_KERNEL := $(BUILD)/contract/wire-kernel.elf
$(WIRE_KERNEL): $(call objs,free,examples/kernel/tiny_boot.S tests/contract/wire_kernel.c) \
		examples/kernel/tiny.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,-z,max-page-size=4096 \
		-T examples/kernel/tiny.lds -o $@ $(filter %.o,$^)

CHECK += contract.wire.pvrun contract.wire.tiny
TEST_SHARES.contract.wire.pvrun = yes
TEST_SHARES.contract.wire.tiny  = yes
TEST.contract.wire.pvrun       = tests/contract/wire_check $(WIRE_KERNEL) pvrun 0 $(BUILD)/pvrun --cpus 2
TEST_NEEDS.contract.wire.pvrun = $(WIRE_KERNEL) $(BUILD)/pvrun $(LAB)
TEST.contract.wire.tiny        = tests/contract/wire_check $(WIRE_KERNEL) tiny 1 $(BUILD)/examples/tiny-host
TEST_NEEDS.contract.wire.tiny  = $(WIRE_KERNEL) $(BUILD)/examples/tiny-host $(LAB)

CHECK_LONG += contract.wire.bugs
TEST_SHARES.contract.wire.bugs = yes
TEST.contract.wire.bugs       = tests/contract/wire_bugs_check $(WIRE_KERNEL) $(BUILD)/test/pvrun
TEST_TIME.contract.wire.bugs  = 400
TEST_NEEDS.contract.wire.bugs = $(WIRE_KERNEL) $(BUILD)/test/pvrun $(LAB)
