# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Stock QEMU in front of pvrom-blkd, with stock Debian Linux in it or firmware alone; to be sourced.
#
#	where		scratch folder		server	the program
#	export_words	more words of the export (queues=4, ...)
. tests/wait_for.sh
build=${BUILD:-build}
where=$(mktemp -d)
socket=$where/socket
disk=$where/disk
log=$where/server.log
server=$build/pvrom-blkd
server_pid=
qemu_pid=
n=0

clean_up() {
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null # timeout, which hands it on
	[ -z "$server_pid" ] || kill -9 "$server_pid" 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$where"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# result STATUS DESCRIPTION
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		tail -n 15 "$where/serial" 2>/dev/null | tr -d '\r' | sed 's/^/# serial: /'
		tail -n 10 "$log" 2>/dev/null | sed 's/^/# server: /'
	fi
}

# The server; its messages go to $log, behind what is there.
start_server() {
	$server "$@" "socket=$socket,file=$disk,id=front-end-test${export_words:+,$export_words}" 2>>"$log" &
	server_pid=$!
	wait_for 10 test -S "$socket"
}

stop_server() {
	kill "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
	server_pid=
}

# The counter NAME of the server, asked anew.
counter() {
	before=$(grep -c ' reads ' "$log")
	kill -USR1 "$server_pid"
	wait_for 10 sh -c "[ \$(grep -c ' reads ' '$log') -gt $before ]"
	grep ' reads ' "$log" | tail -n 1 | tr ' ' '\n' | sed -n "/^$1\$/{n;p;}"
}

# ---- Linux ------------------------------------------------------------------------------------------

# The guest: busybox, the disk's modules in their order, disk_guest, programs with their libraries, and init from
# standard input.
make_guest() {
	tree=$where/tree
	linux=$build/lab/linux
	modules=$linux/lib/modules/$(cat "$linux/release")/kernel
	mkdir -p "$tree/bin" "$tree/lib/modules" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/tmp" "$tree/mnt" "$tree/etc"
	ln -sf /proc/mounts "$tree/etc/mtab"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cp "$build/disk_guest" "$tree/bin/"
	for name in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
		find "$modules" -name "$name.ko" -exec cp {} "$tree/lib/modules/" \;
		[ -f "$tree/lib/modules/$name.ko" ] && echo "$name" >>"$tree/lib/modules/order"
	done
	for program in "$@"; do
		cp "$(command -v "$program" || command -v "/sbin/$program" || command -v "/usr/sbin/$program")" "$tree/bin/"
		for library in $(ldd "$tree/bin/$program" | grep -o '/[^ ]*'); do
			mkdir -p "$tree$(dirname "$library")"
			cp -L "$library" "$tree$library"
		done
	done
	{
		cat <<-'INIT'
			#!/bin/busybox sh
			/bin/busybox --install -s /bin
			mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
			mount -t tmpfs tmp /tmp
			for m in $(cat /lib/modules/order); do insmod /lib/modules/$m.ko; done
			say() { if [ $? = 0 ]; then echo "ok: $1"; else echo "not ok: $1"; false; fi; }
		INIT
		cat
		echo 'echo "END OF TEST"; sync; poweroff -f'
	} >"$tree/init"
	chmod 755 "$tree/init"
	(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$where/initrd"
	rm -rf "$tree"
}

# qemu OPTION...: starts a machine with our disk; what it prints goes to $where/serial, lines for it to $where/input.
# $disk_options: of the device, after a comma; $drive: the chardev's, the same.
start_qemu() {
	rm -f "$where/input" "$where/serial"
	mkfifo "$where/input"
	timeout -k 5 "${limit:-120}" qemu-system-x86_64 -machine q35,memory-backend=mem -accel tcg,thread=multi \
		-m 512 -smp "${cpus:-1}" -display none -monitor none -net none -no-reboot \
		-object memory-backend-memfd,id=mem,size=512M,share=on \
		-chardev "socket,id=disk,path=$socket${drive:-}" \
		-device "vhost-user-blk-pci,chardev=disk${disk_options:-}" \
		-chardev stdio,id=serial,signal=off -serial chardev:serial "$@" \
		<>"$where/input" >"$where/serial" 2>"$where/qemu.err" &
	qemu_pid=$!
}

# no_timer_check: on a busy machine the timer that Linux waits for may come late.
start_linux() {
	start_qemu -kernel "$build"/lab/linux/boot/vmlinuz-* -initrd "$where/initrd" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check $*"
}

wait_qemu() {
	wait "$qemu_pid"
	qemu_status=$?
	qemu_pid=
	[ $qemu_status = 0 ] || sed 's/^/# qemu: /' "$where/qemu.err"
	return $qemu_status
}

# says LINE: the guest printed it.
says() {
	[ -f "$where/serial" ] && tr -d '\r' <"$where/serial" | grep -qx -- "$1"
}

# The guest is through, or there is none any more.
ended() {
	says "END OF TEST" || ! kill -0 "$qemu_pid" 2>/dev/null
}

# guest_results: all lines `ok: ...` and `not ok: ...` of the guest, as results, and that it came to its end.
guest_results() {
	tr -d '\r' <"$where/serial" | grep -E '^(ok|not ok): ' >"$where/results"
	while read -r line; do
		case $line in
		ok:*) result 0 "$1: ${line#ok: }" ;;
		*) result 1 "$1: ${line#not ok: }" ;;
		esac
	done <"$where/results"
	says "END OF TEST"
	result $? "$1: the guest came to its end"
}
