# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# How the lab's own Linux ends in pvrun with the module in use: switched off and restarted by the host's call, by kexec
# into another kernel, by a panic without and with a crash kernel. In the payload.
. ./tap.sh
. ./life_boot.sh
initrd initrd2
initrd initrd linux initrd2

boot off 2
prints 0 'pvrom: power off by the host' 'Linux is switched off by the host'
expect 0 '^  base.shutdown  *1$' 'which was asked to, once'
quiet_kernel
run_times 'base.vcpu_area' 4 'each CPU gave its area back'
run_times 'clock.page' 2 'and the clock page was given back'

# How it ends by firmware: the host is not asked to, but has all back.
boot firmware 2
expect 0 '^  base.reset  *1$' 'shutdown=0: all is given back'
! grep -q 'by the host' "$dir/out" && ! grep -q '^  base.shutdown' "$dir/err"; result $? 'and the machine is switched off by ACPI'
quiet_kernel

boot kexec 2
prints 0 '^FIRST ready, clock pvrom' 'a kernel has the module in use'
prints 0 '^SECOND ready, clock pvrom, granted .*clock' 'the one that it starts by kexec has it too'
prints 0 '^SECOND AREAS 2' 'on both CPUs'
prints 0 'pvrom: restart by the host' 'and is restarted by the host'
run_times 'base.vcpu_area' 8 'the first gave back its areas before the second began'
run_times 'clock.page' 4 'and its clock page'
run_times 'base.shutdown' 1 'kexec is no restart'
# RESET is for the last CPU that runs: where there are two it is refused, and each kernel negotiates an empty set instead.
run_times 'base.reset' 2 'each asks for a reset'
run_times 'base.negotiate' 8 'and, for there are two CPUs, seals the empty set'
quiet_kernel
boot kexec 1
prints 0 '^SECOND ready, clock pvrom' 'kexec on one CPU'
run_times 'base.reset' 2 'each kernel is reset'
run_times 'base.negotiate' 4 'and need not negotiate for that'
run_times 'clock.page' 4 'its clock page was given back'
quiet_kernel

# Restarted by the keyboard controller.
boot panic 1 reboot=k
prints 0 '^ONLY ready' 'a Linux that will panic'
expect 0 '\[guest 0\] panic: sysrq triggered crash' 'its last words are in the log of the host'
! grep -q 'says that it has crashed' "$dir/err"; result $? 'which is not told to end the machine'
boot crash 1
expect 1 '\[guest 0\] panic: sysrq triggered crash' 'with crash=1 too'
expect 1 'the guest says that it has crashed' 'and the machine ends at once, as a crash'
truncate -s 16M disk
boot dump 1 'crashkernel=160M crash_kexec_post_notifiers reboot=k over=bus' 512M --disk disk
prints 0 '^KEXEC loaded' 'crash=1 and a crash kernel'
expect 0 '\[guest 0\] panic: sysrq triggered crash' 'again the last words'
! grep -q 'says that it has crashed' "$dir/err"; result $? 'but the machine does not end'
prints 0 '^DUMPED 0' 'for the crash kernel runs, and has the dump'
prints 0 '^KEPT on /sys/devices/pvrom/' 'which it writes to a disk that the first kernel had on the bus'
done_testing
