# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The front door: what a person types.  How things are compiled stands in mk/rules.mk, what each
# folder adds in mk/<folder>.mk; mk/README.md tells how to plug a folder in.
#
# Only relative names are used below, so the tree may live in a path with a space.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL     := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

include mk/version.mk mk/rules.mk
include $(sort $(filter-out mk/version.mk mk/rules.mk mk/last.mk,$(wildcard mk/*.mk)))
# What is built before a run of tests uses all CPUs, unless -j was given.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
# The last one: what can only be said when every folder has added to its lists.
include mk/last.mk

## all: build everything the installed tools allow (gcc and make are enough)
all: $(ALL_TARGETS)
	@$(SAY_LEFT_OUT)

## demo: one kernel file on all machines, and a table of what each gave it
demo:
	@tools/deps demo
	@$(MAKE) $(PARALLEL) demo-now
demo-now: $(DEMO_NEEDS)
	$(if $(DEMO_COMMAND),$(Q)$(DEMO_COMMAND),@echo "demo: nothing to show yet")

## check: the whole test suite; what CI runs
check:
	@tools/deps check
	@$(MAKE) $(PARALLEL) check-now
check-now: $(call group_needs,$(CHECK_QUICK) $(CHECK))
	$(Q)$(call run_groups,check,$(CHECK_QUICK) $(CHECK))

## check-quick: the tests that need no QEMU
check-quick:
	@tools/deps check-quick
	@$(MAKE) $(PARALLEL) check-quick-now
check-quick-now: $(call group_needs,$(CHECK_QUICK))
	$(Q)$(call run_groups,check-quick,$(CHECK_QUICK))

## check-long: the tests that take their time, with a printed seed (SEED=N repeats one)
check-long:
	@tools/deps check-long
	@$(MAKE) $(PARALLEL) check-long-now
check-long-now: $(call group_needs,$(CHECK_LONG))
	$(Q)$(call run_groups,check-long,$(CHECK_LONG))

## test-NAME: one test group alone, for instance: make test-NAME V=1
test-%:
	@$(MAKE) test-now-$*
test-now-%:
	@$(MAKE) -s $(or $(TEST_NEEDS.$*),mk/rules.mk)
	$(Q)$(call run_groups,test-$*,$*)

## fuzz: the fuzzers, for FUZZ_SECONDS each (60)
fuzz:
	@tools/deps fuzz
	@$(MAKE) $(PARALLEL) fuzz-now
fuzz-now: $(FUZZ_TARGETS)

## bench: measure; every figure also goes to build/bench.tsv
bench:
	@tools/deps bench
	@$(MAKE) $(PARALLEL) bench-now
## bench-blk: the disk server beside QEMU's storage daemon
## bench-net: the network server beside DPDK's vhost port and QEMU's own card
## bench-linux-boot: VM exits of stock Linux's boot under pvrun beside QEMU's microvm
## bench-linux: VM exits of Linux's own virtio drivers on the device bus beside virtio-mmio, and of reading the clock
## bench-mmu: VM exits of operations on address spaces beside KVM's: a table and build/mmu.svg
bench-now: bench-start
	$(Q)set -e; for b in $(BENCHES); do $(MAKE) $$b; done

## spec: the document, as HTML and PDF
spec:
	@tools/deps spec
	@$(MAKE) $(PARALLEL) spec-now
spec-now: $(SPEC_TARGETS)

## run: the reference kernel under the monitor, on this machine's KVM or in the lab
run:
	@tools/deps run
	@$(MAKE) run-now
run-now: $(RUN_TARGETS)

## linux: the module for Linux, on the headers of the lab's kernel
linux:
	@tools/deps linux
	@$(MAKE) linux-now

## gdb: the reference kernel in QEMU, stopped at its C entry, with gdb attached
gdb:
	@tools/deps gdb
	@$(MAKE) gdb-now
gdb-now: $(GDB_TARGETS)

## deps: install what all of the above need (packages, by target, are listed in mk/deps.list)
deps:
	@tools/deps every

## install: install below $(DESTDIR)$(PREFIX); uninstall takes it away again
## uninstall: remove what install installed
## dist: a source archive of the committed tree; two runs give the same bytes
## fmt: format the C files
## lint: clang-tidy and cppcheck

## clean: remove build/ except the downloaded packages (clean-all removes these too)
clean:
	$(Q)if [ -d $(BUILD) ]; then find $(BUILD) -mindepth 1 -maxdepth 1 ! -name download \
		-exec rm -rf {} +; fi
clean-all:
	$(Q)rm -rf $(BUILD)

HELP.CHECK_QUICK = test groups of check-quick (also GROUP.othercc, .asan, .ndebug: make list-tests)
HELP.CHECK = what check runs besides
HELP.CHECK_LONG = what check-long runs alone

## help: this list
help:
	@echo "make TARGET [V=1] [CC=...] [CFLAGS=...] [BUILD=build] [DEPS=no]"
	@sed -n 's/^## \([a-z-]*\(NAME\)\{0,1\}\): \(.*\)/  \1\t\3/p' Makefile | \
		awk -F'\t' '{ printf "%-14s %s\n", $$1, $$2 }'
	@$(foreach list,CHECK_QUICK CHECK CHECK_LONG,echo; echo "$(HELP.$(list))"; \
		echo $(filter-out %.othercc %.asan %.ndebug,$($(list))) | fold -s -w 98 | sed 's/^/  /';)

list-tests:
	@printf '%s\n' $(CHECK_QUICK) $(CHECK) $(CHECK_LONG)

.PHONY: all list-tests demo demo-now check check-now check-quick check-quick-now check-long check-long-now \
	fuzz fuzz-now bench bench-now bench-start spec spec-now \
	run run-now gdb gdb-now deps clean clean-all help
