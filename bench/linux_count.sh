# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# In the lab: linux_count.sh REQUESTS PINGS. Boots Debian in pvrun over each transport, without work and with it, and prints
# "WAY WHAT EXITS REACHED" an operation: all exits, and those of them that reached the monitor.
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
for what in disk ping; do
	[ $what = disk ] && work=$1 || work=$2
	for way in mmio bus; do
		boot $way $what 0; none=$exits none_reached=$reached
		boot $way $what "$work"
		echo "$way $what $exits $none $reached $none_reached $work" | awk '{ printf "%s %s %.2f %.2f\n", $1, $2, ($3 - $4) / $7, ($5 - $6) / $7 }'
	done
done
