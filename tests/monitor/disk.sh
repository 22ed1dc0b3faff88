# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# A stock Debian kernel with a disk of pvrun's: found through the ACPI tables, driven by its own virtio_blk on two
# queues, written, flushed, read back, and there when the machine has gone. In the payload. BUG=NAME: by a pvrun with
# that mistake in it.
. ./tap.sh
bug=${BUG:+--bug=$BUG}
mkdir -p tree/bin tree/proc tree/sys tree/dev tree/tmp
cp /bin/busybox tree/bin/
cp virtio_ring.ko virtio.ko virtio_mmio.ko virtio_blk.ko tree/
cat >tree/init <<'EOS'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc none /proc; $b mount -t sysfs none /sys; $b mount -t devtmpfs none /dev
for m in virtio_ring virtio virtio_mmio virtio_blk; do $b insmod /$m.ko; done
$b echo DISK a $($b cat /sys/block/vda/size) $($b cat /sys/block/vda/serial) $($b cat /sys/block/vda/ro) \
	$($b ls /sys/block/vda/mq | $b wc -l) $($b cat /sys/block/vda/queue/write_cache)
$b echo DISK b $($b cat /sys/block/vdb/size) $($b cat /sys/block/vdb/ro)
$b dd if=/dev/urandom of=/tmp/x bs=64k count=48 2>/dev/null
$b dd if=/tmp/x of=/dev/vda bs=64k seek=3 conv=fsync 2>/dev/null && $b echo WRITTEN
$b echo 3 >/proc/sys/vm/drop_caches
$b dd if=/dev/vda of=/tmp/y bs=4k skip=48 count=768 2>/dev/null
$b cmp /tmp/x /tmp/y && $b echo SAME $($b sha256sum </tmp/x)
$b dd if=/tmp/x of=/dev/vdb bs=4k count=1 conv=fsync 2>/dev/null || $b echo REFUSED
$b blkdiscard -o 196608 -l 65536 /dev/vda && $b echo DISCARDED
$b poweroff -f
EOS
chmod 755 tree/init
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd
dd if=/dev/zero of=first bs=1M count=8 2>/dev/null
dd if=/dev/zero of=second bs=4k count=3 2>/dev/null
sha256sum second >second.sum

line='console=ttyS0 panic=-1 noxsave quiet'
run ./pvrun $bug -c 2 --memory 192M --initrd initrd --append "$line" --disk=first,queues=2 \
	--disk=second,ro linux
prints 0 '^DISK a 16384 pvrun-disk-0 0 2 write back' 'Linux finds the disk: size, serial, two queues, a write cache'
prints 0 '^DISK b 24 1' 'and a read-only one'
prints 0 '^WRITTEN' 'it writes and flushes it'
prints 0 '^SAME' 'and reads back what it wrote'
prints 0 '^DISCARDED' 'and discards a part'
prints 0 '^REFUSED' 'it cannot write to the read-only one'
sha256sum -c second.sum >/dev/null 2>&1; result $? 'whose file is as it was'
sum=$(sed -n 's/^SAME \([0-9a-f]*\).*/\1/p' "$dir/out")
# The first 64 KiB of it were discarded.
{ dd if=/dev/zero bs=64k count=1; dd if=first bs=64k skip=4 count=47; } 2>/dev/null >after
dd if=first bs=64k skip=3 count=48 2>/dev/null | cmp - after; result $? 'the file has zeros where it was discarded'
[ "$(dd if=first bs=64k skip=4 count=47 2>/dev/null | sha256sum)" != "$(dd if=/dev/zero bs=64k count=47 2>/dev/null | sha256sum)" ] &&
	[ -n "$sum" ]; result $? 'and data elsewhere'

