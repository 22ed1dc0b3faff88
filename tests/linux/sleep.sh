# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Suspend to disk with the module in use: Linux writes itself to a disk of pvrun's and switches off; another Linux in
# another pvrun, with another host behind the same ROM, reads it and goes on as it. In the payload.
. ./tap.sh
. ./life_boot.sh
initrd initrd
truncate -s 256M swap

boot sleep 2 '' 256M --disk swap
prints 0 '^AWAKE ready, clock pvrom' 'Linux with the module in use, and a disk to sleep on'
prints 0 'pvrom: power off by the host' 'it writes itself there and switches off'
! grep -q '^WOKEN' "$dir/out"; result $? 'and does not come back by itself'
first=$(sed -n 's/^RATE pvrom \([0-9]*\) .*/\1/p' "$dir/out")
boot wake 2 '' 256M --disk swap
prints 0 '^SLEPT 0' 'a new machine wakes it'
prints 0 '^WOKEN ready, clock pvrom, granted .*clock' 'it has negotiated with the new host, and its clocksource goes on'
prints 0 '^WOKEN AREAS 2' 'both CPUs have their areas'
slept=$(sed -n 's/^SLEPT 0 \(-\{0,1\}[0-9]*\)$/\1/p' "$dir/out")
[ "${slept:--1}" -ge 0 ] && [ "$slept" -lt 60000 ]; result $? "time went on, and not far ($slept hundredths of a second)"
rate=$(sed -n 's/^RATE pvrom \([0-9]*\) .*/\1/p' "$dir/out")
[ "${rate:-0}" -gt $((${first:-0} - ${first:-0} / 1000)) ] && [ "$rate" -lt $((${first:-0} + ${first:-0} / 1000)) ]
result $? "at the rate of before ($first ticks a second, $rate)"
prints 0 '^RATE pvrom [0-9]* 0$' 'and never back'
prints 0 '^AGAIN AREAS 2' 'a CPU goes and comes as before'
quiet_kernel

# The same with its disk on the bus. The new host has another ROM, which cannot be read while interrupts are off.
boot sleep 2 over=bus 256M --disk swap
prints 0 '^AWAKE ready, clock pvrom, granted .*dev blk' 'Linux sleeps on a disk of the bus'
boot wake 2 '' 256M --disk swap --slots=native
prints 0 '^WOKEN ready, clock pvrom, granted .*clock dev blk' 'with another ROM it has negotiated all of it anew'
prints 0 '^WOKEN DISK /sys/devices/pvrom/' 'and its disk is there'
quiet_kernel
done_testing
