# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrun on a working KVM: what it refuses, and the tiny guest's acts. POSIX shell, in the payload.
[ -n "${PVROM_LAB:-}" ] || exit 70	# it moves /dev/kvm about: in the lab only
. ./tap.sh
resets_twice() { [ "$(grep -c resetting "$dir/out")" -gt 1 ]; }
tiny() { act=$1; shift; run ./pvrun --append "$act" "$@" tiny.elf; }

# ---- refusals ----
run ./pvrun missing; expect 125 'cannot open missing: No such file' 'a missing kernel'
run ./pvrun /dev; expect 125 'not a regular file' 'a directory'
: >empty; run ./pvrun empty; expect 126 'is not a kernel' 'an empty file'
head -c 100000 /dev/zero >zeros; run ./pvrun zeros; expect 126 'is not a kernel' 'a file of zeros'
run ./pvrun guests.sh; expect 126 'is not a kernel' 'a text'
run ./pvrun pvrun; expect 126 'neither a PVH entry note nor a multiboot header' 'an ELF program'
for size in 4 16 63 64 100 200 1000 4100 5000; do
	head -c $size tiny.elf >short
	run ./pvrun short; expect 126 'truncated\|not a kernel' "an ELF kernel cut after $size bytes"
done
{ head -c 18 tiny.elf; printf '\267\0'; tail -c +21 tiny.elf; } >arm
run ./pvrun arm; expect 126 'another machine' 'an ELF kernel of another architecture'
head -c 5000 tiny.elf >short
run ./pvrun --boot multiboot short; expect 126 'truncated' 'a multiboot kernel cut short'
run ./pvrun --initrd missing tiny.elf; expect 125 'cannot open missing' 'a missing initrd'
run ./pvrun --module missing=x tiny.elf; expect 125 'cannot open missing' 'a missing module'
run ./pvrun --rom missing tiny.elf; expect 125 'cannot open missing' 'a missing ROM'
run ./pvrun --rom empty tiny.elf; expect 125 'cannot be a ROM' 'an empty ROM'
run ./pvrun --memory 500T tiny.elf; expect 125 'out of memory' 'more memory than there is'
run ./pvrun --load missing; expect 125 'cannot read missing' 'no machine to load'
run ./pvrun --load zeros; expect 125 'was not saved by this version' 'a file that is no machine'
head -c 8000000 /dev/zero >big
run ./pvrun --memory 8M --initrd big tiny.elf; expect 125 'does not fit' 'an initrd that does not fit'
for boot in pvh multiboot; do
	run ./pvrun --boot $boot --memory 8M --module big=x tiny.elf
	expect 125 'does not fit' "a module that does not fit, by $boot"
done
run ./pvrun --append "$(head -c 70000 /dev/zero | tr '\0' x)" tiny.elf
expect 125 'do not fit the boot area' 'a command line that is too long'
tiny exit=1 --stats --stats-file /nowhere/x; expect 125 'cannot write /nowhere/x' '--stats-file that cannot be'
mv /dev/kvm /dev/kvm-away
run ./pvrun tiny.elf; expect 125 'no /dev/kvm here' 'no /dev/kvm'
mv /dev/kvm-away /dev/kvm
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
chmod 755 . && run start-stop-daemon -S -c 65534:65534 -x ./pvrun -- tiny.elf
expect 125 'no permission to use /dev/kvm' 'no permission'
mv /dev/kvm /dev/kvm-away; ln -s null /dev/kvm
run ./pvrun tiny.elf; expect 125 'is not KVM' 'a /dev/kvm that is none'
rm /dev/kvm; mv /dev/kvm-away /dev/kvm

