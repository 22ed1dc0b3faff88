# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# hypervisor/: a small SVM hypervisor that embeds host/; stock QEMU boots it (-kernel), the guest's
# kernel is its module (-initrd).
HYPERVISOR      := $(BUILD)/hypervisor/pvrom-hypervisor.elf
HYPERVISOR_SRCS := hypervisor/hv_boot.S hypervisor/hv_enter.S $(sort $(wildcard hypervisor/*.c))

# A callback takes what its type says, needed or not.
$(BUILD)/free/hypervisor/%.o: FLAGS_FOR += -Wno-unused-parameter

HYPERVISOR_LIBS := $(BUILD)/free/libpvrom-mmu-host.a $(BUILD)/free/libpvrom-clock-host.a \
	$(BUILD)/free/libpvrom-host.a hypervisor/hypervisor.lds
define HYPERVISOR_LINK
@mkdir -p $(@D)
$(call say,LD,$@)
$(Q)$(CC) -nostdlib -static -Wl,-T,hypervisor/hypervisor.lds -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o $@ $(filter %.o %.a,$^)
endef
$(HYPERVISOR): $(call objs,free,$(HYPERVISOR_SRCS)) $(HYPERVISOR_LIBS)
	$(HYPERVISOR_LINK)

ALL_TARGETS += $(HYPERVISOR)

# The same facts with fewer CPUs; with four they are part of the demo's own test.
HYPERVISOR_MACHINES := native,hv-npt,hv-plain,hv-mmu
define HYPERVISOR_TEST
CHECK += hypervisor.cpus$(1)
TEST.hypervisor.cpus$(1)       = tools/demo --tap --cpus $(1) --machines $$(HYPERVISOR_MACHINES) \
	--expect 'hv-npt:clock=on' --expect 'hv-npt:mmu=off nested paging present' --expect 'hv-mmu:mmu=on' \
	--expect 'hv-plain:mmu=off switched off by the operator' \
	--dir $$(BUILD)/hypervisor.cpus$(1) $$(KERNEL_ELF)
TEST_TIME.hypervisor.cpus$(1)  = 240
TEST_SHARES.hypervisor.cpus$(1) = yes
TEST_NEEDS.hypervisor.cpus$(1) = $$(KERNEL_ELF) $$(BUILD)/disk-image $$(HYPERVISOR)
endef
$(foreach cpus,1 2,$(eval $(call HYPERVISOR_TEST,$(cpus))))

# Slots in every form.
CHECK += hypervisor.slots
TEST.hypervisor.slots       = tests/guests/hv_slots_test $(KERNEL_ELF)
TEST_TIME.hypervisor.slots  = 300
TEST_SHARES.hypervisor.slots = yes
TEST_NEEDS.hypervisor.slots = $(KERNEL_ELF) $(BUILD)/disk-image $(HYPERVISOR)

# The machine changes under its guest.
CHECK += hypervisor.change
TEST.hypervisor.change            = tests/guests/change_test quick $(KERNEL_ELF)
TEST_TIME.hypervisor.change       = 600
TEST_SHARES.hypervisor.change     = yes
TEST_NEEDS.hypervisor.change      = $(KERNEL_ELF) $(BUILD)/disk-image $(HYPERVISOR)
CHECK_LONG += hypervisor.change.long
TEST.hypervisor.change.long       = tests/guests/change_test long $(KERNEL_ELF)
TEST_TIME.hypervisor.change.long  = 5400
TEST_SHARES.hypervisor.change.long = yes
TEST_NEEDS.hypervisor.change.long = $(KERNEL_ELF) $(BUILD)/disk-image $(HYPERVISOR)

# Its words; and a guest whose faults come straight to it, with the planted fault of the test build.
HYPERVISOR_PLANTED := $(BUILD)/tests/pvrom-hypervisor-planted.elf
# Callbacks, as above.
$(BUILD)/freetest/hypervisor/%.o: FLAGS_FOR += -Wno-unused-parameter
$(HYPERVISOR_PLANTED): $(call objs,free,$(filter-out %/hv_shadow.c,$(HYPERVISOR_SRCS))) \
		$(BUILD)/freetest/hypervisor/hv_shadow.o $(HYPERVISOR_LIBS)
	$(HYPERVISOR_LINK)
CHECK += hypervisor.words
TEST.hypervisor.words       = tests/guests/hypervisor_test $(KERNEL_ELF) $(HYPERVISOR_PLANTED)
TEST_TIME.hypervisor.words  = 240
TEST_SHARES.hypervisor.words = yes
TEST_NEEDS.hypervisor.words = $(KERNEL_ELF) $(BUILD)/disk-image $(HYPERVISOR) $(HYPERVISOR_PLANTED)
