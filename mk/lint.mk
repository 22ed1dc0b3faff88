# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# fmt and lint.  clang-tidy looks at a file again when it, a header or the list of checks changed.
# golden.c is compiled with a list that is generated when it is needed; examples/lwip and linux/ with headers that are
# fetched.
C_FILES      = $(filter-out tests/contract/golden.c,$(shell git ls-files '*.c' 2>/dev/null))
C_HEADERS    = $(shell git ls-files '*.h' 2>/dev/null)
LINT_FREE    = $(filter guest/% hypervisor/% kernel/% examples/kernel/%,$(C_FILES))
LINT_HOSTED  = $(filter-out $(LINT_FREE),$(C_FILES))
LINT_FLAGS   = -std=gnu11 -Wall -Wextra -Wno-unknown-warning-option $(INCLUDES) -DPVRUN_VERSION='""'

# Not for clang-format: assembler in headers, and tables whose columns are set by hand.
UNFORMATTED  = host/rom/%.h abi/pvrom/constants.h tests/cunit_tap.h tests/tools/cunit_tap_test.c \
	tools/rom-image.c

FORMATTED    = $(filter-out $(UNFORMATTED),$(C_FILES) $(C_HEADERS))

.PHONY: fmt fmt-files lint lint-now lint-tidy lint-cppcheck
fmt:
	@tools/deps fmt
	$(Q)clang-format -i $(FORMATTED)
fmt-files:
	@printf '%s\n' $(FORMATTED)

lint:
	@tools/deps lint
	@$(MAKE) lint-now
lint-now: lint-tidy lint-cppcheck
lint-tidy:
	$(Q)$(MAKE) $(patsubst %.c,$(BUILD)/lint/%.ok,$(filter-out examples/lwip/% linux/%,$(C_FILES)))

LINT_AGAIN = .clang-tidy tests/.clang-tidy mk/lint.mk $(if $(filter lint% $(BUILD)/lint/%,$(MAKECMDGOALS)),$(C_HEADERS))
$(BUILD)/lint/%.ok: %.c $(LINT_AGAIN)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $< -- $(LINT_FLAGS) $(FLAGS_FOR) \
		$(if $(filter $<,$(LINT_FREE)),$(FREE),-fPIC) 2>$@.err || { cat $@.err; exit 1; }
	@rm -f $@.err; touch $@
$(BUILD)/lint/tests/%.ok: FLAGS_FOR += -DPVROM_TEST -D_GNU_SOURCE
$(BUILD)/lint/kernel/%.ok: FLAGS_FOR += -Ikernel -Ikernel/suite -Ikernel/load -Ikernel/net
$(BUILD)/lint/monitor/%.ok: FLAGS_FOR += $(KVM_STRUCTURES)

lint-cppcheck:
	$(call say,CPPCHECK,)
	$(Q)cppcheck --enable=warning,performance,portability --error-exitcode=1 --quiet -j2 \
		--std=c11 $(INCLUDES) -Ikernel -Ikernel/suite -Ikernel/load -Ikernel/net -U__ASSEMBLER__ -D__x86_64__ \
		-D__GNUC__=12 --inline-suppr --suppressions-list=tools/cppcheck-suppressions $(C_FILES)

# It takes minutes, on a loaded machine many.
CHECK_LONG += lint
TEST_SHARES.lint = yes
TEST.lint      = tests/house/lint_check
TEST_TIME.lint = 2400
