# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# virtqueue/: rings of VIRTIO 1.2, both halves, as a hosted archive and a freestanding one.
include virtqueue/sources.mk

$(BUILD)/libpvrom-virtqueue.a: $(call objs,hosted,$(VIRTQUEUE_SRCS))
	$(MAKE_ARCHIVE)
$(BUILD)/free/libpvrom-virtqueue.a: $(call objs,free,$(VIRTQUEUE_SRCS))
	$(MAKE_ARCHIVE)
ALL_TARGETS += $(BUILD)/libpvrom-virtqueue.a $(BUILD)/free/libpvrom-virtqueue.a

# ---- tests: both halves in one process (tests/virtqueue) ------------------------------------------
RING_WORLD := tests/virtqueue/ring_world.c $(VIRTQUEUE_SRCS)
$(eval $(call cunit,virtqueue.loop,tests/virtqueue/ring_loop.c,tests/virtqueue/ring_run.c $(RING_WORLD)))
$(eval $(call cunit,virtqueue.crash,tests/virtqueue/ring_crash.c,$(RING_WORLD)))

$(eval $(call cunit,virtqueue.race,tests/virtqueue/ring_race.c,$(RING_WORLD)))

# Hostile drivers and hostile devices: each case with the check that it is about, and without it.
HOSTILE_DRIVER := $(addprefix tests/virtqueue/,hostile_driver_main.c hostile_driver.c hostile_ring.c \
	hostile_split.c hostile_chain.c hostile_packed.c hostile_setup.c hostile_record.c)
HOSTILE_DEVICE := $(addprefix tests/virtqueue/,hostile_device.c hostile_ring.c hostile_used_split.c \
	hostile_used_packed.c)
# $(call hostile_suite,LIST,VARIANT,NAME,SOURCES,SUFFIX)
define hostile_suite
$$(BUILD)/$(2)/virtqueue.$(3): $$(call objs,$(2),$(4) $$(RING_WORLD))
	$$(call LINK,$(2),)
$(1) += virtqueue.$(3)$(5)
TEST.virtqueue.$(3)$(5) = $$(BUILD)/$(2)/virtqueue.$(3)
TEST_NEEDS.virtqueue.$(3)$(5) = $$(BUILD)/$(2)/virtqueue.$(3)
endef
$(eval $(call hostile_suite,CHECK_QUICK,test,drivers,$(HOSTILE_DRIVER),))
$(eval $(call hostile_suite,CHECK_QUICK,test,devices,$(HOSTILE_DEVICE),))
$(eval $(call hostile_suite,CHECK,asan,drivers,$(HOSTILE_DRIVER),.asan))
$(eval $(call hostile_suite,CHECK,asan,devices,$(HOSTILE_DEVICE),.asan))

# ---- bench ---------------------------------------------------------------------------------------
$(BUILD)/hosted/ring_turns: $(call objs,hosted,bench/ring_turns.c) $(BUILD)/libpvrom-virtqueue.a
	$(call LINK,hosted,-lpthread)
$(BUILD)/ringtest/ring: tools/ringtest-build tools/linux-source
	$(Q)BUILD=$(BUILD) tools/ringtest-build
	@touch $@
BENCHES += bench-ring
bench-ring: $(BUILD)/hosted/ring_turns $(BUILD)/ringtest/ring
	$(Q)BUILD=$(BUILD) bench/ring_bench $< $(BUILD)/ringtest
.PHONY: bench-ring

# Driver and device together, all that can happen.
$(eval $(call spin,model.ring_split,tests/model/ring_split.pml))
$(eval $(call spin,model.ring_packed,tests/model/ring_packed.pml))

# Anything at all in the memory that both share: fuzz targets, replayed by `make check`.
# (The rule is in mk/hostile.mk, which is read before this file.)
$(eval $(call hostile,ring_device,$(RING_WORLD)))
$(eval $(call hostile,ring_driver,$(RING_WORLD)))
