# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/house: licence lines, names, includes and symbols.
CHECK_QUICK += house
TEST.house       = tests/house/house_check
TEST_NEEDS.house = $(BUILD)/libpvrom-host.a $(BUILD)/free/libpvrom-host.a $(BUILD)/libpvrom-guest.a
