# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The module's clocksource against the TSC for SECONDS_EACH, on two CPUs in pvrun. In the payload.
. ./tap.sh
mkdir -p tree/bin tree/proc tree/sys tree/dev
cp /bin/busybox tree/bin/
cp minutes_init tree/init
cp virtio.ko virtio_ring.ko pvrom.ko clock_minutes dmesg_judge tree/
chmod 755 tree/init tree/clock_minutes
(cd tree && find . | cpio -o -H newc 2>/dev/null) >initrd
run ./pvrun -c 2 --memory 192M --initrd initrd --quiet \
	--append "console=ttyS0 panic=-1 noxsave quiet watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 seconds=$SECONDS_EACH" linux
tr -d '\r' <"$dir/out" >"$dir/clean"; mv "$dir/clean" "$dir/out"
prints 0 '^CLOCK pvrom$' 'the clocksource is in use'
# Not one name a field: seconds samples back off-line-ns width-ns rate-first rate-last.
set -- $(sed -n 's/^MINUTES //p' "$dir/out")
echo "# $1 s, $2 samples: off the line by $4 ns (readings $5 ns wide), $6 and $7 ticks a second"
[ "${1:-0}" -ge "$SECONDS_EACH" ]; result $? "it is compared with the TSC for $SECONDS_EACH s"
[ "${3:-1}" = 0 ]; result $? 'no CPU reads less than another one did before'
# The host's clock may be slewed by 500 ppm, which the page follows; here nobody does.
[ "${6:-0}" -gt 0 ] && awk -v a="$6" -v b="$7" 'BEGIN { d = (a - b) / a; exit !(d < 50e-6 && d > -50e-6) }'
result $? 'it runs at the end as it did at the beginning, within 50 ppm'
[ "${4:-1000000}" -lt 10000 ]; result $? 'and is never 10 us off the straight line'
prints 0 '^CLOCK still pvrom$' 'Linux has not left it'
prints 0 '^JUDGED' 'Linux has judged itself'
! grep '^AGAINST' "$dir/out"; result $? 'and has nothing to say against itself'
done_testing
