# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# examples/uefi/: a boot loader's part, with gnu-efi and its library. Read after probe_efi.mk, which finds gnu-efi.
EFI_LOAD     := $(BUILD)/examples/pvrom-load.efi
EFI_LOAD_LIB := $(firstword $(wildcard /usr/lib/libefi.a /usr/lib/gnuefi/libefi.a))
$(EFI_LOAD): $(BUILD)/efi/examples/uefi/pvrom_load.o $(BUILD)/efi/examples/uefi/pvrom_load_jump.o \
		$(BUILD)/efi/guest/mem_weak.o
	$(MAKE_EFI)
$(EFI_LOAD): EFI_MORE = $(EFI_LOAD_LIB)
$(BUILD)/lint/examples/uefi/%.ok: FLAGS_FOR += $(EFI_FLAGS)
ifneq ($(and $(EFI_CRT0),$(EFI_LDS),$(EFI_LIB),$(EFI_LOAD_LIB)),)
ALL_TARGETS += $(EFI_LOAD)
INSTALL_EFI += $(EFI_LOAD)
endif

# Discovery routes 3 and 4 on OVMF: the table is found, and the reference kernel is entered.
CHECK += examples.uefi
TEST.examples.uefi       = tests/probe/efi_load_test $(EFI_LOAD) $(PROBE_EFI) $(BUILD)/pvrom-call.rom $(KERNEL_ELF)
TEST_TIME.examples.uefi  = 480
TEST_SHARES.examples.uefi = yes
TEST_NEEDS.examples.uefi = $(EFI_LOAD) $(PROBE_EFI) $(BUILD)/pvrom-call.rom $(KERNEL_ELF)
