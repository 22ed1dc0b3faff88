# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# In the lab: linux_count.sh REQUESTS PINGS SECONDS LOADS. Boots Debian in pvrun over each transport, without work and with it,
# and prints "WAY WHAT EXITS REACHED" an operation: all exits, and those of them that reached the monitor. The same for a read
# of the clock by the module's clocksource, for so many seconds; and the module's time to load beside that of virtio_net's.
ip link set lo up
dd if=/dev/zero of=first bs=1M count=32 2>/dev/null
# boot WAY WHAT WORK: sets exits and reached.
boot() {
	./pvrun -c 1 --memory 192M --initrd initrd --append "console=ttyS0 panic=-1 noxsave quiet act=counted way=$1 what=$2 work=$3" \
		--disk first --net user --stats=json --stats-file stats linux </dev/null >serial 2>log
	tr -d '\r' <serial | grep -q "^DONE $3\$" || { tail -n 5 serial log >&2; exit 1; }
	exits=$(sed 's/.*"exits":\([0-9]*\).*/\1/' stats)
	reached=$(sed 's/.*"monitor":{"io":\([0-9]*\),"mmio":\([0-9]*\).*/\1 + \2/' stats); reached=$(($reached))
}
# an_operation WAY WHAT COUNT: how much more the boot with it needed. Two boots differ a little by themselves: not below none.
an_operation() {
	echo "$1 $2 $exits $none $reached $none_reached $3" | awk 'function more(a, b) { return a > b ? a - b : 0 }
		{ printf "%s %s %.4f %.4f\n", $1, $2, more($3, $4) / $7, more($5, $6) / $7 }'
}
measure() {
	boot $1 $2 0; none=$exits none_reached=$reached
	boot $1 $2 "$3"
}
for what in disk ping; do
	[ $what = disk ] && work=$1 || work=$2
	for way in mmio bus; do
		measure $way $what "$work"; an_operation $way $what "$work"
	done
done
measure bus clock "$3"
reads=$(tr -d '\r' <serial | sed -n 's/^READS pvrom //p')
[ "${reads:-0}" -gt 0 ] || { echo "no clock was read" >&2; tail -n 5 serial >&2; exit 1; }
an_operation bus clock "$reads"
boot bus load "$4"
tr -d '\r' <serial | sed -n 's/^LOADED //p' >loaded
[ "$(grep -c " $4 [1-9]" loaded)" = 2 ] || { echo "not loaded $4 times" >&2; cat loaded >&2; exit 1; }
sed 's/^/load /' loaded
