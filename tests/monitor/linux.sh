# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrun boots a stock Debian kernel with an initrd: one CPU without ACPI, two with it. In the payload.
. ./tap.sh
mkdir -p tree/bin tree/proc tree/sys
cp /bin/busybox tree/bin/
cat >tree/init <<'EOF'
#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox echo "LEVEL 2: $(/bin/busybox cat /proc/cmdline)"
/bin/busybox grep ttyS0 /proc/interrupts
/bin/busybox head -n 1 /proc/meminfo
/bin/busybox mount -t sysfs none /sys
/bin/busybox echo "CPUS $(/bin/busybox grep -c ^processor /proc/cpuinfo)"
/bin/busybox echo ACPI: $(/bin/busybox ls /sys/bus/acpi/devices)
facp=/sys/firmware/acpi/tables/FACP
[ -f $facp ] && /bin/busybox echo RESET $(/bin/busybox dd if=$facp bs=1 skip=116 count=13 2>/dev/null | /bin/busybox od -A n -t x1)
[ -f $facp ] && /bin/busybox poweroff -f
/bin/busybox reboot -f
EOF
chmod 755 tree/init
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd

line='console=ttyS0 quiet acpi=off panic=-1 reboot=k noxsave'
run ./pvrun --no-reboot --memory 192M --initrd initrd --append "$line mark=1" --stats linux
prints 0 "LEVEL 2: $line mark=1" 'Linux boots to its init, with our command line, and resets'
prints 0 '4:  *[1-9].*ttyS0' 'its console is driven by IRQ 4'
total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$dir/out")
[ "${total:-0}" -gt 120000 ] && [ "$total" -lt 196608 ]; result $? "it has its memory ($total kB)"
expect 0 '^  io_exits' 'and its exits are counted'
# Some 550; with small pages 28,000.
fixed=$(sed -n 's/^  pf_fixed  *//p' "$dir/err")
[ "${fixed:-10000}" -lt 10000 ]; result $? "large pages map its memory ($fixed exits for a page that was not mapped)"
line='console=ttyS0 panic=-1 noxsave'
run ./pvrun -c 2 --memory 192M --initrd initrd --append "$line" linux
prints 0 '^CPUS 2' 'with ACPI Linux finds both CPUs, and switches the machine off'
prints 0 'ACPI:.*PNP0501:00' 'and COM1 as a device'
prints 0 '4-edge *ttyS0' 'whose interrupt it has from there'
! grep -q 'ACPI.*\(Error\|Warning\|BIOS\)' "$dir/out"
result $? 'it has nothing to say against the tables'
prints 0 '^RESET 01 08 00 01 f9 0c 00 00 00 00 00 00 06' 'they name the reset register'
run ./pvrun --module initrd linux; expect 2 'takes no --module' 'Linux takes no modules'
run ./pvrun --memory 32M --initrd initrd linux; expect 125 'does not fit' 'too little memory for Linux'
head -c 1000000 linux >short; run ./pvrun short; expect 126 'truncated Linux' 'a bzImage cut short'
run ./pvrun --append "$(head -c 3000 /dev/zero | tr '\0' x)" linux
expect 125 'longer than this kernel takes' 'a command line longer than Linux takes'
done_testing
