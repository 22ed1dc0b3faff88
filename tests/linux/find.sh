# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Where the module finds the ROM of a host that is there, beside the CPUID leaves of module.sh: in the option ROM window, and at an
# address that its parameter tells. In the payload.
. ./tap.sh
. ./life_boot.sh
initrd initrd

boot there 1 '' 256M --find=window
prints 0 '^ONLY ready, clock pvrom, .*found by option ROM window$' 'in the option ROM window'
run_times 'base.shutdown' 1 'without the leaves its calls arrive all the same'
quiet_kernel
# The last 64 KiB of memory, which no E820 entry has as RAM.
boot there 1 rom=0xfff0000 256M --find=told
prints 0 '^ONLY ready, clock pvrom, .*found by boot loader$' 'where the parameter rom says'
quiet_kernel
boot there 1 '' 256M --find=told
prints 0 "^insmod: .*No such device" 'nobody says so: it is not loaded'
quiet_kernel
# Not memory, all ones; half RAM and half not; beyond what the CPU can address.
for address in 0xfed00000 0xffeffe0 0xffffffffffff0000; do
	boot there 1 rom=$address 256M --find=told
	prints 0 "^insmod: .*No such device" "nothing is at $address"
	quiet_kernel
done
done_testing
