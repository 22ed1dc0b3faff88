# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/model: protocols as models for spin, which searches all that can happen in them.

# $(eval $(call spin,GROUP,FILE.pml)): the runs that the file lists, as a test group in CHECK.
define spin
ifneq ($(call have,spin),)
CHECK += $(1)
TEST.$(1)        = tests/model/spin_check $(2)
TEST_TIME.$(1)   = 480
TEST_SHARES.$(1) = yes
else
$$(call left_out,the model $(2),spin)
endif
endef
