# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Debian's own stress-ng and fio check what they compute and what they read back from our disk, SECONDS_EACH and MEGABYTES
# at a time, with the module loaded and its clocksource in use. In the payload.
. ./debian_console.sh
status=0
dd if=/dev/zero of=scratch bs=1M count="$MEGABYTES" 2>/dev/null
start --disk=scratch,queues=2
comes 1000 '^pvrom-guest login: ' && logs_in; result $? 'root logs in'
asks 300 'tar xf /dev/vdb -C /root && insmod /root/pvrom.ko && cat /sys/kernel/pvrom/verdict'
grep -qx ready "$clean"; result $? 'the module loads'
current=/sys/devices/system/clocksource/clocksource0/current_clocksource
asks 300 "echo pvrom >$current; cat $current"
grep -qx pvrom "$clean"; result $? 'its clocksource is in use'

asks $((SECONDS_EACH * 4 + 120)) "sh /root/debian_work stress $SECONDS_EACH"
grep -q '^DONE stress 0 0 bad' "$clean"; result $? 'stress-ng --verify is clean'
[ "$(grep -c '^OPS [a-z]* [1-9]' "$clean")" -ge 8 ]; result $? 'and its workers have done something, but for one at most'
sed -n 's/^OPS \([a-z]* [1-9].*\)/# \1/p' "$clean"
for engine in libaio psync; do
	asks 900 "sh /root/debian_work write /dev/vdc $engine"
	grep -q "^DONE write 0 0;$((MEGABYTES * 1024))" "$clean"; result $? "fio --verify by $engine: it reads what it wrote"
	asks 900 "sh /root/debian_work read /dev/vdc $engine"
	grep -q "^DONE read 0 0;$((MEGABYTES * 1024))" "$clean"; result $? 'and another process reads all of it again'
done
printf X | dd of=scratch bs=1 seek=100000 conv=notrunc 2>/dev/null
asks 900 "sh /root/debian_work read /dev/vdc psync"
grep -q '^DONE read 1 ' "$clean" && grep -q '^crc32c: verify failed' "$clean"; result $? 'had it changed a byte, that would be seen'
asks 300 'sh /root/dmesg_judge'; grep -q '^STATUS-0' "$clean"; result $? 'Linux has nothing to say against itself'
asks 300 "cat $current"; grep -qx pvrom "$clean"; result $? 'and has kept the clocksource'
types 'poweroff'
ended 600
[ $status = 0 ]; result $? 'the machine switches off'
finish
