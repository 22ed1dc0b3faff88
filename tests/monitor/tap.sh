# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# TAP for the monitor's tests, in a POSIX shell; to be sourced. Runs also under busybox.
n=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# complaints FILE: what pvrun said last, or of each CPU of a guest that crashed (status 124) what tells most, in 20 lines.
complaints() {
	if grep -q '^pvrun: CPU .*: ' "$1"; then
		sed -n '/^pvrun: CPU .*: /,$p' "$1" | grep -vE '^(rax|rsi|r10|r14|ss|tr|exits)[=: ]'
	else
		tail -n 20 "$1"
	fi | head -n 20
}

# result STATUS DESCRIPTION: a line of TAP, and what was said last if it failed.
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		echo "# status $status"
		complaints "$dir/err" | sed 's/^/# err: /'
		tail -n 20 "$dir/out" | sed 's/^/# out: /'
	fi
}

# run COMMAND...: its output goes to $dir/out and $dir/err, its status to $status.
run() {
	status=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
}

# expect STATUS PATTERN DESCRIPTION: how the last run ended and what stderr says.
expect() {
	[ "$status" = "$1" ] && grep -q -- "$2" "$dir/err"
	result $? "$3"
}

# prints STATUS PATTERN DESCRIPTION: the same for stdout.
prints() {
	[ "$status" = "$1" ] && grep -q -- "$2" "$dir/out"
	result $? "$3"
}

# wait_for COMMAND...: until it succeeds, 20 s at most; then it fails.
wait_for() {
	for i in $(seq 200); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

done_testing() { echo "1..$n"; }
