# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Debian in pvrun, and somebody at its console; to be sourced in the payload. The disk is the lab's first, the second is a
# tar archive of what the guest is given. Two CPUs.
. ./tap.sh
# Only ever in the lab: elsewhere /dev/vda is somebody's own.
[ -n "${PVROM_LAB:-}" ] || exit 1
insmod ./virtio_blk.ko 2>/dev/null
console=$dir/console clean=$dir/out seen=0 escape=$(printf '\033')
: >"$console"; : >"$dir/err"

# start OPTION...: a machine. noxsave: Linux finds the lab's CPU at odds with itself about XSAVE. The rest: a busy machine
# may stand still for long, which is no fault of the guest's.
start() {
	mkfifo keys; exec 3<>keys
	./pvrun -c 2 --memory 512M --initrd initrd --disk=/dev/vda,queues=2 --disk=/dev/vdb,ro --quiet \
		--append "root=/dev/vda rw console=ttyS0 quiet noxsave watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300" \
		"$@" linux <&3 >"$console" 2>"$dir/err" &
	pvrun=$!
}
# What came on the console since the last match, without the terminal's own words.
news() { tail -c "+$((seen + 1))" "$console" | tr -d '\r' | sed "s/$escape\[[0-9;?]*[a-zA-Z]//g"; }
# comes SECONDS PATTERN: waits for it on the console; what was awaited is seen.
comes() {
	for i in $(seq $(($1 * 2))); do
		news >"$clean"
		grep -q -- "$2" "$clean" && { seen=$(wc -c <"$console"); return; }
		kill -0 $pvrun 2>/dev/null || return
		sleep 0.5
	done
	return 1
}
types() { echo "$1" >&3; }
# logs_in: root at the prompt, and the archive unpacked.
logs_in() {
	types root
	comes 300 '^Password: ' || return
	types pvrom
	comes 300 '# $'
}
# asks SECONDS COMMAND: its output in $clean; the end is known by a line that the command itself does not have.
asks() {
	types "$2; echo STATUS-\$?."
	comes "$1" '^STATUS-[0-9]*\.'
}
# ended SECONDS: it has, and $status is how.
ended() {
	for i in $(seq $(($1 * 2))); do
		kill -0 $pvrun 2>/dev/null || break
		sleep 0.5
	done
	kill -9 $pvrun 2>/dev/null
	status=0; wait $pvrun || status=$?
	news >"$clean"
}
# The end of a test; its console is handed over.
finish() {
	[ -z "${LAB_OUT:-}" ] || cp "$console" "$LAB_OUT/console"
	done_testing
}
