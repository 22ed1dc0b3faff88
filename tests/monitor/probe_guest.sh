# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# A stock Linux in pvrun that runs pvrom-probe, for scripts of the lab, to be sourced; beside tap.sh. In the payload.
mkdir -p tree/bin tree/proc tree/sys tree/dev tree/etc
cp busybox tree/bin/ 2>/dev/null || cp /bin/busybox tree/bin/
cp pvrom-probe pvrom.ko virtio_ring.ko virtio.ko virtio_blk.ko failover.ko net_failover.ko virtio_net.ko tree/
cat >tree/init <<'EOS'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc none /proc; $b mount -t sysfs none /sys; $b mount -t devtmpfs none /dev
echo; /pvrom-probe; echo "STATUS root $?"
if $b grep -q devices /proc/cmdline; then
	for module in virtio_ring virtio pvrom virtio_blk failover net_failover virtio_net; do $b insmod /$module.ko; done
	$b ip link set eth0 up; $b sleep 1
	/pvrom-probe --try >/try; echo "STATUS try $?"; $b sed 's/^/TRY /' /try
	$b poweroff -f
fi
$b grep -q short /proc/cmdline && $b poweroff -f
NO_COLOR=1 /pvrom-probe; echo "STATUS plain $?"
/pvrom-probe --json; echo "STATUS json $?"
/pvrom-probe --record /record >/dev/null; /pvrom-probe --replay /record >/replay; /pvrom-probe >/now
$b cmp /now /replay && echo REPLAYED
$b mv /dev/mem /mem; /pvrom-probe >/nobody; echo "STATUS nobody $?"; $b grep ^ROM /nobody
for module in virtio_ring virtio pvrom; do $b insmod /$module.ko; done; $b sleep 1
# With the module everybody may see what was asked, and what works.
/pvrom-probe >/module; echo "STATUS module $?"; $b sed 's/^/MODULE /' /module
$b mv /mem /dev/mem
/pvrom-probe --try >/try; echo "STATUS try $?"; $b sed 's/^/TRY /' /try
$b dmesg | $b sed -n 's/.*pvrom: probe: //p' >/log; $b sed 's/^/LOG /' /log
$b cmp /log /try && echo SAME
$b poweroff -f
EOS
chmod 755 tree/init
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd

# guest WORDS PVRUN-OPTION...: what it says is in $dir/out
guest() {
	words=$1; shift
	run ./pvrun --memory 192M --initrd initrd --append "console=ttyS0 panic=-1 noxsave quiet $words" "$@" linux
	tr -d '\r' <"$dir/out" >plain; mv plain "$dir/out"
}
# kernel PVRUN-OPTION...: the reference kernel, and what the probe says in it
kernel() {
	run ./pvrun --quiet "$@" --append 'only=clock.tsc probe' pvrom-kernel.elf
	tr -d '\r' <"$dir/out" | sed 's/^# probe: //' >plain; mv plain "$dir/out"
}
# what_host_offers WHY WHOSE: of its KVM
what_host_offers() {
	run ./pvrom-probe --host; prints 0 '^KVM here    runs$' '--host: this KVM runs a guest, tried'
	prints 0 "^            kvm_amd; $2\$" "  and who keeps the page tables: $2"
	[ "$(grep -A1 '^mmu ' "$dir/out" | tail -n 1)" = "   off: $1" ]; result $? "  and would withhold the MMU: $1"
	prints 0 '^clock       yes  yes ' '  and offer a clock'
}
