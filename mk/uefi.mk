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

# On OVMF in QEMU, with a tool for the shell, and the application with a planted fault.
EFI_TOOL    := $(BUILD)/tests/efi-tool.efi
EFI_PLANTED := $(BUILD)/tests/pvrom-probe-planted.efi
$(EFI_TOOL): $(call objs,efi,tests/probe/efi_tool.c guest/mem_weak.c)
	$(MAKE_EFI)
$(EFI_TOOL): EFI_MORE = $(EFI_LOAD_LIB)
$(eval $(call variant,efitest,$$(CC),$(EFI_BUILT) -DPVROM_TEST -DPVROM_PLANTED))
$(EFI_PLANTED): $(call objs,efitest,feature-probe/uefi/probe_efi_main.c) $(call objs,efi,$(filter-out %/probe_efi_main.c,\
		$(PROBE_EFI_SRCS)) $(PROBE_CORE_SRCS) $(PVROM_GUEST_SOURCES))
	$(MAKE_EFI)
CHECK += probe.efi
EFI_FILES := $(PROBE_EFI) $(PROBE_ESP) $(BUILD)/pvrom-call.rom $(BUILD)/pvrom.rom $(EFI_TOOL) $(EFI_PLANTED) $(PROBE)
TEST.probe.efi       = tests/probe/efi_test $(EFI_FILES)
TEST_TIME.probe.efi  = 600
TEST_SHARES.probe.efi = yes
TEST_NEEDS.probe.efi = $(EFI_FILES)

# The application under a live host: on the made-up firmware, which any machine starts that starts a kernel.
EFI_GUEST := $(BUILD)/tests/efi-guest.elf
$(BUILD)/efi/tests/probe/efi_guest_boot.o: private FLAGS_FOR += -DAPPLICATION='"$(PROBE_EFI)"'
$(BUILD)/efi/tests/probe/efi_guest_boot.o: $(PROBE_EFI)
$(EFI_GUEST): $(call objs,efi,$(addprefix tests/probe/,efi_guest_boot.S efi_guest.c efi_made_up.c) guest/mem_weak.c) \
		tests/probe/efi_guest.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z noexecstack -z max-page-size=4096 --build-id=none --no-warn-rwx-segments \
		-T tests/probe/efi_guest.lds -o $@ $(filter %.o,$^)
CHECK += probe.efi_live
TEST.probe.efi_live       = tests/probe/efi_live_test $(EFI_GUEST) native rom-only hv-npt hv-plain hv-mmu
TEST_TIME.probe.efi_live  = 240
TEST_SHARES.probe.efi_live = yes
TEST_NEEDS.probe.efi_live = $(EFI_GUEST) $(BUILD)/disk-image $(BUILD)/pvrom.rom $(HYPERVISOR)
CHECK_LONG += probe.efi_kvm
TEST.probe.efi_kvm        = tests/probe/efi_live_test $(EFI_GUEST) kvm-npt kvm-shadow
TEST_TIME.probe.efi_kvm   = 400
TEST_SHARES.probe.efi_kvm = yes
TEST_NEEDS.probe.efi_kvm  = $(EFI_GUEST) $(BUILD)/disk-image $(BUILD)/pvrun $(LAB)
