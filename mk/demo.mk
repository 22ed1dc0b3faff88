# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# make demo: the same kernel file on all machines.
DEMO_NEEDS   = $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/pvrom.rom $(BUILD)/disk-image $(HYPERVISOR) $(LAB) \
	$(BUILD)/net-peer $(filter $(BUILD)/pvrom-netd,$(ALL_TARGETS))
DEMO_COMMAND = BUILD=$(BUILD) tools/demo --json $(BUILD)/demo.json $(KERNEL_ELF)

CHECK_QUICK += tools.demo
TEST.tools.demo = tests/tools/demo_test

$(BUILD)/rom-image: $(call objs,hosted,tools/rom-image.c) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)
$(BUILD)/pvrom.rom: $(BUILD)/rom-image
	$(Q)$(BUILD)/rom-image $@
ALL_TARGETS += $(BUILD)/pvrom.rom

# A disk of checksums for machines that have one.
$(BUILD)/disk-image: $(call objs,hosted,tools/disk-image.c)
	$(call LINK,hosted,)
ALL_TARGETS += $(BUILD)/disk-image

# What the demo shows, as tests: a line a fact; which clock; why the paravirtual MMU is off, on each machine.
# The operator's wish comes first, then nested paging, then ownership.
DEMO_DISK = $(if $(call have_header,liburing.h),--expect 'kvm-npt:disk=pvrom bus' --expect 'kvm-shadow:disk=virtio-mmio')
DEMO_NET = --expect 'native:net=virtio-pci' --expect 'rom-only:net=virtio-pci' $(if $(and $(call have_header,liburing.h),$(call \
	have_header,slirp/libslirp.h)),--expect 'kvm-npt:net=pvrom bus' --expect 'kvm-shadow:net=virtio-mmio')
CHECK += demo
CHECK_LONG += demo.operator
TEST.demo = tools/demo --tap --dir $(BUILD)/demo.check \
	--expect 'native:disk=virtio-pci' --expect 'rom-only:disk=virtio-pci' \
	--expect 'native:mmu=off no ROM' --expect 'rom-only:mmu=off ROM without host' \
	--expect 'native:clock-source=measured TSC' --expect 'kvm-npt:clock-source=pvrom clock page' \
	--expect 'kvm-shadow:clock-source=pvrom clock page' --expect 'hv-npt:clock-source=pvrom clock page' \
	--expect 'hv-mmu:clock-source=pvrom clock page' \
	--expect 'kvm-npt:cpu=on' $(DEMO_DISK) $(DEMO_NET) --expect 'kvm-npt:mmu=off nested paging present' \
	--expect 'kvm-shadow:cpu=on' --expect 'kvm-shadow:mmu=off not owned by this host' \
	--expect 'hv-npt:alarm=on' --expect 'hv-npt:mmu=off nested paging present' \
	--expect 'hv-plain:mmu=off switched off by the operator' \
	--expect 'hv-mmu:mmu=on' --expect 'hv-mmu:mmu-fault=on' $(KERNEL_ELF)
TEST_TIME.demo          = 360
TEST_NEEDS.demo         = $(DEMO_NEEDS)
TEST.demo.operator      = tools/demo --tap --dir $(BUILD)/demo.operator \
	--machines native,kvm-npt,kvm-shadow --pvrun '--feature -mmu --feature -alarm' \
	--expect 'kvm-npt:mmu=off switched off by the operator' --expect 'kvm-npt:irq=on' \
	--expect 'kvm-shadow:mmu=off switched off by the operator' \
	--expect 'kvm-shadow:alarm=off switched off by the operator' $(KERNEL_ELF)
TEST_TIME.demo.operator  = 240
TEST_NEEDS.demo.operator = $(DEMO_NEEDS)
