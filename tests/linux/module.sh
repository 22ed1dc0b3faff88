# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The module in the lab's own Linux under pvrun: loaded, read, its clocksource in use, unloaded, loaded LOADS times more;
# and where there is no ROM, a broken one, or no clock. In the payload.
. ./tap.sh
mkdir -p tree/bin tree/proc tree/sys tree/dev
cp /bin/busybox tree/bin/
cp guest_init tree/init
cp pvrom.ko msr.ko virtio.ko virtio_ring.ko failover.ko net_failover.ko virtio_net.ko clock_facts insert_module tree/
chmod 755 tree/init tree/clock_facts tree/insert_module
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd
boot() {
	more=$1; shift
	run ./pvrun -c 2 --memory 192M --initrd initrd --append "console=ttyS0 panic=-1 noxsave quiet watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 $more" "$@" linux
	tr -d '\r' <"$dir/out" >"$dir/clean"; mv "$dir/clean" "$dir/out"
}
# field NAME NUMBER: a word of the line that begins with NAME, the last one if there are several.
field() { sed -n "s/^$1 //p" "$dir/out" | tail -n 1 | cut -d ' ' -f "$2"; }

boot "loads=$LOADS"
prints 0 '^INSERT ok' 'the module loads'
prints 0 '^SYSFS version 1\.0 1\.0' 'sysfs has the version of the ROM and of the host'
prints 0 '^SYSFS verdict ready' 'the verdict'
prints 0 '^SYSFS digest [0-9a-f]\{64\}$' 'the digest of the ROM'
prints 0 '^SYSFS epoch [1-9]' 'the epoch'
prints 0 '^SYSFS offered .*clock' 'what the host offers'
prints 0 '^SYSFS granted irq clock$' 'what is granted'
prints 0 '^REASON mmu: nested paging present\|^REASON mmu: not' 'and why not more'
prints 0 '^CALLS base\.vcpu_area [1-9]' 'the calls as the host counts them'
[ "$(grep '^MADE' "$dir/out" | sort | tr '\n' ' ')" = "MADE base.negotiate 2 MADE base.query 1 MADE base.vcpu_area 2 MADE clock.page 1 " ]
result $? 'and as the module does'
[ "$(grep -c '^STOLEN [01] [0-9]*$' "$dir/out")" = 2 ]; result $? 'stolen time of both CPUs'
prints 0 '^CLOCKS .*pvrom' 'the clocksource is there'
rate=$(sed -n 's/^RATE \([^p][^ ]*\) \([0-9]*\) .*/\2/p' "$dir/out")
[ "$(field 'RATE pvrom' 1)" -gt $((${rate:-0} - ${rate:-0} / 1000)) ] &&
	[ "$(field 'RATE pvrom' 1)" -lt $((${rate:-0} + ${rate:-0} / 1000)) ]
result $? "in use it runs as the one before does ($rate ticks a second, $(field 'RATE pvrom' 1))"
[ "$(field 'RATE pvrom' 2)" = 0 ]; result $? 'and never back'
prints 0 '^PTP -\{0,1\}[0-3]\.[0-9]*' "the PTP clock has the time of day ($(field PTP 1) s from Linux's own)"
prints 0 '^RMMOD refused' 'a module whose clocksource is in use stays'
prints 0 '^AWAY 1' 'a CPU that goes takes its area along'
prints 0 '^BACK 2' 'and one that comes has one'
prints 0 '^UNLOADED 0  0' 'unloaded, nothing of it is left'
grep -q '^AGREED before [0-9a-f]*[1-9a-f]' "$dir/out" &&
	[ "$(sed -n 's/^AGREED [a-z]* //p' "$dir/out" | sort -u | wc -l)" = 1 ]
result $? "what Linux has agreed with KVM itself stays as it is ($(field 'AGREED before' 1-4))"
prints 0 "^LOADED pvrom $LOADS " "and it loads $LOADS times more"
first=$(sed -n 's/^MEMORY //p' "$dir/out" | head -n 1)
[ "$(field MEMORY 1)" -le $((${first% *} + 2)) ] && [ "$(field MEMORY 2)" -le $((${first#* } + 128 + LOADS / 8)) ]
result $? "without a leak (vmalloc areas and kB of slab: $first, $(field MEMORY 1-2))"
pvrom=$(field 'LOADED pvrom' 2) other=$(field 'LOADED virtio_net' 2)
[ "$(field 'LOADED pvrom' 1) $(field 'LOADED virtio_net' 1)" = '20 20' ] && [ "$pvrom" -le $((3 * other)) ]
result $? "loading takes at most three times as long as virtio_net ($pvrom us, $other us)"
against='^AGAINST|Oops|BUG:|Call Trace'
! grep -qE "$against" "$dir/out"; result $? 'the kernel has nothing to say against it'
prints 0 '^LEAVING pvrom' 'nor does the machine mind to be switched off while its clocksource is in use'

# Without a ROM it is not loaded, and says so once.
not_there() { # why NAME
	prints 0 '^INSERT No such device' "$2: it is not loaded: ENODEV"
	[ "$(grep -c "^LOG .*Linux runs without it: $1" "$dir/out")" = 1 ]; result $? 'and says why in one line'
	! grep -qE "$against" "$dir/out"; result $? 'the kernel has nothing to say against it'
}
boot '' --rom=off; not_there 'no ROM' 'no ROM'
printf '\377' | dd of=pvrom.rom bs=1 seek=1000 conv=notrunc 2>/dev/null
boot '' --rom=pvrom.rom; not_there 'bad checksum' 'a ROM with a wrong byte'
boot '' --feature=-clock
prints 0 '^SYSFS granted irq$' 'without the clock it is there all the same'
prints 0 '^REASON clock: switched off by the operator' 'and says why'
! grep -q '^CLOCKS .*pvrom\|^PTP [^n]\|^AGAINST' "$dir/out"; result $? 'without a clocksource and a PTP clock'
done_testing
