# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# feature-probe/uefi/: the probe as a UEFI application (gnu-efi), and an image to boot it from (mtools).
EFI_INCLUDE := /usr/include/efi
EFI_CRT0    := $(firstword $(wildcard /usr/lib/crt0-efi-x86_64.o /usr/lib/gnuefi/crt0-efi-x86_64.o))
EFI_LDS     := $(firstword $(wildcard /usr/lib/elf_x86_64_efi.lds /usr/lib/gnuefi/elf_x86_64_efi.lds))
EFI_LIB     := $(firstword $(wildcard /usr/lib/libgnuefi.a /usr/lib/gnuefi/libgnuefi.a))

# Firmware is called by the Microsoft convention, which the compiler knows. No vector registers: the code is
# small and has no use for them.
EFI_FLAGS := -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64 -DGNU_EFI_USE_MS_ABI -fshort-wchar
EFI_BUILT := -ffreestanding -fpic -fvisibility=hidden -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -ffunction-sections -fdata-sections -Os $(EFI_FLAGS)
$(eval $(call variant,efi,$$(CC),$(EFI_BUILT)))

# First what efi_main needs, alone (the shim is more than its search); then the image, which has a section
# that nothing refers to.
EFI_PARTS := -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j '.rel.*' -j '.rela.*' -j .reloc
define MAKE_EFI
@mkdir -p $(@D)
$(call say,EFI,$@)
$(Q)$(LD) -r --gc-sections -e efi_main -o $@.o $(filter %.o,$^)
$(Q)$(LD) -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined -z noexecstack -T $(EFI_LDS) \
	-o $@.so $(EFI_CRT0) $@.o $(EFI_MORE) $(EFI_LIB)
$(Q)$(OBJCOPY) $(EFI_PARTS) --target efi-app-x86_64 --subsystem=10 $@.so $@
endef

PROBE_EFI_SRCS := $(addprefix feature-probe/uefi/,probe_efi_main.c probe_efi_gather.c probe_efi_pages.c \
	probe_efi_dmi.c probe_efi_try.c probe_efi_screen.c probe_efi_file.c)
PROBE_EFI := $(BUILD)/pvrom-probe.efi
PROBE_ESP := $(BUILD)/pvrom-esp.img
$(PROBE_EFI): $(call objs,efi,$(PROBE_EFI_SRCS) $(PROBE_CORE_SRCS) $(PVROM_GUEST_SOURCES))
	$(MAKE_EFI)

# 4 MiB of FAT, no partition table; the same bytes each time.
$(PROBE_ESP): $(PROBE_EFI)
	$(call say,ESP,$@)
	$(Q)rm -f $@
	$(Q)export TZ=UTC SOURCE_DATE_EPOCH=315532800 && mformat -C -i $@ -t 64 -h 4 -s 32 -N 70764f4d -v PVROM :: && \
		mmd -i $@ ::/EFI ::/EFI/BOOT && mcopy -i $@ $(PROBE_EFI) ::/EFI/BOOT/BOOTX64.EFI && \
		mcopy -i $@ $(PROBE_EFI) ::/pvrom-probe.efi

$(BUILD)/lint/feature-probe/uefi/%.ok: FLAGS_FOR += $(EFI_FLAGS)

ifneq ($(and $(EFI_CRT0),$(EFI_LDS),$(EFI_LIB)),)
ALL_TARGETS += $(PROBE_EFI)
INSTALL_EFI += $(PROBE_EFI)
ifneq ($(call have,mformat),)
ALL_TARGETS += $(PROBE_ESP)
INSTALL_EFI += $(PROBE_ESP)
else
$(call left_out,an image with the probe for UEFI,mtools)
endif
else
$(call left_out,the probe for UEFI,gnu-efi)
endif
