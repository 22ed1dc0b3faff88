# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/loop: what needs both halves, guest/ and host/. Read after their fragments.
$(eval $(call cunit,loop.guest_core,tests/loop/guest_core_test.c,$(GUEST_MACHINE_SRCS) $(HOST_SRCS)))
