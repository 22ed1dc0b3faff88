# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# What the tests of the network card with stock guests share; to be sourced: TAP, a guest of Debian's kernel and
# programs, and a judge of captures.
#
#	where		scratch folder
. tests/wait_for.sh
build=${BUILD:-build}
where=$(mktemp -d "${TMPDIR:-/tmp}/pvrom-net.XXXXXX")
n=0
PATH=$PATH:/usr/sbin:/sbin

# result STATUS DESCRIPTION
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		# Of a guest that crashed: what tells most.
		grep -hE '^pvrun: CPU |^CPU |^(rip|cr0|cs|gdt)=' "$where"/pvrun*.log 2>/dev/null | head -n 14 | sed 's/^/# /'
		for file in "$where"/*.log "$where"/serial*; do
			[ -s "$file" ] && tail -n 15 "$file" | tr -d '\r' | sed "s,^,# ${file##*/}: ,"
		done
		:
	fi
}

# guest_results FILE PREFIX: each line `ok: ...` or `not ok: ...` of the file as a result, and that END OF TEST stands there.
guest_results() {
	tr -d '\r' <"$1" | grep -E '^(ok|not ok): ' >"$where/results"
	while read -r line; do
		case $line in
		ok:*) result 0 "$2: ${line#ok: }" ;;
		*)
			result 1 "$2: ${line#not ok: }"
			tr -d '\r' <"$1" | grep -F -x -A 4 "$line" | tail -n +2 | sed 's/^/# behind it: /'
			;;
		esac
	done <"$where/results"
	tr -d '\r' <"$1" | grep -qx 'END OF TEST'
	result $? "$2: the guest came to its end"
}

