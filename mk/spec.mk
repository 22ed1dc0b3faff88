# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# spec/: the document as HTML and PDF, and which of its requirements no test names.
SPEC_GEN  := $(BUILD)/spec/gen
SPEC_FROM := $(wildcard spec/*) $(wildcard abi/pvrom/*.h) $(wildcard examples/kernel/* examples/host/*) \
	$(wildcard guest/include/pvrom/*.h host/include/pvrom/*.h pvnet/include/pvrom/net.h)
# Anything that asciidoctor has to say, a dangling reference above all, is an error (-v: it says it).
ASCIIDOC  := -v --failure-level=INFO -r ./spec/pvrom_macros.rb -a gen=../$(SPEC_GEN)

$(BUILD)/spec/spec_tables: $(call objs,hosted,spec/spec_tables.c)
	$(call LINK,hosted)

$(SPEC_GEN)/.made: $(BUILD)/spec/spec_tables $(SPEC_FROM)
	@mkdir -p $(@D)
	$(call say,TABLES,$(@D))
	$(Q)$(BUILD)/spec/spec_tables $(@D)
	$(Q)CC='$(CC)' spec/spec_structures $(@D)
	$(Q)touch $@

$(BUILD)/spec/pvrom.html: $(SPEC_GEN)/.made $(SPEC_FROM)
	$(call say,HTML,$@)
	$(Q)asciidoctor $(ASCIIDOC) -o $@ spec/pvrom.adoc

$(BUILD)/spec/pvrom.pdf: $(SPEC_GEN)/.made $(SPEC_FROM)
	$(call say,PDF,$@)
	$(Q)asciidoctor-pdf $(ASCIIDOC) -o $@ spec/pvrom.adoc

spec-promises:
	@tests/promises/promises --summary spec tests kernel/suite
.PHONY: spec-promises

BUILD_EARLY += $(BUILD)/spec/pvrom.pdf
SPEC_TARGETS += $(BUILD)/spec/pvrom.html $(BUILD)/spec/pvrom.pdf spec-promises

CHECK_QUICK += promises
TEST.promises = tests/promises/promises_check

# Built in the tests too, and what dangles must fail.
CHECK += spec
TEST.spec       = spec/spec_check
TEST_NEEDS.spec = $(BUILD)/spec/pvrom.html $(BUILD)/spec/pvrom.pdf
TEST_SHARES.spec = yes

ifeq ($(and $(call have,asciidoctor),$(call have,asciidoctor-pdf)),)
$(call left_out,the document,asciidoctor and ruby-asciidoctor-pdf)
endif
