# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# In the payload of net_pvrun_test and net_pair_test: stock Debian guests of pvrun's, and their peers, in a network namespace
# without a way out. What the guests print, captures and statistics go to $LAB_OUT.
set -u
case $1 in
inside) shift;;
tap|saved) # Only ever in the lab's Linux, which is nobody's, for it takes its modules.
	for m in tun llc stp mrp garp 8021q; do [ ! -f $m.ko ] || insmod ./$m.ko; done;;
*) exec unshare -rn sh "$0" inside "$@";;
esac
pids=
trap 'kill $pids 2>/dev/null' EXIT
say() { if [ $? = 0 ]; then echo "ok: $1"; else echo "not ok: $1"; false; fi; }
until_true() { left=$(($1 * 5)); shift; while ! "$@"; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 0.2; done; }
sum() { sha256sum | cut -c1-64; }
ip link set lo up

# ---- peers ---------------------------------------------------------------------------------------------------
peers() {
	dd if=/dev/urandom of=sent bs=64k count=48 2>/dev/null
	nc -l -p 5001 -e sh -c 'cat >received' & pids="$pids $!"
	nc -l -p 5002 -e cat sent & pids="$pids $!"
	iperf3 -s >iperf.log 2>&1 & pids="$pids $!"
}

# ---- a guest with every offload, then one with none --------------------------------------------------------
listens_or_ended() { grep -q '^READY' "$LAB_OUT/$name.serial" || ! kill -0 $pid 2>/dev/null; }
# guest NAME WORDS: kernel command line words for its init.
guest() {
	name=$1
	shift
	peers
	./pvrun -c "${cpus:-1}" --memory 192M --initrd initrd --no-reboot --quiet \
		--append "console=ttyS0 panic=-1 noxsave quiet $*" \
		--net "user,hostfwd=tcp:127.0.0.1:8080-:80${words:-}" --mac 52:54:00:12:34:56 --pcap "$LAB_OUT/$name.pcapng" \
		--stats=json --stats-file "$LAB_OUT/$name.stats" linux </dev/null >"$LAB_OUT/$name.serial" 2>"$LAB_OUT/$name.log" &
	pid=$!
	pids="$pids $pid"
	until_true 220 listens_or_ended; grep -q '^READY' "$LAB_OUT/$name.serial"; say "$name: the guest listens"
	timeout 200 nc 127.0.0.1 8080 <sent >/dev/null; say "$name: a connection from the host to the guest, by hostfwd"
	wait $pid; [ $? = 0 ]; say "$name: pvrun ends well"
	tr -d '\r' <"$LAB_OUT/$name.serial" | grep -E '^(ok|not ok): ' | sed "s/: /: $name: /"
	grep -q '^END OF TEST' "$LAB_OUT/$name.serial"; say "$name: the guest came to its end"
	there=$(tr -d '\r' <"$LAB_OUT/$name.serial" | sed -n 's/^SUM in //p')
	[ "$there" = "$(sum <sent)" ]; say "$name: every byte of it arrived"
	there=$(tr -d '\r' <"$LAB_OUT/$name.serial" | sed -n 's/^SUM out //p')
	[ -n "$there" ] && [ "$there" = "$(sum <received)" ]; say "$name: so did every byte that the guest sent"
	there=$(tr -d '\r' <"$LAB_OUT/$name.serial" | sed -n 's/^SUM fetched //p')
	[ "$there" = "$(sum <sent)" ]; say "$name: and every byte that it fetched"
}

# ---- two guests on a switch ----------------------------------------------------------------------------------
# port N: the one of that number.
port() {
	./pvrun --memory 192M --initrd initrd --no-reboot --quiet \
		--append "console=ttyS0 panic=-1 noxsave quiet me=$1" --net port="$PWD/switch" \
		linux </dev/null >"$LAB_OUT/serial.$1" 2>"$LAB_OUT/pvrun.$1.log"
}
pair() {
	./pvrom-netd "--switch=$PWD/switch" 2>"$LAB_OUT/switch.log" & pids="$pids $!"
	until_true 60 [ -S switch ] || return
	port 2 & second=$!
	port 1 && wait $second
}

