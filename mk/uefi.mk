# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/probe/: what is about UEFI. Read after the fragments of all that is linked here.
# In a process, on a made-up firmware, with the host's half behind it.
EFI_WORLD_SRCS := tests/probe/efi_world.c tests/probe/efi_made_up.c $(filter-out %/probe_efi_pages.c,$(PROBE_EFI_SRCS)) \
	$(PROBE_CORE_SRCS) $(filter-out guest/insn.c guest/mem_weak.c,$(PVROM_GUEST_SOURCES)) $(HOST_SRCS) $(PVCLOCK_HOST_SRCS)
$(foreach v,test alt asan ndebug,$(BUILD)/$(v)/feature-probe/uefi/%.o $(BUILD)/$(v)/tests/probe/efi_%.o \
	$(BUILD)/$(v)/tests/probe/probe_efi_%.o): FLAGS_FOR += $(EFI_FLAGS)
$(BUILD)/lint/tests/probe/%.ok: FLAGS_FOR += $(EFI_FLAGS)
ifneq ($(wildcard $(EFI_INCLUDE)/efi.h),)
$(eval $(call cunit,probe.efi_face,tests/probe/probe_efi_face_test.c,$(EFI_WORLD_SRCS)))
$(eval $(call cunit,probe.efi_rom,tests/probe/probe_efi_rom_test.c,$(EFI_WORLD_SRCS)))
$(eval $(call cunit,probe.efi_try,tests/probe/probe_efi_try_test.c,$(EFI_WORLD_SRCS)))
endif

# On OVMF in QEMU.
CHECK += probe.efi
TEST.probe.efi       = tests/probe/efi_test $(PROBE_EFI) $(PROBE_ESP) $(BUILD)/pvrom-call.rom $(BUILD)/pvrom.rom
TEST_TIME.probe.efi  = 300
TEST_SHARES.probe.efi = yes
TEST_NEEDS.probe.efi = $(PROBE_EFI) $(PROBE_ESP) $(BUILD)/pvrom-call.rom $(BUILD)/pvrom.rom