# ---- limits, and past the page cache: a second machine ----------------------------------------------------------
# It ends by a restart, under ACPI and on one CPU. Pages are read one at a time: 43 of them are 2.1 s of 20 a second, 1 MiB is 2 s of 512 KiB a second. The host may only be late; without a limit it is a fraction of that.
cat >tree/init <<'EOS'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc none /proc; $b mount -t sysfs none /sys; $b mount -t devtmpfs none /dev
for m in virtio_ring virtio virtio_mmio virtio_blk; do $b insmod /$m.ko; done
now() { read up idle </proc/uptime; echo ${up%.*}${up#*.}; }
for d in vda vdb vdc; do echo 0 >/sys/block/$d/queue/read_ahead_kb; done
at=$(now); $b dd if=/dev/vda of=/dev/null bs=4k skip=100 count=43 2>/dev/null; echo "LIMIT iops $(($(now) - at))"
at=$(now); $b dd if=/dev/vdb of=/dev/null bs=64k count=17 2>/dev/null; echo "LIMIT bps $(($(now) - at))"
at=$(now); $b dd if=/dev/vdc of=/dev/null bs=4k skip=100 count=43 2>/dev/null; echo "LIMIT none $(($(now) - at))"
$b dd if=/dev/zero bs=4k count=16 2>/dev/null | $b tr '\0' 'd' >/tmp/x
$b dd if=/tmp/x of=/dev/vdc bs=4k seek=8 conv=fsync 2>/dev/null && echo DIRECT
$b reboot -f
EOS
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd
dd if=/dev/zero of=third bs=1M count=4 2>/dev/null
dd if=/dev/zero of=fourth bs=1M count=4 2>/dev/null
insmod ./brd.ko rd_nr=1 rd_size=1024
run timeout 150 ./pvrun $bug --no-reboot --memory 192M --initrd initrd --append "$line" --disk=third,iops=20 --disk=fourth,bps=524288 \
	--disk=/dev/ram0,direct linux
# least LIMIT HUNDREDTHS
least() { t=$(sed -n "s/^LIMIT $1 \([0-9]*\).*/\1/p" "$dir/out"); echo "# $1: ${t:-none} hundredths of a second"; [ "${t:-0}" -ge "$2" ]; }
least iops 180; result $? 'iops: 43 reads take two seconds'
least bps 180; result $? 'bps: a mebibyte takes two seconds'
prints 0 '^LIMIT none' 'a disk without a limit beside them'
prints 0 '^DIRECT' 'direct: a block device is written past the page cache'
[ "$(dd if=/dev/ram0 bs=4k skip=8 count=16 2>/dev/null | tr -d d | wc -c)" = 0 ]; result $? 'and holds what was written'
# The page cache has nothing of it: the lab's files are in memory, where there is no direct I/O.
run timeout 10 ./pvrun $bug --disk=third,direct linux; expect 125 'third.*direct' 'direct: refused where the file system cannot'

run timeout 10 ./pvrun $bug --disk=missing linux; expect 125 'missing.*No such file' 'a disk that is not there'
run timeout 10 ./pvrun $bug --disk=tree linux; expect 125 'tree.*directory' 'a directory'
dd if=/dev/zero of=odd bs=100 count=1 2>/dev/null
run timeout 10 ./pvrun $bug --disk=odd linux; expect 125 'odd.*sector' 'a file shorter than a sector'
run timeout 10 ./pvrun $bug --disk=first --disk=first linux; expect 125 'first.*\(locked\|in use\)' 'one file for two disks'
run timeout 10 ./pvrun $bug --disk=first,fast linux; expect 2 'unknown word .fast' 'an unknown word'
run timeout 10 ./pvrun $bug --disk=first,iops=0 linux; expect 2 'not a number' 'a limit of nothing'
run timeout 10 ./pvrun $bug --disk=first,ro=1 linux; expect 2 'takes no value' 'a word with a value it does not take'
run timeout 10 ./pvrun $bug --disk=first,queues=17 linux; expect 2 'not a number from 1 to 16' 'too many queues'
done_testing