# A KVM that lacks what a guest needs: KVM_CAP_SYNC_REGS, KVM_CAP_READONLY_MEM; and KVM_CREATE_PIT2.
run ./kvm_without ae03 74 0 ./pvrun tiny.elf
expect 125 'this KVM cannot run the guest: it lacks synchronized registers' 'a KVM without a capability'
run ./kvm_without ae03 81 0 ./pvrun tiny.elf; expect 125 'it lacks read-only memory' '  or another'
run ./kvm_without 4040ae77 - 22 ./pvrun tiny.elf
expect 125 'this KVM cannot run the guest: KVM_CREATE_PIT2: Invalid' 'a KVM that refuses what it has'
run ./kvm_without ae41 - 12 ./pvrun tiny.elf
expect 125 'KVM makes no CPU 0: .*memory' 'a KVM that has no memory for a CPU'

# ---- ends ----
tiny exit=0; [ $status = 1 ]; result $? 'debug exit 0 is status 1'
tiny exit=5; [ $status = 11 ]; result $? 'debug exit 5 is status 11'
tiny exit=5 --boot multiboot; [ $status = 11 ]; result $? 'the same by multiboot'
tiny triple; expect 124 'triple fault' 'a triple fault is status 124'
expect 124 'rbx=0000000000001234' '  with the registers'
expect 124 '^cs=.*base=' '  and the segments'
expect 124 '^exits: io [1-9]' '  and what the CPU did so far'
tiny triple --cpus 2; expect 124 '^CPU 1 (not started):' '  and where the others are'
tiny wild; expect 124 'internal error .* of KVM' 'what KVM cannot run is status 124'
expect 124 '^rip=00000000d0000000' '  with the registers'
tiny reset=keyboard --no-reboot; [ $status = 0 ]; result $? '--no-reboot ends at a keyboard reset'
tiny reset=cf9 --no-reboot; [ $status = 0 ]; result $? '--no-reboot ends at a reset by 0xcf9'
./pvrun --append reset=cf9 tiny.elf >"$dir/out" 2>"$dir/err" </dev/null &
wait_for resets_twice; result $? 'a reset restarts the guest'
kill $!; status=0; wait $! || status=$?
[ $status = 143 ]; result $? 'SIGTERM ends it'
./pvrun --cpus 3 --append spin=2 tiny.elf >"$dir/out" 2>"$dir/err" </dev/null &
wait_for grep -q spinning "$dir/out"; kill $!; status=0; wait $! || status=$?
expect 143 '^CPU 1:' '  and it is said where its CPUs are'
expect 143 '^CPU 2 (not started):' '  those too that do not run'
grep -A4 '^CPU 1:' "$dir/err" | grep -q '^rip=.* rflags=0*[0-1]*[0-9a-f]*'; result $? '  by their registers'
tiny nothing; [ $status = 1 ]; result $? 'where nothing is, ones are read'

# ---- memory and boot records ----
tiny record --memory 64M; prints 1 '^pvh' 'a PVH boot record'
prints 1 '^usable 0+589824' '  with low memory'
prints 1 '^usable 1048576+65994752' '  and the rest but for the ROM'
prints 1 '^reserved 67043328+65536' '  whose pages are reserved'
tiny record --memory 64M --rom off; prints 1 '^usable 1048576+66060288' '  or not, without a ROM'
tiny record --boot multiboot; prints 1 '^multiboot' 'a multiboot record'
run ./pvrun --append exit=5 tiny32.elf; [ $status = 11 ]; result $? 'a 32-bit ELF file by PVH'
for file in tiny.elf tiny32.elf; do
	# The multiboot header is the first thing in the first page; without the flag for addresses:
	cp $file plain; printf '\3\0\0\0\373O\122\344' | dd of=plain bs=1 seek=4100 conv=notrunc 2>/dev/null
	run ./pvrun --boot multiboot --append exit=5 plain; [ $status = 11 ]
	result $? "multiboot without address fields: $file by its segments"
done
cp tiny.elf plain; printf '\3\0\0\0\373O\122\344' | dd of=plain bs=1 seek=4100 conv=notrunc 2>/dev/null
printf '\1' | dd of=plain bs=1 seek=28 conv=notrunc 2>/dev/null
run ./pvrun --boot multiboot --append exit=5 plain; expect 126 'below 4 GiB' '  an entry above 4 GiB is none'
echo first >one; echo second >two
for boot in pvh multiboot; do
	tiny record --boot $boot --initrd one --module two='a b=c' --module one
	[ "$(grep -A1 '^module' "$dir/out" | tr '\n' ,)" = \
	'module : first,,module a b=c: second,,module : first,,' ]
	result $? "modules by $boot"
