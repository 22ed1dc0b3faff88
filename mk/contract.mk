# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# tests/contract: the headers of abi/ alone, against the golden list and the rules for them.
CHECK_QUICK += contract.golden contract.rules contract.headers
TEST.contract.golden  = tests/contract/golden_check
TEST.contract.rules   = tests/contract/rules_check
TEST.contract.headers = tests/contract/headers_alone

# Writes the golden list anew, after a deliberate change of the interface.
golden:
	$(Q)BUILD=$(BUILD) CC='$(CC)' tests/contract/golden_update
.PHONY: golden
