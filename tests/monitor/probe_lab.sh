# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrom-probe on machines of the lab: its own Linux (QEMU's software CPU), as root and as nobody; a stock Linux in pvrun,
# alone and with the module; the reference kernel. In the payload.
. ./tap.sh
. ./probe_guest.sh
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
chmod 755 .

run ./pvrom-probe; prints 1 "^machine     QEMU's software CPU (TCG)" 'the software CPU of QEMU'
prints 1 '^ROM         none$' '  where there is no ROM: status 1'
prints 1 '^processor   can run guests, with nested paging;' '  nested paging for its guests'
run start-stop-daemon -S -c 65534:65534 -x ./pvrom-probe
prints 4 '^ROM         none by CPUID; physical memory was not looked at$' 'the same as nobody: status 4'
run ./pvrom-probe -q; [ "$status" = 1 ] && [ ! -s "$dir/out" ]; result $? '-q says nothing'
run ./pvrom-probe --try; prints 1 '^features    none: no ROM here$' '--try tries nothing where nothing was granted'

what_host_offers 'nested paging present' "the processor walks its guests' page tables"
mv /dev/kvm /dev/away
run ./pvrom-probe --host; prints 1 '^KVM here    absent$' '  or has none: status 1'
ln -s null /dev/kvm
run ./pvrom-probe --host; prints 1 '^KVM here    fails: KVM_GET_API_VERSION' '  or one that is none'
rm /dev/kvm; mv /dev/away /dev/kvm
run ./pvrom-probe --host --kernel pvrom-kernel.elf; prints 0 '^blk         yes  yes      no       yes      yes ' '--kernel: what that kernel would get'

# ---- a guest -----------------------------------------------------------------------------------------------
guest ''; prints 0 '^machine     KVM$' 'a guest of KVM'
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
prints 0 '^STATUS module 0' 'with the module: status 0, without /dev/mem too'
prints 0 '^MODULE ROM         valid, with a live host$' '  for the kernel has seen the ROM'
prints 0 '^MODULE clock       yes  yes      no       yes      yes      not tried$' '  and what its host has offered and granted'
prints 0 '^MODULE    off: nested paging present$' '  and withheld, and why'
prints 0 '^MODULE    off: the kernel does not want it$' '  and what Linux has no code for'
prints 0 '^TRY clock       yes  yes      no       yes      yes      yes$' '--try: the clock goes on'
prints 0 '^SAME$' '  and the log has the same lines, to the letter'

# ---- the reference kernel, by the same core ---------------------------------------------------------------------
dd if=/dev/zero of=disk bs=1M count=1 2>/dev/null
kernel --cpus 2 --disk disk --net user
prints 1 '^interfaces  KVM, pvrom$' 'the reference kernel says the same of this machine'
prints 1 '^ROM         valid, with a live host$' '  and of the ROM'
for feature in cpu irq smp alarm clock dev blk net; do
	prints 1 "^$feature  *yes  yes      no       yes      yes      yes\$" "  and that $feature works"
done
prints 1 '^   off: nested paging present$' '  and why the MMU is withheld'
kernel; prints 1 '^smp         yes  yes      no       yes      yes      not tried$' 'what there is nothing to try with is not tried'
head -c 4096 /dev/urandom >damaged
kernel --rom damaged; prints 1 '^ROM         refused: ' 'a damaged ROM is refused, and it says why'

done_testing
