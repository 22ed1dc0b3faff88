# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvmmu/, the guest half: freestanding, like the shim that it stands on.
PVMMU_GUEST_SRCS := pvmmu/mmu_guest.c pvmmu/mmu_words.c pvmmu/mmu_flushes.c pvmmu/mmu_filter.c \
	pvmmu/mmu_sites.S

$(BUILD)/libpvrom-mmu-guest.a: $(call objs,free,$(PVMMU_GUEST_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-mmu-guest.a

# ---- bench -----------------------------------------------------------------------------------
# The work load on address spaces: exits under KVM and under hypervisor/.
BENCHES += bench-mmu-now
bench-mmu:
	@tools/deps bench
	@$(MAKE) bench-mmu-now
bench-mmu-now: $(KERNEL_ELF) $(BUILD)/pvrun $(HYPERVISOR) $(LAB)
	$(Q)BUILD=$(BUILD) bench/mmu_bench $(KERNEL_ELF)
.PHONY: bench-mmu bench-mmu-now
