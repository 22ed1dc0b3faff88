# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvnet/: the network card's host half, as archives, and its tests.
PVNET_FRAME_SRCS := $(addprefix pvnet/, net_frame.c net_hash.c net_segments.c net_sum.c)

# ---- tests ---------------------------------------------------------------------------------------
$(eval $(call cunit,net.frame,tests/net/net_frame_test.c,tests/net/frame_oracle.c $(PVNET_FRAME_SRCS)))
$(eval $(call cunit,net.bad_frame,tests/net/net_bad_frame_test.c,tests/net/frame_oracle.c $(PVNET_FRAME_SRCS)))
CHECK_LONG += net.frame.million
TEST.net.frame.million       = $(BUILD)/test/net.frame 1000000 $(or $(SEED),$(shell date +%s))
TEST_TIME.net.frame.million  = 600
TEST_NEEDS.net.frame.million = $(BUILD)/test/net.frame
