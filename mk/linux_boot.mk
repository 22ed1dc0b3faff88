# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Stock Linux in pvrun: exits of its boot.
BENCHES += bench-linux-boot-now
bench-linux-boot:
	@tools/deps bench
	@$(MAKE) bench-linux-boot-now
bench-linux-boot-now: $(BUILD)/pvrun $(LAB)
	$(Q)BUILD=$(BUILD) bench/linux_boot_bench
.PHONY: bench-linux-boot bench-linux-boot-now
