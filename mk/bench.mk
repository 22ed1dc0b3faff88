# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# bench/: what is measured. The host's own figures are in host.mk.
bench-start:
	$(Q)BUILD=$(BUILD) CC='$(CC)' tools/bench-line --start

include guest/sources.mk
# Both halves in one process; the program brings the instructions that the shim would execute.
BENCH_BOTH := $(filter-out guest/insn.c guest/mem_weak.c,$(PVROM_GUEST_SOURCES))
$(BUILD)/hosted/patch_sites: $(call objs,hosted,bench/patch_sites.c $(BENCH_BOTH)) \
		$(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)
BENCHES += bench-shim
bench-shim: $(BUILD)/hosted/patch_sites $(BUILD)/libpvrom-guest.a
	$(Q)BUILD=$(BUILD) bench/shim_bench $^
.PHONY: bench-shim

# Hypercalls under KVM: pvrun, and a guest that times its own exits.
BENCH_BOOT := tests/monitor/guest_boot.S
$(BUILD)/bench/roundtrip.elf: $(call objs,free,$(BENCH_BOOT) bench/roundtrip.c) \
		tests/monitor/guest.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,-T,$(filter %.lds,$^) -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -o $@ $(filter %.o,$^)
BENCHES += bench-roundtrip
bench-roundtrip: $(BUILD)/pvrun $(BUILD)/bench/roundtrip.elf | $(BUILD)/lab/base.cpio
	$(Q)BUILD=$(BUILD) bench/roundtrip_bench $^
.PHONY: bench-roundtrip

# The last of them (last.mk): are the figures within what was promised?
bench-limits:
	$(Q)BUILD=$(BUILD) bench/limits_check
.PHONY: bench-limits
