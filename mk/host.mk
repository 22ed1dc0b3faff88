# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# host/: the embeddable host handler, as a hosted archive, a freestanding one and a shared library.
HOST_SRCS := host/core.c host/call_table.c host/call_names.S host/offer.c host/negotiate.c \
	host/base_calls.c host/vcpu_area.c host/log.c host/batch.c host/reset.c host/cpuid_live.c \
	host/cpu_host.c host/irq_host.c host/smp_host.c host/alarm_host.c host/access.c \
	host/rom_build.c host/rom/rom_text.S host/save.c host/bugs.c

# The way of every call: a switch's table of addresses would be one page more for it to touch.
$(foreach v,$(VARIANTS),$(BUILD)/$(v)/host/core.o): FLAGS_FOR += -fno-jump-tables

$(BUILD)/libpvrom-host.a: $(call objs,hosted,$(HOST_SRCS) $(DIGEST_SRCS))
	$(MAKE_ARCHIVE)

# For hypervisors without a C library: the same sources, kernel-code flags, and memcpy and the like, weak.
$(BUILD)/free/libpvrom-host.a: $(call objs,free,$(HOST_SRCS) $(DIGEST_SRCS) guest/mem_weak.c) mk/host.mk
	$(MAKE_ARCHIVE)

# With seeded bugs and a watch on guest memory (host/bugs.h, host/host_internal.h); not installed.
$(BUILD)/test/libpvrom-host.a: $(call objs,test,$(HOST_SRCS) $(DIGEST_SRCS))
	$(MAKE_ARCHIVE)

$(BUILD)/libpvrom-host.so.$(VERSION): $(call objs,hosted,$(HOST_SRCS) $(DIGEST_SRCS)) \
		host/libpvrom-host.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libpvrom-host.so.$(SOVERSION) \
		-Wl,--version-script=host/libpvrom-host.map -Wl,-z,defs -Wl,-z,noexecstack -o $@ \
		$(filter %.o,$^)
$(BUILD)/libpvrom-host.so.$(SOVERSION): $(BUILD)/libpvrom-host.so.$(VERSION)
	$(Q)ln -sf $(notdir $<) $@
$(BUILD)/libpvrom-host.so: $(BUILD)/libpvrom-host.so.$(SOVERSION)
	$(Q)ln -sf $(notdir $<) $@

ALL_TARGETS += $(BUILD)/libpvrom-host.a $(BUILD)/free/libpvrom-host.a $(BUILD)/libpvrom-host.so

# ---- tests of the host alone (tests/loop/host_*.c) ------------------------------------------------
HOST_TEST_SRCS := $(HOST_SRCS) $(DIGEST_SRCS) tests/loop/host_world.c

$(eval $(call cunit,loop.host_base,tests/loop/host_base.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_area,tests/loop/host_area.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_batch,tests/loop/host_batch.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_offer,tests/loop/host_offer.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_negotiate,tests/loop/host_negotiate.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_race,tests/loop/host_race.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_groups,tests/loop/host_groups.c,$(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_save,tests/loop/host_save.c,$(addprefix tests/loop/,save_image.c host_save_bad.c host_save_sections.c) $(HOST_TEST_SRCS)))
$(eval $(call cunit,loop.host_rom,tests/loop/host_rom.c,tests/loop/rom_reader.c $(HOST_TEST_SRCS) guest/check.c \
	guest/call_info.c))
$(eval $(call cunit,loop.host_rom_slots,tests/loop/host_rom_slots.c,tests/loop/rom_reader.c $(HOST_TEST_SRCS)))

# Random calls (mk/pvclock.mk) with a seed of the day, which is printed.
CHECK_LONG += loop.host_random.new_seed
TEST.loop.host_random.new_seed = PVROM_SEED=$${SEED:-new} $(BUILD)/asan/loop.host_random
TEST_TIME.loop.host_random.new_seed = 300
TEST_NEEDS.loop.host_random.new_seed = $(BUILD)/asan/loop.host_random

# What stands in the ROM's text, by disassembly.
$(BUILD)/hosted/host_rom_dump: $(call objs,hosted,tests/loop/host_rom_dump.c) \
		$(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)
CHECK_QUICK += loop.host_rom_text
TEST.loop.host_rom_text = tests/loop/host_rom_text $(BUILD)/hosted/host_rom_dump
TEST_NEEDS.loop.host_rom_text = $(BUILD)/hosted/host_rom_dump

# What the libraries need and offer.
HOST_LIBS := $(BUILD)/libpvrom-host.a $(BUILD)/free/libpvrom-host.a $(BUILD)/libpvrom-host.so
CHECK_QUICK += loop.host_symbols
TEST.loop.host_symbols = tests/loop/host_symbols $(HOST_LIBS) host/include/pvrom/host.h
TEST_NEEDS.loop.host_symbols = $(HOST_LIBS)

# Are the tests any good? Seeded bugs, one at a time.
$(BUILD)/test/host_rom_dump: $(call objs,test,tests/loop/host_rom_dump.c $(HOST_SRCS) $(DIGEST_SRCS))
	$(call LINK,test,)
$(BUILD)/test/host_bugs: $(call objs,test,tests/loop/host_bugs.c tests/cunit_tap.c)
	$(call LINK,test,-lcunit)
CHECK_QUICK += loop.host_bugs
TEST.loop.host_bugs = $(BUILD)/test/host_bugs $(BUILD)/test
TEST_NEEDS.loop.host_bugs = $(BUILD)/test/host_bugs $(BUILD)/test/host_rom_dump \
	$(patsubst %,$(BUILD)/test/loop.host_%,base area batch offer negotiate groups save rom)

# The races once more under ThreadSanitizer, which wants the address space as it was in its youth.
$(eval $(call variant,tsan,$$(ASAN_CC),$$(HOSTED) -DPVROM_TEST -O1 -g -fsanitize=thread))
LINK_CC.tsan = $(ASAN_CC) -fsanitize=thread
$(BUILD)/tsan/loop.host_race: $(call objs,tsan,tests/loop/host_race.c $(HOST_TEST_SRCS) \
		tests/cunit_tap.c)
	$(call LINK,tsan,-lcunit -lpthread)
CHECK_LONG += loop.host_race.tsan
TEST.loop.host_race.tsan = $$(setarch -R true 2>/dev/null && echo setarch -R) \
	$(BUILD)/tsan/loop.host_race
TEST_NEEDS.loop.host_race.tsan = $(BUILD)/tsan/loop.host_race

# ---- bench -----------------------------------------------------------------------------------
$(BUILD)/hosted/loop_calls: $(call objs,hosted,bench/loop_calls.c) $(BUILD)/libpvrom-host.a
	$(call LINK,hosted,)
BENCHES += bench-host
bench-host: $(BUILD)/hosted/loop_calls $(BUILD)/libpvrom-host.a $(BUILD)/hosted/host_rom_dump
	$(Q)BUILD=$(BUILD) bench/host_bench $(BUILD)/hosted/loop_calls $(BUILD)/libpvrom-host.a $(BUILD)/hosted/host_rom_dump
.PHONY: bench-host
