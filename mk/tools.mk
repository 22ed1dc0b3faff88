# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/tools: the test runner and its helpers are tested before they are believed.
$(BUILD)/test/cunit_tap_test: $(call objs,test,tests/tools/cunit_tap_test.c tests/cunit_tap.c)
	$(call LINK,test,-lcunit)

CHECK_QUICK += tools.run_tests
TEST.tools.run_tests = tests/tools/run_tests_selftest

CHECK_QUICK += tools.cunit_tap
TEST.tools.cunit_tap = tests/tools/cunit_tap_check $(BUILD)/test/cunit_tap_test
TEST_NEEDS.tools.cunit_tap = $(BUILD)/test/cunit_tap_test

CHECK_QUICK += tools.deps
TEST.tools.deps = tests/tools/deps_test
