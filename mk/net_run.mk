# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/net: stock guests on the network card, in pvrun and behind pvrom-netd.
NET_FRONT_END := $(BUILD)/pvrom-netd $(BUILD)/lab/base.cpio
NET_PVRUN     := $(BUILD)/pvrom-netd $(BUILD)/pvrun $(LAB)

CHECK += net.judge net.qemu.offloads net.qemu.plain net.pvrun.offloads
TEST.net.judge                = tests/net/net_judge_test
TEST_TIME.net.judge = 180
TEST_SHARES.net.judge = yes
TEST.net.qemu.offloads        = tests/net/net_front_end_test offloads split
TEST_TIME.net.qemu.offloads = 500
TEST_NEEDS.net.qemu.offloads  = $(NET_FRONT_END)
TEST_SHARES.net.qemu.offloads = yes
TEST.net.qemu.plain           = tests/net/net_front_end_test plain packed
TEST_TIME.net.qemu.plain = 500
TEST_NEEDS.net.qemu.plain     = $(NET_FRONT_END)
TEST_SHARES.net.qemu.plain    = yes
TEST.net.pvrun.offloads       = tests/net/net_pvrun_test offloads
TEST_TIME.net.pvrun.offloads = 750
TEST_NEEDS.net.pvrun.offloads = $(NET_PVRUN)
TEST_SHARES.net.pvrun.offloads = yes

CHECK_LONG += net.pvrun.plain
TEST.net.pvrun.plain       = tests/net/net_pvrun_test plain
TEST_TIME.net.pvrun.plain = 750
TEST_SHARES.net.pvrun.plain = yes
TEST_NEEDS.net.pvrun.plain = $(NET_PVRUN)

# At length, with a tap interface.
CHECK_LONG += net.tap.split net.tap.packed
TEST.net.tap.split       = tests/net/net_tap_test split 1
TEST_TIME.net.tap.split  = 600
TEST_NEEDS.net.tap.split = $(NET_FRONT_END)
TEST.net.tap.packed       = tests/net/net_tap_test packed 4
TEST_TIME.net.tap.packed  = 600
TEST_NEEDS.net.tap.packed = $(NET_FRONT_END)
# Two guests on a switch; a machine saved and loaded in the midst of a connection.
CHECK_LONG += net.pair.qemu net.pvrun.saved
TEST.net.pair.qemu       = tests/net/net_pair_test qemu
TEST_TIME.net.pair.qemu  = 480
TEST_SHARES.net.pair.qemu = yes
TEST_NEEDS.net.pair.qemu = $(NET_FRONT_END)
TEST.net.pvrun.saved       = tests/net/net_pvrun_tap_test saved
TEST_TIME.net.pvrun.saved  = 600
TEST_SHARES.net.pvrun.saved = yes
TEST_NEEDS.net.pvrun.saved = $(NET_PVRUN)
CHECK_LONG += net.pair.pvrun
TEST.net.pair.pvrun       = tests/net/net_pair_test pvrun
TEST_TIME.net.pair.pvrun  = 600
TEST_SHARES.net.pair.pvrun = yes
TEST_NEEDS.net.pair.pvrun = $(NET_PVRUN)
# A tap interface of the lab's Linux.
CHECK_LONG += net.pvrun.tap
TEST.net.pvrun.tap       = tests/net/net_pvrun_tap_test tap
TEST_TIME.net.pvrun.tap  = 600
TEST_SHARES.net.pvrun.tap = yes
TEST_NEEDS.net.pvrun.tap = $(NET_PVRUN)
