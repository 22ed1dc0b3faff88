# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Stock QEMU in front of pvrom-netd, with stock Debian Linux in it; to be sourced behind net_guest.sh.
#
#	card_options, socket_options	more of the QEMU device's options and of its socket's, each with a comma in front
#	queues, cpus	of the card and the machine		limit	seconds
server_pid= qemu_pids= other_pids=
clean_up() {
	# QEMU stands behind timeout, which hands it on.
	for pid in $qemu_pids $server_pid $other_pids; do kill "$pid" 2>/dev/null; done
	[ -n "${KEEP:-}" ] || rm -rf "$where"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# start_server WORDS...: an export each.
start_server() {
	"$build/pvrom-netd" "$@" 2>>"$where/server.log" &
	server_pid=$!
	for export; do
		socket=${export#socket=}
		wait_for 60 test -S "${socket%%,*}" || return 1
	done
}

stop_server() {
	kill "$server_pid"
	wait "$server_pid"
	server_status=$?
	server_pid=
	return $server_status
}

# vectors=0: QEMU 7.2 without KVM falls over a guest that uses MSI-X on vhost-user-net.
# start_linux NAME SOCKET WORDS...: boots $where/initrd with a card over the socket; what it prints goes to
# $where/serial.NAME, lines for it to $where/input.NAME.
start_linux() {
	name=$1 socket=$2
	shift 2
	rm -f "$where/input.$name" "$where/serial.$name" "$where/monitor.$name."*
	: >"$where/serial.$name"
	mkfifo "$where/input.$name" "$where/monitor.$name.in" "$where/monitor.$name.out"
	timeout -k 5 "${limit:-300}" qemu-system-x86_64 -machine q35,memory-backend=mem -accel tcg,thread=multi \
		-m 256 -smp "${cpus:-1}" -display none -nodefaults -no-user-config ${once--no-reboot} \
		-object memory-backend-memfd,id=mem,size=256M,share=on \
		-chardev "pipe,id=monitor,path=$where/monitor.$name" -mon chardev=monitor \
		-chardev "socket,id=net,path=$socket${socket_options:-}" \
		-netdev "vhost-user,id=n,chardev=net,queues=${queues:-1}" \
		-device "virtio-net-pci,netdev=n,romfile=,vectors=0,mac=${mac:-52:54:00:12:34:56}${card_options:-}" \
		-chardev stdio,id=serial,signal=off -serial chardev:serial \
		-kernel "$build"/lab/linux/boot/vmlinuz-* -initrd "$where/initrd" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check $*" \
		<>"$where/input.$name" >"$where/serial.$name" 2>"$where/qemu.$name.log" &
	qemu_pid=$!
	qemu_pids="$qemu_pids $qemu_pid"
}

# says NAME LINE: the guest printed it. begins: or a line that begins so.
says() { tr -d '\r' <"$where/serial.$1" 2>/dev/null | grep -qx -- "$2"; }
begins() { tr -d '\r' <"$where/serial.$1" 2>/dev/null | grep -q -- "^$2"; }
# What stands behind WORD in the guest's last line that begins with it.
told() { tr -d '\r' <"$where/serial.$1" | sed -n "s/^$2 //p" | tail -n 1; }
# tell_qemu NAME COMMAND: to its monitor. tell NAME LINE: to the guest.
tell_qemu() { echo "$2" >"$where/monitor.$1.in"; }
tell() { echo "$2" >"$where/input.$1"; }

ended() { says "$1" "END OF TEST" || ! kill -0 "$qemu_pid" 2>/dev/null; }
