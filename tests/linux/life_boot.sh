# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# For life.sh and sleep.sh, to be sourced behind tap.sh.
modules='pvrom.ko virtio.ko virtio_ring.ko virtio_mmio.ko virtio_blk.ko'

# initrd NAME FILE...: with the programs and modules, and these files.
initrd() {
	name=$1; shift
	rm -rf tree; mkdir -p tree/bin tree/proc tree/sys tree/dev
	cp /bin/busybox tree/bin/; cp life_init tree/init
	# File names without blanks.
	# shellcheck disable=SC2086
	cp clock_facts kexec_linux dmesg_judge $modules "$@" tree/
	chmod 755 tree/init tree/clock_facts tree/kexec_linux
	(cd tree && find . | cpio -o -H newc 2>/dev/null) >"$name"
}

# boot WHAT CPUS [MORE [MEMORY [OPTION...]]]
boot() {
	line="console=ttyS0 panic=-1 noxsave quiet watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 ${3:-} do=$1" cpus=$2 memory=${4:-256M}
	[ $# -lt 4 ] && shift $# || shift 4
	run ./pvrun -c "$cpus" --memory "$memory" --no-reboot --stats --initrd initrd --append "$line" "$@" linux
	tr -d '\r' <"$dir/out" >"$dir/clean"; mv "$dir/clean" "$dir/out"
}

# run_times CALL TIMES NAME: how often the guest made that call.
run_times() {
	grep -qE "^  $1  *$2\$" "$dir/err"; result $? "$3 ($(sed -n "s/^  $1  *\([0-9]*\)$/\1/p" "$dir/err") of $2)"
}
quiet_kernel() {
	grep -q '^JUDGED [1-9][0-9]' "$dir/out" && ! grep -qE '^AGAINST|Oops|BUG:|Call Trace|^FAILED' "$dir/out"; result $? 'the kernel has nothing to say against it'
}
