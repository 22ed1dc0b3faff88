# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# feature-probe/: the core, and the Linux command around it.
PROBE_CORE_SRCS := $(addprefix feature-probe/,probe_text.c probe_evidence.c probe_machine.c probe_rom.c probe_judge.c \
	probe_words.c probe_report.c probe_json.c probe_dot.c probe_chain.c probe_record.c)
# What it takes of the shim: the check of a ROM, and words.
PROBE_SHIM_SRCS := guest/check.c guest/words.c guest/call_info.c digest/crc32.c digest/sha256.c
PROBE_LINUX_SRCS := $(addprefix feature-probe/linux/,probe_main.c probe_gather.c probe_memory.c probe_kernel.c probe_host.c \
	probe_svg.c) \
	tools/kvm_trial.c

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
$(call left_out,the test of the probe's pictures,graphviz libxml2-utils)
endif
TEST.probe.picture       = tests/probe/picture_test $(PROBE) feature-probe/recorded
TEST_NEEDS.probe.picture = $(PROBE)

# Static: it runs inside the lab, which has no C library.
$(BUILD)/tests/pvrom-probe: $(call objs,hosted,$(PROBE_LINUX_SRCS) $(PROBE_CORE_SRCS) $(PROBE_SHIM_SRCS)) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,-static)
CHECK += probe.npt
CHECK_LONG += probe.shadow
define PROBE_LAB
TEST.probe.$(1)       = $$(MONITOR_TEST) $(2) 1024 180 probe_lab.sh linux $$(BUILD)/tests/pvrom-probe $$(KERNEL_ELF)
TEST_TIME.probe.$(1)  = 240
TEST_NEEDS.probe.$(1) = $$(MONITOR_LAB) $$(BUILD)/tests/pvrom-probe $$(KERNEL_ELF)
endef
$(eval $(call PROBE_LAB,npt,1))
$(eval $(call PROBE_LAB,shadow,0))

# Recordings come from anybody.
$(eval $(call hostile,recording,$(PROBE_CORE_SRCS) $(PROBE_SHIM_SRCS)))
