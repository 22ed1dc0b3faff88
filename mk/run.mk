# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# make run and make gdb: the reference kernel by hand.
# NPT=0|1 nested paging of the lab's KVM; APPEND the kernel's command line; PVRUN more options.
NPT    ?= 1
APPEND ?= facts
PVRUN  ?= --stats

RUN_TARGETS += run-kernel
GDB_TARGETS += gdb-kernel
.PHONY: run-kernel gdb-kernel

# By the debug-exit port the kernel says 0, all is well, as exit status 1.
run-kernel: $(KERNEL_ELF) $(BUILD)/pvrun $(LAB)
	@mkdir -p $(BUILD)/run && cp $(KERNEL_ELF) $(BUILD)/pvrun $(BUILD)/run/
	$(Q)BUILD=$(BUILD) tools/lab-run --npt $(NPT) --cpus 2 --timeout 600 --payload $(BUILD)/run -- \
		./pvrun --cpus 4 $(PVRUN) --append '$(APPEND)' $(notdir $(KERNEL_ELF)); [ $$? = 1 ]

gdb-kernel: $(KERNEL_ELF)
	$(Q)BUILD=$(BUILD) tools/gdb-kernel $(KERNEL_ELF) '$(APPEND)'
