# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvmmu/: the shadow engine, in an archive of its own beside libpvrom-host.
PVMMU_HOST_SRCS := pvmmu/shadow_entry.c pvmmu/shadow_pool.c pvmmu/shadow_walk.c pvmmu/shadow_value.c \
	pvmmu/shadow_sync.c pvmmu/shadow_new.c pvmmu/shadow_watch.c pvmmu/shadow_fault.c pvmmu/shadow_vcpu.c \
	pvmmu/mmu_ring.c pvmmu/mmu_tables.c pvmmu/mmu_range.c pvmmu/mmu_resident.c pvmmu/mmu_entries.c \
	pvmmu/mmu_calls.c pvmmu/mmu_features.c pvmmu/mmu_save.c

$(BUILD)/libpvrom-mmu-host.a: $(call objs,hosted,$(PVMMU_HOST_SRCS))
	$(MAKE_ARCHIVE)

# For hypervisors without a C library: the same sources, kernel-code flags.
$(BUILD)/free/libpvrom-mmu-host.a: $(call objs,free,$(PVMMU_HOST_SRCS))
	$(MAKE_ARCHIVE)

ALL_TARGETS += $(BUILD)/libpvrom-mmu-host.a $(BUILD)/free/libpvrom-mmu-host.a

# ---- the engine against an oracle and a TLB that forgets nothing (tests/mmu/) ---------------------------
MMU_WORLD_SRCS  := tests/mmu/mmu_world.c tests/mmu/mmu_world_run.c tests/mmu/mmu_world_judge.c \
	tests/mmu/mmu_tlb.c tests/mmu/mmu_oracle.c
MMU_ENGINE_SRCS := $(MMU_WORLD_SRCS) $(PVMMU_HOST_SRCS) $(HOST_SRCS) $(DIGEST_SRCS)
MMU_OS_SRCS     := tests/mmu/mmu_os.c tests/mmu/mmu_os_cpus.c
MMU_RANDOM_SRCS := tests/mmu/mmu_random.c tests/mmu/mmu_ops_pages.c tests/mmu/mmu_ops_tables.c \
	tests/mmu/mmu_ops_cpus.c tests/mmu/mmu_ops_host.c $(MMU_OS_SRCS) $(MMU_ENGINE_SRCS)
$(BUILD)/test/mmu_random: $(call objs,test,$(MMU_RANDOM_SRCS))
	$(call LINK,test,)
$(BUILD)/asan/mmu_random: $(call objs,asan,$(MMU_RANDOM_SRCS))
	$(call LINK,asan,)

CHECK_QUICK += mmu.random.quick
TEST.mmu.random.quick       = $(BUILD)/asan/mmu_random 20000
TEST_NEEDS.mmu.random.quick = $(BUILD)/asan/mmu_random
CHECK += mmu.random
TEST_SHARES.mmu.random = yes
TEST.mmu.random       = $(BUILD)/asan/mmu_random 100000
TEST_TIME.mmu.random  = 300
TEST_NEEDS.mmu.random = $(BUILD)/asan/mmu_random
# Every combination of flags.
$(BUILD)/test/mmu_flags: $(call objs,test,tests/mmu/mmu_flags.c $(MMU_OS_SRCS) $(MMU_ENGINE_SRCS))
	$(call LINK,test,)
CHECK += mmu.flags
TEST.mmu.flags       = $(BUILD)/test/mmu_flags
TEST_NEEDS.mmu.flags = $(BUILD)/test/mmu_flags
TEST_SHARES.mmu.flags = yes

CHECK += mmu.bugs
TEST.mmu.bugs       = tests/mmu/mmu_bugs_found $(BUILD)/test/mmu_random 400000
TEST_TIME.mmu.bugs  = 300
TEST_NEEDS.mmu.bugs = $(BUILD)/test/mmu_random
# The same for long, with a seed of the day, which is printed.
CHECK_LONG += mmu.random.long
TEST_SHARES.mmu.random.long = yes
TEST.mmu.random.long       = PVROM_SEED=$${SEED:-new} $(BUILD)/test/mmu_random 10000000
TEST_TIME.mmu.random.long  = 3000
TEST_NEEDS.mmu.random.long = $(BUILD)/test/mmu_random

$(eval $(call cunit,mmu.bad,tests/mmu/mmu_bad_test.c,$(MMU_OS_SRCS) $(MMU_ENGINE_SRCS)))
$(eval $(call cunit,mmu.calls,tests/mmu/mmu_calls_test.c,tests/random_calls.c $(MMU_OS_SRCS) $(MMU_ENGINE_SRCS)))

# Any bytes in tables, rings, registers and arguments.
$(eval $(call hostile,mmu,$(MMU_ENGINE_SRCS)))

# What a drain costs the host.
$(BUILD)/hosted/mmu_host: $(call objs,hosted,bench/mmu_host.c $(PVMMU_HOST_SRCS)) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)
BENCHES += bench-mmu-host
bench-mmu-host: $(BUILD)/hosted/mmu_host
	$(Q)BUILD=$(BUILD) bench/mmu_host_bench $<
.PHONY: bench-mmu-host