done
tiny high=1024 --memory 4G; prints 1 '^good=4' 'memory above 4 GiB'
tiny record --memory 4G; prints 1 '^usable 4294967296+1073741824' '  is in the memory map'

# ---- CPUs and console ----
tiny cpus=1; [ $status = 1 ]; result $? 'one CPU'
# PVROM-SMP-5: there is a ROM, and START was not called.
tiny cpus=8 --cpus 8; prints 1 '^cpus=8' 'eight CPUs, started by INIT and SIPI'
status=0; echo 'hello guest' | ./pvrun --append echo tiny.elf >"$dir/out" 2>"$dir/err" || status=$?
prints 1 '^hello guest' 'standard input is COM1'

# ---- calls ----
tiny calls; prints 1 '^good: a call from compatibility mode' 'calls are told from what is none'
prints 1 '^good: that place from compatibility mode' '  also where a call was once made in 64-bit mode'
expect 1 '\[guest 0\] said to the host' '  and a line of the guest is shown'
tiny calls --quiet; [ $status = 1 ] && [ ! -s "$dir/err" ]; result $? '  but not with --quiet'
tiny start=4 --cpus 4; prints 1 '^good: and unseals' 'CPUs are started, stopped and parked by calls'
ends=; for i in 1 2 3 4; do tiny storm=12 --cpus 12; ends="$ends $status"; done
[ "$ends" = ' 1 1 1 1' ]; result $? 'the end comes while CPUs kick each other'
run timeout 30 ./pvrun --append talk --cpus 2 tiny.elf
prints 1 '^good: but soon again' 'the log is heard again though CPUs are kicked all the time'
tiny batch --cpus 2; prints 1 '^good: no batch' 'RESET waits for the calls that others are in'
tiny interrupts; prints 1 '^good: unmasked' 'alarms, IPIs, EOI and routes by calls'
for how in call icr pit; do
	tiny lost=$how --cpus 2; prints 1 '^good: none lost' "nothing is lost when an alarm is taken back: $how"
done
tiny off=0; [ $status = 0 ]; result $? 'SHUTDOWN off with code 0 is status 0'
tiny off=7; [ $status = 15 ]; result $? '  with code 7 it is status 15'
tiny crash=3; expect 7 'the guest says that it has crashed (code 3)' 'SHUTDOWN crash says so'
tiny calls --rom off; [ $status != 1 ]; result $? 'without a ROM there are no calls'
head -c 2048 /dev/urandom >junk; tiny exit=5 --rom junk; [ $status = 11 ]
result $? 'a file in place of the ROM is taken as it is'

# ---- statistics ----
tiny exit=0 --stats; expect 1 'exits that reached the monitor' '--stats'
expect 1 '^  exits  *[1-9]' '  with KVM'\''s own count'
tiny exit=0 --stats=json --stats-file stats; [ "$(wc -l <stats)" = 1 ] && [ ! -s "$dir/err" ] &&
	grep -q '^{"schema":1,.*"kvm":{.*"io_exits":[1-9].*"monitor":{"io":[1-9].*"calls":{' stats
result $? '--stats=json to a file, nothing on stderr'
tiny delay=5000 --stats=json --stats-file stats
grep -q '"monitor":{"io":[1-9][0-9]\{0,2\},.*"in_kvm":{"delay":5000}' stats
result $? 'writes to the delay port end in KVM, and are counted'
npt=$(cat /sys/module/kvm_amd/parameters/npt); case $npt in Y|1) npt=true;; *) npt=false;; esac
grep -q "\"nested_paging\":$npt" stats; result $? "nested paging found to be $npt"
done_testing
