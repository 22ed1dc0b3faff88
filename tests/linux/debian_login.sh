# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# An ordinary Debian, unmodified, from its disk: to a login prompt, a command, a reset and up again (BOOTS=1: not that), switched
# off.
. ./debian_console.sh
status=0
start
comes 1000 '^pvrom-guest login: '; result $? 'a login prompt on ttyS0'
logs_in; result $? 'root logs in'
asks 300 'tar xf /dev/vdb -C /root && echo TAKEN'; grep -q '^TAKEN' "$clean"; result $? 'a command runs'
asks 600 'systemctl is-system-running --wait'; grep -qx 'running' "$clean"; result $? 'no unit has failed'
asks 300 'echo FACTS $(nproc) $(findmnt -n -o SOURCE,FSTYPE /) $(cat /sys/block/vda/serial) $(ls /sys/block/vda/mq | wc -l)'
grep -q '^FACTS 2 /dev/vda ext4 pvrun-disk-0 2$' "$clean"; result $? 'two CPUs, and its root on two queues of our disk'
asks 300 'sh /root/dmesg_judge'; grep -q '^STATUS-0' "$clean" && grep -q '^JUDGED [1-9][0-9][0-9]' "$clean"
result $? 'Linux has nothing to say against itself'
asks 300 'echo "WARNING: CPU: 0 planted" >/dev/kmsg; sh /root/dmesg_judge'
grep -q '^STATUS-1' "$clean" && grep -q '^AGAINST .*planted' "$clean"; result $? 'and had it something, that would be seen'
asks 300 'dd if=/dev/urandom of=/root/kept bs=64k count=16 2>/dev/null; sha256sum </root/kept | tee /root/sum; tty'
grep -q '^/dev/ttyS0' "$clean"; result $? 'it writes a file'
again() {
	types 'reboot'
	comes 1000 '^pvrom-guest login: '; result $? 'reset, it comes again'
	logs_in; result $? 'root logs in again'
	asks 300 'test "$(sha256sum </root/kept)" = "$(cat /root/sum)" && echo KEPT'; grep -q '^KEPT' "$clean"; result $? 'the file is there'
	asks 300 'sh /root/dmesg_judge'; grep -q '^STATUS-0' "$clean"; result $? 'and nothing is said against it'
}
[ "${BOOTS:-2}" = 1 ] || again
types 'poweroff'
ended 600
[ $status = 0 ]; result $? 'switched off, pvrun ends with status 0'
# ext4: s_state at 58 is 1 if it was unmounted cleanly; s_feature_incompat at 96 has 4 if its journal must be replayed.
field() { dd if=/dev/vda bs=1 skip=$((1024 + $1)) count=1 2>/dev/null | od -A n -t u1; }
[ $(($(field 58) & 3)) = 1 ] && [ $(($(field 96) & 4)) = 0 ]; result $? 'its file system was left whole'
finish
