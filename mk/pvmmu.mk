# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvmmu/: the shadow engine, in an archive of its own beside libpvrom-host.
PVMMU_HOST_SRCS := pvmmu/shadow_entry.c pvmmu/shadow_pool.c pvmmu/shadow_walk.c pvmmu/shadow_sync.c \
	pvmmu/shadow_fault.c pvmmu/shadow_vcpu.c pvmmu/mmu_ring.c pvmmu/mmu_range.c \
	pvmmu/mmu_resident.c pvmmu/mmu_calls.c pvmmu/mmu_save.c

$(BUILD)/libpvrom-mmu-host.a: $(call objs,hosted,$(PVMMU_HOST_SRCS))
	$(MAKE_ARCHIVE)

# For hypervisors without a C library: the same sources, kernel-code flags.
$(BUILD)/free/libpvrom-mmu-host.a: $(call objs,free,$(PVMMU_HOST_SRCS))
	$(MAKE_ARCHIVE)

ALL_TARGETS += $(BUILD)/libpvrom-mmu-host.a $(BUILD)/free/libpvrom-mmu-host.a
