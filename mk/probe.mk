# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# feature-probe/: the core, and the Linux command around it.
PROBE_CORE_SRCS := $(addprefix feature-probe/,probe_text.c probe_evidence.c probe_machine.c probe_rom.c probe_judge.c \
	probe_words.c probe_report.c probe_json.c probe_dot.c probe_chain.c probe_record.c)
# What it takes of the shim: the check of a ROM, and words.
PROBE_SHIM_SRCS := guest/check.c guest/words.c guest/call_info.c digest/crc32.c digest/sha256.c
PROBE_LINUX_SRCS := $(addprefix feature-probe/linux/,probe_main.c probe_gather.c probe_memory.c probe_kernel.c probe_host.c \
	probe_places.c probe_module.c probe_try.c probe_explain.c probe_svg.c) guest/find.c tools/kvm_trial.c

$(BUILD)/hosted/feature-probe/linux/%.o: FLAGS_FOR += -D_GNU_SOURCE -DPVROM_PROBE_VERSION='"$(VERSION)"'
$(BUILD)/lint/feature-probe/linux/%.ok: FLAGS_FOR += -D_GNU_SOURCE -DPVROM_PROBE_VERSION='""'

# Freestanding, for kernels and firmware.
$(BUILD)/free/libpvrom-probe.a: $(call objs,free,$(PROBE_CORE_SRCS))
	$(MAKE_ARCHIVE)

PROBE := $(BUILD)/pvrom-probe
$(PROBE): $(call objs,hosted,$(PROBE_LINUX_SRCS) $(PROBE_CORE_SRCS) $(PROBE_SHIM_SRCS)) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)

ALL_TARGETS += $(PROBE) $(BUILD)/free/libpvrom-probe.a
INSTALL_BIN  += $(PROBE)
INSTALL_MAN  += feature-probe/linux/pvrom-probe.1
INSTALL_BASH += feature-probe/linux/completion/pvrom-probe.bash
INSTALL_ZSH  += feature-probe/linux/completion/_pvrom-probe

# ---- tests -------------------------------------------------------------------------------------
$(eval $(call cunit,probe.core,tests/probe/probe_core_test.c,$(PROBE_CORE_SRCS) $(PROBE_SHIM_SRCS)))
CHECK_QUICK += probe.replay
TEST.probe.replay       = tests/probe/replay_test $(PROBE) feature-probe/recorded
TEST_NEEDS.probe.replay = $(PROBE)
CHECK_QUICK += probe.usage
TEST.probe.usage       = tests/probe/probe_usage_test $(PROBE) feature-probe/recorded $(KERNEL_ELF)
TEST_NEEDS.probe.usage = $(PROBE) $(KERNEL_ELF)

ifneq ($(and $(call have,dot),$(call have,xmllint)),)
CHECK_QUICK += probe.picture
else
$(call left_out,the test of pictures of the probe,graphviz and libxml2-utils)
endif
TEST.probe.picture       = tests/probe/picture_test $(PROBE) feature-probe/recorded
TEST_NEEDS.probe.picture = $(PROBE)

# Static: it runs inside the lab, which has no C library.
$(BUILD)/tests/pvrom-probe: $(call objs,hosted,$(PROBE_LINUX_SRCS) $(PROBE_CORE_SRCS) $(PROBE_SHIM_SRCS)) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,-static)
# Under pvrun, with nested paging and without; the rest of what may go wrong with a ROM there.
CHECK += probe.lab probe.shadow
CHECK_LONG += probe.roms
define PROBE_LAB
TEST.probe.$(1)       = $$(MONITOR_TEST) $(2) 1024 180 $(3) probe_guest.sh linux virtio_ring.ko virtio.ko virtio_blk.ko failover.ko net_failover.ko \
	virtio_net.ko $$(BUILD)/linux/pvrom.ko \
	$$(BUILD)/tests/pvrom-probe $$(BUILD)/pvrom-netd $$(KERNEL_ELF)
TEST_TIME.probe.$(1)  = 240
TEST_SHARES.probe.$(1) = yes
TEST_NEEDS.probe.$(1) = $$(MONITOR_LAB) $$(BUILD)/pvrom-netd $$(BUILD)/linux/pvrom.ko $$(BUILD)/tests/pvrom-probe $$(KERNEL_ELF)
endef
$(eval $(call PROBE_LAB,lab,1,probe_lab.sh))
$(eval $(call PROBE_LAB,shadow,0,probe_shadow.sh))
$(eval $(call PROBE_LAB,roms,1,probe_roms.sh))

# ROMs in PCI devices, on Linux in QEMU.
CHECK += probe.devices
TEST.probe.devices        = tests/probe/devices_test $(BUILD)/tests/pvrom-probe $(BUILD)/pvrom-call.rom $(BUILD)/pvrom.rom
TEST_TIME.probe.devices   = 300
TEST_SHARES.probe.devices = yes
TEST_NEEDS.probe.devices  = $(LAB) $(PROBE) $(BUILD)/tests/pvrom-probe $(BUILD)/pvrom-call.rom $(BUILD)/pvrom.rom

# Each trial of the reference kernel's, on the hypervisor that grants it the MMU too.
CHECK += probe.trials
TEST.probe.trials        = tests/probe/trials_test $(KERNEL_ELF)
TEST_TIME.probe.trials   = 120
TEST_SHARES.probe.trials = yes
TEST_NEEDS.probe.trials  = $(KERNEL_ELF) $(BUILD)/disk-image $(HYPERVISOR)

# A ROM in the UEFI configuration table, on Linux.
CHECK_LONG += probe.table
TEST.probe.table        = tests/probe/table_test $(EFI_LOAD) $(BUILD)/tests/pvrom-probe $(BUILD)/pvrom-call.rom
TEST_TIME.probe.table   = 150
TEST_SHARES.probe.table = yes
TEST_NEEDS.probe.table  = $(LAB) $(EFI_LOAD) $(BUILD)/tests/pvrom-probe $(BUILD)/pvrom-call.rom

# VMX and EPT, which QEMU's software CPU has not.
CHECK_LONG += probe.bochs
TEST.probe.bochs       = tests/probe/bochs_test $(KERNEL_ELF)
TEST_TIME.probe.bochs  = 360
TEST_SHARES.probe.bochs = yes
TEST_NEEDS.probe.bochs = $(KERNEL_ELF)

# Recordings come from anybody.
$(eval $(call hostile,recording,$(PROBE_CORE_SRCS) $(PROBE_SHIM_SRCS)))

# How fast: beside systemd's program, which is a part of the picture at most.
BENCHES += bench-probe
bench-probe: $(PROBE)
	$(Q)BUILD=$(BUILD) bench/probe_bench $(PROBE)
.PHONY: bench-probe
