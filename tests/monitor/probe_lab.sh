# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrom-probe on machines of the lab: its own Linux (QEMU's software CPU), as root and as nobody; and a stock Linux in
# pvrun, with a ROM, with one in the option ROM window, with a damaged one, and with none. In the payload.
. ./tap.sh
npt=$(cat /sys/module/kvm_amd/parameters/npt); case $npt in Y|1) npt=yes;; *) npt=no;; esac
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
chmod 755 .

run ./pvrom-probe; prints 1 "^machine     QEMU's software CPU (TCG)" 'the software CPU of QEMU'
prints 1 '^ROM         none$' '  where there is no ROM: status 1'
[ "$npt" = yes ] && words=', with nested paging' || words=', without nested paging'
prints 1 "^processor   can run guests$words;" "  nested paging for its guests: $npt"
run start-stop-daemon -S -c 65534:65534 -x ./pvrom-probe
prints 4 '^ROM         none by CPUID; physical memory was not looked at$' 'the same as nobody: status 4'
run ./pvrom-probe -q; [ "$status" = 1 ] && [ ! -s "$dir/out" ]; result $? '-q says nothing'

run ./pvrom-probe --host; prints 0 '^KVM here    runs$' '--host: this KVM runs a guest, tried'
[ "$npt" = yes ] && words='nested paging present' || words='not owned by this host'
[ "$(grep -A1 '^mmu ' "$dir/out" | tail -n 1)" = "   off: $words" ]; result $? "  and would withhold the MMU: $words"
prints 0 '^clock       yes  yes ' '  and offer a clock'
mv /dev/kvm /dev/away
run ./pvrom-probe --host; prints 1 '^KVM here    absent$' '  or has none: status 1'
ln -s null /dev/kvm
run ./pvrom-probe --host; prints 1 '^KVM here    fails: KVM_GET_API_VERSION' '  or one that is none'
rm /dev/kvm; mv /dev/away /dev/kvm
run ./pvrom-probe --host --kernel pvrom-kernel.elf; prints 0 '^blk         yes  yes      no       yes      yes ' '--kernel: what that kernel would get'

# ---- a guest -----------------------------------------------------------------------------------------------
mkdir -p tree/bin tree/proc tree/sys tree/dev tree/etc
cp busybox tree/bin/ 2>/dev/null || cp /bin/busybox tree/bin/
cp pvrom-probe tree/
cat >tree/init <<'EOS'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc none /proc; $b mount -t sysfs none /sys; $b mount -t devtmpfs none /dev
echo; /pvrom-probe; export NO_COLOR=1
echo; /pvrom-probe; echo "STATUS root $?"
/pvrom-probe --json; echo "STATUS json $?"
/pvrom-probe --record /record >/dev/null; /pvrom-probe --replay /record >/replay; /pvrom-probe >/now
$b cmp /now /replay && echo REPLAYED
$b rm /dev/mem; /pvrom-probe >/nobody; echo "STATUS nobody $?"; $b grep ^ROM /nobody
$b poweroff -f
EOS
chmod 755 tree/init
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd
guest() {
	run ./pvrun --memory 192M --initrd initrd --append 'console=ttyS0 panic=-1 noxsave quiet' "$@" linux
	tr -d '\r' <"$dir/out" >plain; mv plain "$dir/out"
}

guest; prints 0 '^machine     KVM$' 'a guest of KVM'
prints 0 "^.\[1mmachine.\[0m     KVM$" '  in bold on a terminal, but for NO_COLOR'
prints 0 '^interfaces  KVM, pvrom$' '  with the interface of pvrom too'
prints 0 '^ROM         valid, with a live host$' '  and a ROM that a kernel would take'
prints 0 '^            found by CPUID leaves; version 1.0$' '  found by its leaves'
prints 0 '^features    not known: the host was not asked$' '  whose host only a kernel can ask'
prints 0 '^STATUS root 0' '  status 0'
prints 0 '^  "rom": "valid, with a live host",$' '  the same as JSON'
prints 0 '^REPLAYED$' '  a recording gives the same verdict'
prints 0 '^STATUS nobody 4' '  without /dev/mem: status 4'
prints 0 '^ROM         named by CPUID, not read$' '  for the ROM is named, and not read'
head -c 4096 /dev/urandom >damaged
guest --rom damaged; prints 0 '^ROM         refused: ' 'a damaged ROM is refused, and the probe says why'
prints 0 '^STATUS root 3' '  status 3'

# ---- the reference kernel, by the same core ---------------------------------------------------------------------
run ./pvrun --quiet --append 'only=clock.tsc probe' pvrom-kernel.elf; tr -d '\r' <"$dir/out" | sed 's/^# probe: //' >plain; mv plain "$dir/out"
prints 1 '^interfaces  KVM, pvrom$' 'the reference kernel says the same of this machine'
prints 1 '^ROM         valid, with a live host$' '  and of the ROM'
prints 1 '^clock       yes  yes      no       yes      yes      yes$' '  and knows what the host offers, and that the clock goes on'
prints 1 "^   off: $words$" "  and why the MMU is withheld: $words"
[ "$npt" = no ] || { done_testing; exit; }
guest --find window; prints 0 '^ROM         valid, but nothing shows a live host behind it$' 'a ROM in the window'
prints 0 '^STATUS root 3' '  which a kernel would first ask for its host: status 3'
guest --rom off; prints 0 '^ROM         none$' 'a guest without a ROM'
prints 0 '^STATUS root 1' '  status 1'
done_testing
