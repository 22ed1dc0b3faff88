# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/loop: what needs both halves, guest/ and host/. Read after their fragments.
CORE_MACHINE_SRCS := $(GUEST_MACHINE_SRCS) $(HOST_SRCS) tests/loop/core_machine.c
$(eval $(call cunit,loop.host_guest,tests/loop/host_guest.c,$(CORE_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_core,tests/loop/guest_core_test.c,$(CORE_MACHINE_SRCS)))
$(eval $(call cunit,loop.guest_core_sites,tests/loop/guest_core_sites_test.c,$(CORE_MACHINE_SRCS)))
