# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The module in the lab's own Linux under pvrun: loaded, read, its clocksource in use, unloaded, loaded LOADS times more;
# and where there is no ROM, a broken one, or no clock. In the payload.
. ./tap.sh
mkdir -p tree/bin tree/proc tree/sys tree/dev
cp /bin/busybox tree/bin/
cp guest_init tree/init
cp dmesg_judge pvrom.ko msr.ko virtio.ko virtio_ring.ko failover.ko net_failover.ko virtio_net.ko clock_facts insert_module tree/
chmod 755 tree/init tree/clock_facts tree/insert_module
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd
# On one CPU of this machine, so that each of the guest's has some of its time stolen.
boot() {
	more=$1; shift
	run taskset 1 ./pvrun -c 2 --memory 192M --initrd initrd --append "console=ttyS0 panic=-1 noxsave quiet watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 $more" "$@" linux
	tr -d '\r' <"$dir/out" >"$dir/clean"; mv "$dir/clean" "$dir/out"
}
no_word_against() {
	grep -q '^JUDGED [1-9][0-9]' "$dir/out" && ! grep -qE '^AGAINST|Oops|BUG:|Call Trace' "$dir/out"
	result $? 'the kernel has nothing to say against it'
}
# field NAME NUMBER: a word of the line that begins with NAME, the last one if there are several.
field() { sed -n "s/^$1 //p" "$dir/out" | tail -n 1 | cut -d ' ' -f "$2"; }

boot "loads=$LOADS"
prints 0 '^INSERT ok' 'the module loads'
prints 0 '^SYSFS version 1\.0 1\.0$' 'sysfs has the version of the ROM and of the host'
prints 0 '^SYSFS verdict ready' 'the verdict'
prints 0 '^SYSFS route CPUID leaves$' 'how the ROM was found'
prints 0 '^SYSFS digest [0-9a-f]\{64\}$' 'its digest'
prints 0 '^SYSFS epoch [1-9]' 'the epoch'
prints 0 '^SYSFS offered cpu irq smp alarm clock$' 'what the host offers'
prints 0 '^SYSFS clock \(synchronized\|free-running\|unreliable\)$' 'how true its time of day is'
prints 0 '^SYSFS granted irq clock$' 'what is granted'
case $(cat /sys/module/kvm_*/parameters/npt /sys/module/kvm_*/parameters/ept 2>/dev/null) in
1|Y) why='nested paging present';;
*) why='not owned by this host';;
esac
prints 0 "^REASON mmu: $why\$" "and why not more: $why"
calls='base.negotiate 2 base.query 1 base.vcpu_area 2 clock.page 1 '
made() { sed -n "s/^$1 //p" "$dir/out" | sort | tr '\n' ' '; }
[ "$(made CALLS)" = "$calls" ]; result $? 'the calls as the host counts them'
[ "$(made MADE)" = "$calls" ]; result $? 'and as the module does'
[ "$(grep -c '^STOLEN [01] [0-9]*$' "$dir/out")" = 2 ]; result $? 'stolen time of both CPUs'
said=$(field MEANWHILE 1) counted=$(field MEANWHILE 2)
[ "${said:-0}" -gt 1000 ] && [ "$said" -gt $((counted - counted / 4 - 300)) ] && [ "$said" -lt $((counted + counted / 4 + 300)) ]
result $? "which grows as what KVM tells Linux by itself ($said and $counted ms)"
prints 0 '^CLOCKS .*pvrom' 'the clocksource is there'
rate=$(sed -n 's/^RATE \([^p][^ ]*\) \([0-9]*\) .*/\2/p' "$dir/out")
[ "$(field 'RATE pvrom' 1)" -gt $((${rate:-0} - ${rate:-0} / 1000)) ] &&
	[ "$(field 'RATE pvrom' 1)" -lt $((${rate:-0} + ${rate:-0} / 1000)) ]
result $? "in use it runs as the one before does ($rate ticks a second, $(field 'RATE pvrom' 1))"
[ "$(field 'RATE pvrom' 2)" = 0 ]; result $? 'and never back'
prints 0 '^PTP -\{0,1\}[0-3]\.[0-9]*' "the PTP clock has the time of day ($(field PTP 1) s from Linux's own)"
[ "$(field 'CROSS' 1)" != none ] && awk -v a="$(field CROSS 1)" -v b="$(field PTP 1)" 'BEGIN { exit !(a - b < 0.5 && b - a < 0.5) }'
result $? "and Linux compares both at one instant ($(field CROSS 1) s)"
prints 0 '^EXITS pvrom 0$' 'a read of the clock does not leave the machine'
prints 0 '^RMMOD refused' 'a module whose clocksource is in use stays'
prints 0 '^AWAY 1' 'a CPU that goes takes its area along'
prints 0 '^BACK 2' 'and one that comes has one'
prints 0 '^UNLOADED 0  0' 'unloaded, nothing of it is left'
grep -q '^AGREED before [0-9a-f]*[1-9a-f]' "$dir/out" &&
	[ "$(sed -n 's/^AGREED [a-z]* //p' "$dir/out" | sort -u | wc -l)" = 1 ]
result $? "what Linux has agreed with KVM itself stays as it is ($(field 'AGREED before' 1-4))"
prints 0 "^LOADED pvrom $LOADS " "and it loads $LOADS times more"
first=$(sed -n 's/^MEMORY //p' "$dir/out" | head -n 1)
set -- $first
[ "$(field MEMORY 1)" -le $(($1 + 2)) ] && [ "$(field MEMORY 2)" -le $(($2 + 128 + LOADS / 8)) ] && [ "$(field MEMORY 3)" -ge $(($3 - 1024 - LOADS)) ]
result $? "without a leak (vmalloc areas, kB of slab, kB free: $first, $(field MEMORY 1-3))"
pvrom=$(field 'LOADED pvrom' 2) other=$(field 'LOADED virtio_net' 2)
[ "$(field 'LOADED pvrom' 1) $(field 'LOADED virtio_net' 1)" = '20 20' ] && [ "$pvrom" -le $((3 * other)) ]
result $? "loading takes at most three times as long as virtio_net ($pvrom us, $other us)"
no_word_against
prints 0 '^LEAVING pvrom' 'nor does the machine mind to be switched off while its clocksource is in use'

# Without a ROM it is not loaded, and says so once.
not_there() { # why NAME
	prints 0 '^INSERT No such device' "$2: it is not loaded: ENODEV"
	grep -q "^LOG .*Linux runs without it: $1\$" "$dir/out" && [ "$(grep -c '^LOG' "$dir/out")" = 1 ]; result $? 'and says why in one line'
	no_word_against
}
boot '' --rom=off; not_there 'no ROM' 'no ROM'
printf '\377' | dd of=pvrom.rom bs=1 seek=1000 conv=notrunc 2>/dev/null
boot '' --rom=pvrom.rom; not_there 'bad checksum' 'a ROM with a wrong byte'
boot '' --feature=-clock
prints 0 '^SYSFS granted irq$' 'without the clock it is there all the same'
prints 0 '^REASON clock: switched off by the operator' 'and says why'
! grep -q '^CLOCKS .*pvrom\|^PTP [^n]\|^AGAINST' "$dir/out"; result $? 'without a clocksource and a PTP clock'
done_testing
