# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Linux in pvrun, Debian's kernel or one of tools/linux-built, whose virtio drivers drive pvrun's disks and cards over the device
# bus by pvrom.ko or by pvrom built in. In the lab: bus.sh PART, a function below. Names of requirements: PVROM-DEV-6.
. ./tap.sh
insmod ./tun.ko
ip link set lo up
# A busy machine may stand still for long, which is no fault of the guest's: its watchdogs wait longer.
line="console=ttyS0 panic=-1 noxsave quiet watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 act=$1"
dd if=/dev/zero of=first bs=1M count=32 2>/dev/null
dd if=/dev/zero of=second bs=1M count=8 2>/dev/null
dd if=/dev/urandom of=sent bs=64k count=32 2>/dev/null
sum() { sha256sum | cut -c1-64; }
mkfifo input; exec 3<>input
: >"$dir/out"; : >"$dir/err"
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT
# start OPTION...: becomes pvrun, by the command `on` if there is one; what it prints goes behind what is there.
on=
start() { exec $on ./pvrun -c 2 --memory "${memory:-192M}" "$@" <&3 >>"$dir/out" 2>>"$dir/err"; }
asked() { tr -d '\r' <"$dir/out" | grep -q "^ASK $1\$"; }
wait_long() { for i in $(seq 6000); do "$@" && return; kill -0 $pvrun 2>/dev/null || return; sleep 0.1; done; false; }
sleeps() { [ "$(grep -c 'the machine sleeps' "$dir/err")" = "$1" ]; }
there() { tr -d '\r' <"$dir/out" | sed -n "s/^SUM $1 //p"; }
# Each fact that the guest stated, and that it came to its end.
stated() {
	tr -d '\r' <"$dir/out" | grep -E '^(ok|not ok): ' >facts
	while read -r fact; do
		case $fact in ok:*) result 0 "${fact#ok: }";; *) result 1 "${fact#not ok: }";; esac
	done <facts
	[ "$(grep -c . facts)" = "$1" ] && tr -d '\r' <"$dir/out" | grep -q '^END OF TEST'; result $? "the guest came to its end, with $1 facts"
	grep -q '^JUDGED [1-9][0-9]' "$dir/out" && ! grep -qE '^AGAINST|Oops|BUG:|BUG [a-zA-Z]|Call Trace' "$dir/out"; result $? 'the kernel has nothing to say against it'
}
peers() {
	nc -l -p 5001 -e sh -c 'cat >received' & pids="$pids $!"
	nc -ll -p 5002 -e cat sent & pids="$pids $!"
}
every_byte() {
	[ -n "$(there out)" ] && [ "$(there out)" = "$(sum <received)" ] && [ "$(there in)" = "$(sum <sent)" ]
	result $? 'every byte that was sent arrived, both ways'
}
all() {
	./ip tuntap add dev card mode tap multi_queue && ip link set card up
	peers
	start --initrd initrd --append "$line" --disk first,queues=2 --disk second --net user --net tap=card,queues=8 linux & pvrun=$!
	pids="$pids $pvrun"
	wait_long asked gone && ip link del card; echo go >&3
	status=0; wait $pvrun || status=$?
	stated "${facts:-29}"
	[ "$status" = 0 ]; result $? 'pvrun ends well'
	[ -n "$(there disk)" ] && [ "$(dd if=first bs=1M skip=1 count=4 2>/dev/null | sum)" != "$(dd if=/dev/zero bs=1M count=4 2>/dev/null | sum)" ] &&
		[ "$(dd if=first bs=1M skip=1 count=4 2>/dev/null | sum)" = "$(there disk)" ]; result $? 'the file has what the guest read last'
	every_byte
}
# A little of all of it, and the clocksource: where there is no nested paging Linux takes its time.
brief() { begin_brief; end_brief; }
begin_brief() {
	peers
	start "$@" --initrd initrd --append "$line" --disk first --net user linux & pvrun=$!
	pids="$pids $pvrun"
}
end_brief() {
	status=0; wait $pvrun || status=$?
	stated "${facts:-8}"
	[ "$status" = 0 ]; result $? 'pvrun ends well'
	[ -n "$(there disk)" ] && [ "$(dd if=first bs=1M skip=1 count=1 2>/dev/null | sum)" = "$(there disk)" ]; result $? 'the file has what the guest read'
	every_byte
}
# What Debian's kernel has to check itself with (it is built without KASAN, KFENCE and lockdep).
debug() {
	line="$line slub_debug=FZPU init_on_free=1 panic_on_warn=1" facts=31
	all
}
# A Linux that is built with lockdep and KASAN. The first report ends it.
lockdep() {
	line="$line panic_on_warn=1 log_buf_len=1M" memory=512M facts=22
	begin_brief --s3; wakes_up; end_brief
	: >"$dir/out"
	# tsc=reliable: a clocksource besides the module's, or that would have to stay.
	line="$line act=given $(alone) tsc=reliable"
	start --initrd initrd --append "$line" linux & pvrun=$!
	pids="$pids $pvrun"
	is_robbed 9
}
# And all that the devices do.
lockdep_all() {
	line="$line panic_on_warn=1 log_buf_len=1M" memory=512M facts=31
	all
}
wakes_up() { wait_long sleeps 1; sleep 3; kill -CONT $pvrun; }
# Linux as on a hypervisor that is not KVM (nopv), so that stolen time comes from pvrom; the rate of the TSC, which it would then
# have to measure, is told.
alone() { echo "nopv no_timer_check tsc_early_khz=$(awk '/^cpu MHz/ { print int($4 * 1000); exit }' /proc/cpuinfo)"; }
# Its CPUs have to wait for others while it counts what was stolen.
is_robbed() {
	wait_long asked busy
	busy=
	for i in 1 2; do while :; do :; done & busy="$busy $!"; done
	pids="$pids $busy"; echo busy >&3
	wait_long asked calm; kill $busy; echo calm >&3
	status=0; wait $pvrun || status=$?
	stated $1
	[ "$status" = 0 ]; result $? 'pvrun ends well'
}
# A Linux in which pvrom is built in; then beside a steal clock of KVM's.
patched() {
	start --append "$line root=/dev/vda rw init=/init $(alone)" --disk root linux & pvrun=$!
	pids="$pids $pvrun"
	is_robbed 9
	: >"$dir/out"
	line="$line act=other"
	start --append "$line root=/dev/vda rw init=/init" --disk root linux & pvrun=$!
	pids="$pids $pvrun"; status=0; wait $pvrun || status=$?
	stated 2
}
# Both CPUs of the guest have one of the host's between them. Who waits for a lock halts, and is kicked when it is free: by calls
# of KVM's, of which there are none where Linux is told to spin.
kick() {
	for way in enabled disabled; do
		case $way in disabled) line="$line nopvspin";; esac
		: >"$dir/err"; on='taskset 2' start --stats --initrd initrd --append "$line spins=$way" linux & pvrun=$!
		pids="$pids $pvrun"; status=0; wait $pvrun || status=$?
		calls=$(sed -n 's/^  hypercalls  *//p' "$dir/err")
		case $way in enabled) [ "${calls:-0}" -gt 10 ];; disabled) [ "${calls:-0}" = 0 ];; esac
		result $? "spin locks by KVM's kicks are $way: ${calls:-0} calls"
		[ "$status" = 0 ]; result $? 'pvrun ends well'
	done
	stated 4
}
both() {
	start --initrd initrd --append "$line" --disk first --disk second linux & pvrun=$!
	status=0; wait $pvrun || status=$?
	stated 6
	: >"$dir/out"
	start --initrd initrd --append "$line act=late" --disk first --disk second linux & pvrun=$!
	status=0; wait $pvrun || status=$?
	stated 5
}
asleep() {
	start --initrd initrd --append "$line" --disk first --net user linux & pvrun=$!
	wait_long asked sleep
	wakes() { echo wake >&3; sleep 1; tr -d '\r' <"$dir/out" | grep -q '^AWAKE'; }
	wait_long wakes
	status=0; wait $pvrun || status=$?
	stated 4
}
# Suspend to memory, twice; the other end of the disk's and the clock's work is in the machine that wakes.
s3() {
	start --s3 --stats --initrd initrd --append "$line" --disk first,queues=2 --net user linux & pvrun=$!
	for time in 1 2; do
		wait_long sleeps $time; result $? "the machine sleeps ($time)"
		sleep 3; kill -CONT $pvrun
	done
	status=0; wait $pvrun || status=$?
	stated 14
	[ "$status" = 0 ] && grep -q ' 3 boots' "$dir/err"; result $? 'it has lived three times, and is switched off by ACPI'
}
# And after it was loaded.
s3_saved() {
	start --s3 --initrd initrd --append "$line" --disk first --net user --mac 52:54:00:12:34:56 --save machine linux & pvrun=$!
	wait_long asked save; kill -USR2 $pvrun; status=0; wait $pvrun || status=$?
	[ -s machine ]; result $? 'the machine is saved'
	start --s3 --stats --disk first --net user --mac 52:54:00:12:34:56 --load machine & pvrun=$!
	wait_long sleeps 1; result $? 'loaded, it sleeps'
	sleep 3; kill -CONT $pvrun
	status=0; wait $pvrun || status=$?
	stated 7
	[ "$status" = 0 ] && grep -q ' 2 boots' "$dir/err"; result $? 'it has lived twice, and is switched off by ACPI'
}
lies() {
	disks=
	for i in 1 2 3 4 5 6 7; do cp second disk.$i; disks="$disks --disk disk.$i"; done
	start --bug=bus-lies --initrd initrd --append "$line" --disk first $disks linux & pvrun=$!
	status=0; wait $pvrun || status=$?
	stated 5
}
saved() {
	start --initrd initrd --append "$line" --disk first,queues=2 --net user --mac 52:54:00:12:34:56 --save machine linux & pvrun=$!
	wait_long asked save; kill -USR2 $pvrun; status=0; wait $pvrun || status=$?
	[ -s machine ]; result $? 'the machine is saved while its disk and its clock are in use'
	start --disk first,queues=2 --net user --mac 52:54:00:12:34:56 --load machine & pvrun=$!
	status=0; wait $pvrun || status=$?
	stated 7
}
# Loaded by an operator who has switched features off meanwhile.
taken() {
	start --initrd initrd --append "$line" --disk first --save machine linux & pvrun=$!
	wait_long asked save; kill -USR2 $pvrun; status=0; wait $pvrun || status=$?
	[ -s machine ]; result $? 'the machine is saved'
	start --disk first --load machine --feature=-dev --feature=-clock & pvrun=$!
	status=0; wait $pvrun || status=$?
	stated 7
}
"$1"
done_testing
