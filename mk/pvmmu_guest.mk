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
bench-mmu-now: $(KERNEL_ELF) $(BUILD)/disk-image $(BUILD)/pvrun $(HYPERVISOR) $(LAB)
	$(Q)BUILD=$(BUILD) bench/mmu_bench $(KERNEL_ELF)
.PHONY: bench-mmu bench-mmu-now

# What an entry costs its writer.
$(BUILD)/hosted/mmu_stores: $(call objs,hosted,bench/mmu_stores.c $(PVMMU_GUEST_SRCS))
	$(call LINK,hosted,)
BENCHES += bench-mmu-stores
bench-mmu-stores: $(BUILD)/hosted/mmu_stores
	$(Q)BUILD=$(BUILD) bench/mmu_store_bench $<
.PHONY: bench-mmu-stores

# ---- the guest half against the engine, in a process (tests/mmu/) ------------------------------------
PVMMU_GUEST_C := $(filter %.c,$(PVMMU_GUEST_SRCS))
MMU_GUEST_WORLD_SRCS := tests/mmu/mmu_guest_world.c $(MMU_WORLD_SRCS) $(PVMMU_HOST_SRCS) $(HOST_SRCS) $(DIGEST_SRCS)
MMU_GUEST_TEST_SRCS := $(PVMMU_GUEST_C) $(MMU_GUEST_WORLD_SRCS)
MMU_GUEST_CASES_SRCS := tests/mmu/mmu_guest_cases.c $(MMU_GUEST_TEST_SRCS)
$(eval $(call cunit,mmu.filter,tests/mmu/mmu_filter_test.c,$(MMU_GUEST_TEST_SRCS)))
$(eval $(call cunit,mmu.guest,tests/mmu/mmu_guest_test.c,$(MMU_GUEST_CASES_SRCS)))
$(eval $(call cunit,mmu.flushes,tests/mmu/mmu_flushes_test.c,$(MMU_GUEST_CASES_SRCS)))
$(eval $(call cunit,mmu.own_faults,tests/mmu/mmu_own_faults_test.c,$(MMU_GUEST_CASES_SRCS)))
$(eval $(call cunit,mmu.change,tests/mmu/mmu_change_test.c,$(MMU_GUEST_TEST_SRCS)))
# Compiled to call a function before each memory access; not linked with a sanitizer.
$(BUILD)/tsan/mmu.interrupts: $(call objs,tsan,tests/mmu/mmu_interrupt_test.c $(PVMMU_GUEST_C)) \
		$(call objs,test,tests/mmu/mmu_points.c tests/cunit_tap.c $(MMU_GUEST_WORLD_SRCS))
	$(call LINK,test,-lcunit)
CHECK_QUICK += mmu.interrupts
TEST.mmu.interrupts       = $(BUILD)/tsan/mmu.interrupts
TEST_NEEDS.mmu.interrupts = $(BUILD)/tsan/mmu.interrupts

MMU_GUEST_TESTS := $(addprefix $(BUILD)/test/mmu.,guest flushes own_faults filter change) $(BUILD)/tsan/mmu.interrupts
CHECK += mmu.guest_bugs
TEST.mmu.guest_bugs       = tests/mmu/mmu_guest_bugs_found $(MMU_GUEST_TESTS)
TEST_NEEDS.mmu.guest_bugs = $(MMU_GUEST_TESTS)
TEST_SHARES.mmu.guest_bugs = yes
