# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/hostile: fuzz targets. Their kept inputs are replayed by `make check`; `make fuzz` goes on from there.
FUZZ_SECONDS ?= 60
FUZZ_FLAGS   := -DPVROM_TEST -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_SAN     := address,undefined

ifneq ($(call have,clang),)
$(eval $(call variant,fuzz,clang,$$(HOSTED) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SAN)))
else
$(call left_out,the fuzzers,clang)
endif

# $(call hostile_replay,VARIANT,TARGET,SOURCES,SUFFIX): the kept inputs, without a fuzzer.
define hostile_replay
$$(BUILD)/$(1)/hostile.$(2): $$(call objs,$(1),tests/hostile/fuzz_$(2).c tests/hostile/replay_main.c \
		tests/hostile/no_fuzzer.c $(3))
	$$(call LINK,$(1),$$(HOSTILE_LIBS))
CHECK_QUICK += hostile.$(2)$(4)
TEST.hostile.$(2)$(4) = $$(BUILD)/$(1)/hostile.$(2) $(2) tests/hostile/corpus/$(2)
TEST_NEEDS.hostile.$(2)$(4) = $$(BUILD)/$(1)/hostile.$(2)
endef

# $(call hostile,TARGET,SOURCES): one target, all of its programs. New inputs that a fuzzer finds go to
# build/fuzz/corpus/TARGET, and what breaks a promise to build/fuzz/TARGET-*.
define hostile
$(call hostile_replay,test,$(1),$(2),)
$(call hostile_replay,asan,$(1),$(2),.asan)
$$(BUILD)/fuzz/fuzz.$(1): $$(call objs,fuzz,tests/hostile/fuzz_$(1).c tests/hostile/fuzz_init.c $(2))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)clang -fsanitize=fuzzer,$(FUZZ_SAN) -o $$@ $$^ $$(HOSTILE_LIBS)
fuzz-$(1): $$(BUILD)/fuzz/fuzz.$(1)
	@mkdir -p $$(BUILD)/fuzz/corpus/$(1)
	$$(call say,FUZZ,$(1) for $$(FUZZ_SECONDS) s)
	$$(Q)$$< -max_total_time=$$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix=$$(BUILD)/fuzz/$(1)- $$(FUZZ_OPTIONS) $$(BUILD)/fuzz/corpus/$(1) \
		tests/hostile/corpus/$(1) 2>$$(BUILD)/fuzz/$(1).log || \
		{ tail -n 60 $$(BUILD)/fuzz/$(1).log; exit 1; }
	@sed -n 's/^stat::number_of_executed_units: *\(.*\)/          \1 inputs, no promise broken/p' \
		$$(BUILD)/fuzz/$(1).log
# Takes what the fuzzer found into the kept inputs, as few of them as cover the same code.
keep-$(1): $$(BUILD)/fuzz/fuzz.$(1)
	@mkdir -p $$(BUILD)/fuzz/kept/$(1)
	$$(Q)rm -f $$(BUILD)/fuzz/kept/$(1)/*
	$$(Q)$$< -set_cover_merge=1 -use_counters=0 $$(BUILD)/fuzz/kept/$(1) tests/hostile/corpus/$(1) \
		$$(BUILD)/fuzz/corpus/$(1)
$(if $(call have,clang),FUZZ_TARGETS += fuzz-$(1))
.PHONY: fuzz-$(1) keep-$(1)
endef

HOSTILE_HOST := tests/hostile/hostile_machine.c $(HOST_SRCS) $(DIGEST_SRCS)
$(eval $(call hostile,calls,$(HOSTILE_HOST)))
$(eval $(call hostile,negotiation,$(HOSTILE_HOST)))
$(eval $(call hostile,save,$(HOSTILE_HOST)))

HOSTILE_ROM   := tests/hostile/rom_make.c tests/hostile/rom_verify.c
$(eval $(call hostile,rom,guest/check.c guest/call_info.c $(DIGEST_SRCS) $(HOSTILE_ROM)))

# The shim, with a kernel and a host of arrays in the place of its instructions.
HOSTILE_SHIM  := $(filter-out guest/insn.c guest/mem_weak.c,$(GUEST_SRCS)) $(HOSTILE_ROM) \
	tests/hostile/shim_world.c tests/hostile/shim_host.c
$(eval $(call hostile,patcher,$(HOSTILE_SHIM)))
$(eval $(call hostile,shim,$(HOSTILE_SHIM)))

# The clock: pages read by a guest, calls and saved clocks taken by a host.
$(eval $(call hostile,clock_page,pvclock/clock_rate.c))
$(eval $(call hostile,clock_calls,$(HOSTILE_HOST) pvclock/clock_rate.c pvclock/clock_mono.c \
	pvclock/clock_tai.c pvclock/clock_leap.c pvclock/clock_writer.c pvclock/clock_area.c \
	pvclock/clock_save.c pvclock/clock_feature.c pvclock/clock_feature_save.c pvclock/clock_bugs.c))

# vCPUs that race, and a guest that writes meanwhile. (Variant tsan: host.mk.)
HOSTILE_RACE := tests/hostile/race.c $(HOST_SRCS) $(DIGEST_SRCS)
$(BUILD)/asan/hostile.race: $(call objs,asan,$(HOSTILE_RACE))
	$(call LINK,asan,-lpthread)
$(BUILD)/tsan/tests/hostile/race.o: FLAGS_FOR += -DHOSTILE_TSAN
$(BUILD)/tsan/hostile.race: $(call objs,tsan,$(HOSTILE_RACE))
	$(call LINK,tsan,-lpthread)
CHECK_QUICK += hostile.race.asan
TEST.hostile.race.asan       = $(BUILD)/asan/hostile.race
TEST_NEEDS.hostile.race.asan = $(BUILD)/asan/hostile.race
# ThreadSanitizer wants its address space where it expects it.
CHECK += hostile.race.tsan
TEST.hostile.race.tsan       = $$(setarch -R true 2>/dev/null && echo setarch -R) \
	$(BUILD)/tsan/hostile.race
TEST_NEEDS.hostile.race.tsan = $(BUILD)/tsan/hostile.race
