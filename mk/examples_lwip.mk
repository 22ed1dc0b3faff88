# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# examples/lwip: lwIP on the network driver. Its source is fetched by `make lwip`, and by nothing else.
LWIP := $(BUILD)/download/lwip
LWIP_FLAGS = -Iexamples/lwip -I$(LWIP)/lwip/src/include

.PHONY: lwip
lwip:
	$(Q)tools/lwip-source $(LWIP)
	$(Q)$(MAKE) $(BUILD)/examples/lwip-demo

LWIP_CORE = $(wildcard $(LWIP)/lwip/src/core/*.c $(LWIP)/lwip/src/core/ipv4/*.c) $(LWIP)/lwip/src/netif/ethernet.c
$(BUILD)/examples/liblwip.a: $(LWIP_CORE) examples/lwip/lwipopts.h examples/lwip/arch/cc.h
	@mkdir -p $(BUILD)/examples/lwip.o && rm -f $@
	$(call say,CC,lwIP)
	$(Q)for f in $(LWIP_CORE); do $(CC) $(CFLAGS) -w $(LWIP_FLAGS) -c -o $(BUILD)/examples/lwip.o/$$(basename $$f .c).o $$f || exit 1; done
	$(Q)$(AR) rcsD $@ $(BUILD)/examples/lwip.o/*.o
# lwIP's own headers declare functions with ().
$(BUILD)/hosted/examples/lwip/%.o: FLAGS_FOR += $(LWIP_FLAGS) -Wno-strict-prototypes
$(BUILD)/examples/lwip-demo: $(call objs,hosted,examples/lwip/lwip_demo.c examples/lwip/lwip_card.c) \
		$(BUILD)/libpvrom-net-guest.a $(BUILD)/libpvrom-net-backend.a $(BUILD)/libpvrom-net-host.a \
		$(BUILD)/libpvrom-virtqueue.a $(BUILD)/examples/liblwip.a
	$(call LINK,hosted,)

CHECK_LONG += examples.lwip
TEST.examples.lwip       = examples/lwip/check_lwip $(BUILD)/pvrom-netd
TEST_TIME.examples.lwip  = 240
TEST_NEEDS.examples.lwip = $(BUILD)/pvrom-netd