# ---- a tap interface -----------------------------------------------------------------------------------------
# serve PORT COMMAND: for each connection.
serve() { nc -ll -p "$1" -e sh -c "$2" & pids="$pids $!"; }
tap_peers() {
	dd if=/dev/urandom of=sent bs=64k count=16 2>/dev/null
	sum <sent >sent.sum
	serve 5001 'sha256sum | cut -c1-64 >took'
	serve 5002 'cat sent'
	serve 5003 'cat sent.sum'
	serve 5004 'cat took'
	iperf3 -s >iperf.log 2>&1 & pids="$pids $!"
	printf 'start 10.66.0.10\nend 10.66.0.20\ninterface card\nlease_file leases\nopt subnet 255.255.255.0\n' >udhcpd.conf
	: >leases
	udhcpd -f -S udhcpd.conf >/dev/null 2>&1 & pids="$pids $!"
}
# asked WORD TIMES: the guest has said so.
asked() { [ "$(tr -d '\r' <"$LAB_OUT/serial" | grep -c "^ASK $1\$")" -ge "$2" ]; }
# refused PATTERN DESCRIPTION OPTION...: pvrun says why, and ends with 125.
refused() {
	pattern=$1 what=$2
	shift 2
	./pvrun --memory 192M "$@" linux </dev/null >/dev/null 2>refused.log
	[ $? = 125 ] && grep -q "$pattern" refused.log; say "$what" || sed 's/^/# /' refused.log
}
tap() {
	tunctl -t card >/dev/null
	refused 'tap card.*several queues' 'an interface without several queues' --net tap=card,queues=2
	ip link del card
	refused 'name has .* characters' 'too long a name' --net tap=a-name-that-is-too-long
	refused 'no such word: fast' 'an unknown word' --net tap=card,fast
	refused 'mtu' 'an MTU that no tap has' --net tap=card,mtu=65536
	refused 'exists and is no tap\|no tap interface' 'an interface of another kind' --net tap=lo
	refused 'No such file\|no such' 'a switch that is not there' --net port="$PWD/nowhere"
	refused 'nowhere/x' 'a capture that cannot be written' --net tap=card --pcap nowhere/x
	./ip tuntap add dev card mode tap multi_queue
	ip addr add 10.66.0.1/24 dev card; ip link set card mtu 9000 up
	mkfifo input
	exec 3<>input
	./pvrun -c 2 --memory 192M --initrd initrd --append "console=ttyS0 panic=-1 noxsave quiet act=tap" \
		--net tap=card,queues=2,mtu=9000 --mac 52:54:00:12:34:56 linux <&3 >"$LAB_OUT/serial" 2>"$LAB_OUT/pvrun.log" &
	pvrun=$!
	tap_peers
	./ip link add link card name card.7 type vlan id 7 && ip addr add 10.67.0.1/24 dev card.7 && ip link set card.7 up
	./ip neigh add 10.66.0.99 lladdr 02:00:00:00:00:99 dev card
	./ip neigh add 10.67.0.99 lladdr 02:00:00:00:00:77 dev card.7
	refused 'tap card: ' 'an interface that another one uses' --net tap=card
	for times in 1 2 3; do
		until_true 100 asked others $times
		ping -c 10 -i 0.1 -W 1 10.66.0.99 >/dev/null 2>&1; echo go >&3
	done
	until_true 20 asked vlan 1; say "the guest comes that far"
	ping -c 5 -i 0.1 -W 1 10.67.0.99 >/dev/null 2>&1; echo go >&3
	until_true 60 asked gone 1; say "and to its end"
	ip link del card
	wait $pvrun; [ $? = 0 ]; say "pvrun ends well, though its interface has gone"
	grep -q 'tap card: the interface has gone' "$LAB_OUT/pvrun.log"; say "and says so"
}

# ---- saved and loaded ------------------------------------------------------------------------------------------
# pvrun_card OPTION...: becomes pvrun, whose output goes behind what is there; in a subshell, or in the background.
pvrun_card() {
	exec ./pvrun -c 2 --memory 128M --net tap=card,queues=2 "$@" </dev/null >>"$LAB_OUT/serial" 2>>"$LAB_OUT/pvrun.log"
}
saved() {
	./ip tuntap add dev card mode tap multi_queue
	ip addr add 10.66.0.1/24 dev card; ip link set card up
	tap_peers
	pvrun_card --mac 52:54:00:12:34:56 --save machine --initrd initrd \
		--append "console=ttyS0 panic=-1 noxsave quiet act=saved" linux & pvrun=$!
	until_true 120 asked save 1; say "the guest is in the midst of a connection"
	kill -USR2 $pvrun; wait $pvrun && [ -s machine ]; say "it is saved"
	(pvrun_card --mac 52:54:00:12:34:57 --load machine); [ $? = 125 ] &&
		grep -q 'saved with --mac 52:54:00:12:34:56' "$LAB_OUT/pvrun.log"; say "another address is refused"
	(pvrun_card --mac 52:54:00:12:34:56 --load machine); say "it is loaded, and comes to its end"
}
"$@"