# Programs of this machine with their libraries, below $1.
take_programs() {
	tree=$1
	shift
	for program; do
		cp "$(command -v "$program")" "$tree/bin/"
		for library in $(ldd "$tree/bin/$program" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$tree$(dirname "$library")"
			[ -f "$tree$library" ] || cp -L "$library" "$tree$library"
		done
	done
}

# make_guest INITRD PROGRAM...: a guest with the card's modules in their order, these programs, and init from
# standard input; in it `say WHAT` reports how the last command ended.
make_guest() {
	initrd=$1 tree=$where/tree
	linux=$build/lab/linux
	modules=$linux/lib/modules/$(cat "$linux/release")/kernel
	shift
	mkdir -p "$tree/bin" "$tree/lib/modules" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/tmp" "$tree/etc"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for name in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_mmio failover \
		net_failover virtio_net llc stp mrp garp 8021q; do
		find "$modules" -name "$name.ko" -exec cp {} "$tree/lib/modules/" \;
		[ -f "$tree/lib/modules/$name.ko" ] && echo "$name" >>"$tree/lib/modules/order"
	done
	take_programs "$tree" "$@"
	cat >"$tree/bin/take-lease" <<-'LEASE'
		#!/bin/sh
		# udhcpc's script.
		[ "$1" = bound ] || exit 0
		ip addr add "$ip/$mask" dev "$interface"
		[ -z "$router" ] || ip route replace default via "${router%% *}"
		echo "LEASE $ip/$mask router=$router dns=$dns"
	LEASE
	chmod 755 "$tree/bin/take-lease"
	{
		cat <<-'INIT'
			#!/bin/busybox sh
			/bin/busybox --install -s /bin
			mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
			mount -t tmpfs tmp /tmp
			for m in $(cat /lib/modules/order); do insmod /lib/modules/$m.ko; done
			say() { if [ $? = 0 ]; then echo "ok: $1"; else echo "not ok: $1"; false; fi; }
			sum() { sha256sum | cut -c1-64; }
			dhcp() { udhcpc -i "${1:-eth0}" -n -q -t 8 -T 2 -s /bin/take-lease; }
			# until SECONDS COMMAND...
			until_true() { left=$(($1 * 5)); shift; while ! "$@"; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 0.2; done; }
			export PATH=/bin
			ip link set lo up
		INIT
		cat
		echo 'echo "END OF TEST"; poweroff -f'
	} >"$tree/init"
	chmod 755 "$tree/init"
	(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$initrd"
	rm -rf "$tree"
}

# iperf3 is held to 40 Mbit/s, for every frame is judged afterwards.
# make_basic_guest INITRD: one that tries what everybody uses, against peers at 10.0.2.2: ports 5001 takes a file, 5002 gives
# one, iperf3 listens; port 80 of its own takes one. On its command line: form=offloads|plain ring=split|packed.
make_basic_guest() {
make_guest "$1" iperf3 ethtool <<'INIT'
[ "$(cat /sys/class/net/eth0/address)" = 52:54:00:12:34:56 ]; say "virtio_net found the card"
bits=$(cat /sys/bus/virtio/devices/virtio0/features)
bit() { [ "$(echo "$bits" | cut -c$(($1 + 1)))" = $2 ]; }
[ $ring = packed ] && packed=1 || packed=0
bit 34 $packed; say "its ring is $ring"
bit 0 1 && bit 11 1 && bit 12 1 && bit 13 1; say "checksums and segmentation of TCP over IPv4 and IPv6, ECN"
bit 15 1 && bit 17 1; say "mergeable buffers, control queue"
ip link set eth0 up
if [ "$form" = plain ]; then
	ethtool -K eth0 tx off rx off sg off tso off gso off gro off >/dev/null 2>&1
	ethtool -k eth0 >/tmp/k
	grep -q 'tx-checksumming: off' /tmp/k && grep -q 'tcp-segmentation-offload: off' /tmp/k &&
		grep -q 'generic-segmentation-offload: off' /tmp/k && grep -q 'scatter-gather: off' /tmp/k; say "all offloads off"
else
	ethtool -k eth0 | grep -q 'tcp-segmentation-offload: on'; say "segmentation is the card's"
fi
dhcp >/tmp/lease; say "a lease from the user-mode network"; cat /tmp/lease
ping -c 3 10.0.2.2; say "ping"
until_true 20 ping -6 -c 1 fec0::2; say "ping by IPv6"
dd if=/dev/urandom of=/tmp/out bs=64k count=48 2>/dev/null
echo "SUM out $(sum </tmp/out)"
nc 10.0.2.2 5001 </tmp/out; say "it sends a file"
nc 10.0.2.2 5002 </dev/null >/tmp/fetched; say "it fetches one"
echo "SUM fetched $(sum </tmp/fetched)"
nc -l -p 80 -e sh -c 'cat >/tmp/in' &
until_true 60 grep -qE ':0050 [0-9A-F:]+ 0A ' /proc/net/tcp /proc/net/tcp6 # it listens
echo READY; wait $!; say "it takes one"
echo "SUM in $(sum </tmp/in)"
iperf3 -c 10.0.2.2 -t 2 -b 40M >/tmp/iperf 2>&1; say "iperf3 to the host for two seconds" || tail -n 3 /tmp/iperf
grep receiver /tmp/iperf | sed 's/^/RATE to /'
iperf3 -c 10.0.2.2 -t 2 -b 40M -R >/tmp/iperf 2>&1; say "iperf3 from the host" || tail -n 3 /tmp/iperf
grep receiver /tmp/iperf | sed 's/^/RATE from /'
iperf3 -c 10.0.2.2 -u -b 4M -t 1 >/tmp/iperf 2>&1; say "iperf3 by UDP" || tail -n 3 /tmp/iperf
nc -w 5 10.0.2.2 9 </dev/null; [ $? != 0 ]; say "a closed port refuses"
for c in rx_errors tx_errors rx_dropped; do [ "$(cat /sys/class/net/eth0/statistics/$c)" = 0 ] || echo "$c"; done >/tmp/errors
[ ! -s /tmp/errors ]; say "no errors" || cat /tmp/errors
INIT
}

# make_pair_guest INITRD: one of two, told me=1 or me=2, that talk with each other only: the second serves, the first asks.
make_pair_guest() {
	make_guest "$1" iperf3 ethtool <<'INIT'
other=$((3 - me))
ip link set eth0 up
ip addr add 10.88.0.$me/24 dev eth0
ip link add link eth0 name eth0.5 type vlan id 5
ip addr add 10.89.0.$me/24 dev eth0.5
ip link set eth0.5 up
say "a card, with a VLAN on it"
wrong_sums() {
	awk '/^(Tcp|Udp):/ { if ($2 ~ /^[0-9]/) { for (i = 2; i <= NF; i++) if (name[i] == "InCsumErrors") s += $i }
		else for (i = 2; i <= NF; i++) name[i] = $i } END { print s + 0 }' /proc/net/snmp
}
if [ $me = 2 ]; then
	dd if=/dev/urandom of=/tmp/file bs=64k count=24 2>/dev/null
	sum </tmp/file >/tmp/sum
	nc -ll -p 5001 -e sh -c 'sha256sum | cut -c1-64 >/tmp/took' &
	nc -ll -p 5002 -e cat /tmp/file &
	nc -ll -p 5003 -e cat /tmp/sum &
	nc -ll -p 5004 -e cat /tmp/took &
	iperf3 -s -D
	nc -l -p 5010 </dev/null; say "the other one is done"
	[ "$(wrong_sums)" = 0 ]; say "no wrong checksum arrived"
	echo "END OF TEST"; poweroff -f
fi
data() {
	dd if=/dev/urandom of=/tmp/out bs=64k count=24 2>/dev/null
	nc $1 5001 </tmp/out >/dev/null && [ "$(nc $1 5004 </dev/null)" = "$(sum </tmp/out)" ] &&
		nc $1 5002 </dev/null >/tmp/in && [ "$(nc $1 5003 </dev/null)" = "$(sum </tmp/in)" ]
}
until_true 60 ping -c 1 -W 1 10.88.0.2; say "it pings the other one"
until_true 20 nc -w 2 10.88.0.2 5003 </dev/null
data 10.88.0.2; say "data both ways"
iperf3 -c 10.88.0.2 -t 1 >/tmp/iperf 2>&1 && grep receiver /tmp/iperf | sed 's/^/RATE to /' &&
	iperf3 -c 10.88.0.2 -t 1 -R >/tmp/iperf 2>&1 && grep receiver /tmp/iperf | sed 's/^/RATE from /'; say "iperf3 both ways"
iperf3 -c 10.88.0.2 -u -b 4M -t 1 >/dev/null 2>&1; say "UDP"
ping -c 2 10.89.0.2 && data 10.89.0.2; say "the same over the VLAN"
ethtool -K eth0 tx off sg off tso off gso off gro off >/dev/null 2>&1
data 10.88.0.2 && data 10.89.0.2; say "and without offloads"
[ "$(wrong_sums)" = 0 ]; say "no wrong checksum arrived"
nc 10.88.0.2 5010 </dev/null; say "good bye"
INIT
}

# What tshark finds wrong with the sums of a capture, as a filter, and who is believed to be right: of one's complement's
# two zeros it takes 0 alone for TCP, but Linux sends 0xffff where it fills in a sum itself (skb_checksum_help()), as for
# a tap interface or with its offloads off: one segment in 65,536. Any receiver that adds up the whole, as RFC 9293 and
# 1071 have it, takes both. So a sum of 0xffff where 0 is expected is right; any other difference is not.
sums='-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE'
other_zero='(tcp.checksum == 0xffff && tcp.checksum_calculated == 0)'
wrong_sum="ip.checksum.status == 0 || udp.checksum.status == 0 || (tcp.checksum.status == 0 && !$other_zero)"

# checksums FILE FILTER: how many frames of IPv4, TCP and UDP there are in a capture whose sums are good and bad, as shell
# variables; of the good ones of TCP, how many have the other zero.
checksums() {
	tshark -n -r "$1" ${2:+-Y "$2"} $sums -T fields -e ip.checksum.status -e tcp.checksum.status -e udp.checksum.status \
		-e tcp.checksum -e tcp.checksum_calculated 2>"$where/tshark.err" |
		awk -F '\t' '
			# An ICMP error quotes a packet: the first value is of the frame itself.
			function first(text) { split(text, v, ","); return v[1] }
			function count(proto, text) { if (text != "") n[proto first(text)]++ }
			{ frames++; count("ip", $1); count("udp", $3) }
			first($2) == "0" && first($4) == "0xffff" && first($5) == "0x0000" { n["other"]++; $2 = "1" }
			{ count("tcp", $2) }
			END { printf "frames=%d ip_good=%d ip_bad=%d tcp_good=%d tcp_bad=%d udp_good=%d udp_bad=%d other_zero=%d\n", frames,
				n["ip1"], n["ip0"], n["tcp1"], n["tcp0"], n["udp1"], n["udp0"], n["other"] }'
}

# show_frames FILE FILTER [MOST]: the first of them, a line each, as # lines.
show_frames() {
	tshark -n -r "$1" -Y "$2" $sums -T fields -E header=y -e frame.number -e frame.len -e eth.src -e ip.id -e ip.checksum \
		-e ip.checksum_calculated -e tcp.srcport -e tcp.seq_raw -e tcp.len -e tcp.flags -e tcp.checksum \
		-e tcp.checksum_calculated -e udp.length -e udp.checksum -e udp.checksum_calculated -e frame.comment 2>/dev/null |
		head -n "$((${3:-8} + 1))" | tr '\t' ' ' | sed 's/^/# /'
}

# show_wrong FILE FILTER: the frames with a wrong sum; the first of them with every byte, and so all others with its
# sequence number, among them the same segment sent anew: which differs, the sum, the headers or the data?
show_wrong() {
	wrong="($wrong_sum)${2:+ && ($2)}"
	show_frames "$1" "$wrong"
	read -r number sequence port <<-END
		$(tshark -n -r "$1" -Y "$wrong" $sums -T fields -e frame.number -e tcp.seq_raw -e tcp.srcport 2>/dev/null | head -n 1)
	END
	same="frame.number == $number"
	[ -z "$sequence" ] || same="$same || (tcp.seq_raw == ${sequence%%,*} && tcp.srcport == ${port%%,*})"
	echo "# the first wrong one, what has its sequence number, and its neighbours:"
	show_frames "$1" "$same || frame.number == $((number - 1)) || frame.number == $((number + 1))"
	tshark -n -r "$1" -Y "$same" -x 2>/dev/null | head -n 400 | sed 's/^/# /'
}

# capture_is_good FILE TCP UDP FILTER: no wrong sum in it, and at least so many right ones.
capture_is_good() {
	counted=$(checksums "$1" "${4:-}")
	echo "# ${1##*/}: $counted"
	eval "$counted"
	[ "$ip_bad$tcp_bad$udp_bad" = 000 ] || show_wrong "$1" "${4:-}"
	[ "$ip_bad$tcp_bad$udp_bad" = 000 ] && [ "$ip_good" -ge $(($2 + $3)) ] && [ "$tcp_good" -ge "$2" ] &&
		[ "$udp_good" -ge "$3" ]
}
