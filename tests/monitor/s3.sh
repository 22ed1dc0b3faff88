# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrun --s3: the tiny guest suspends itself to memory. POSIX shell, in the payload, with util-linux's script(1).
. ./tap.sh
mkdir -p /dev/pts; mount -t devpts none /dev/pts 2>/dev/null
sleeps() { [ "$(grep -hc 'the machine sleeps' "$1")" = "$2" ]; }
begin() { # ACT OPTION...
	act=$1; shift
	./pvrun --s3 --append "sleep=$act" "$@" tiny.elf >"$dir/out" 2>"$dir/err" </dev/null & pid=$!
}
ends() { status=0; wait $pid || status=$?; }

begin vector; wait_for sleeps "$dir/err" 1; result $? 'the machine sleeps'
sleep 1; kill -0 $pid; result $? 'and sleeps on'
kill -CONT $pid; ends
[ $status = 1 ]; result $? 'woken in real mode, at its vector, in its memory; and told so'
begin vector --cpus 3 --memory 4G --rom off --stats; wait_for sleeps "$dir/err" 1; kill -CONT $pid; ends
expect 1 '3 CPUs, 2 boots' 'the same with three CPUs, more memory, and no ROM'
begin none; wait_for sleeps "$dir/err" 1; kill -CONT $pid; wait_for sleeps "$dir/err" 2
result $? 'without a vector it is started anew'
kill $pid; ends; [ $status = 143 ]; result $? 'SIGTERM ends it in its sleep'
begin none --no-reboot; wait_for sleeps "$dir/err" 1; kill -CONT $pid; ends
[ $status = 0 ]; result $? 'or is not, with --no-reboot'
run ./pvrun --append sleep=vector tiny.elf; [ $status = 19 ]; result $? 'without --s3 there is no such register'
./pvrun --s3 --append echo tiny.elf >"$dir/out" 2>"$dir/err" </dev/null & pid=$!
wait_for grep -q ready "$dir/out"; kill -CONT $pid; sleep 1; kill -0 $pid; result $? 'SIGCONT is nothing to a machine that is awake'
kill $pid; ends

printf './pvrun --s3 --append sleep=none tiny.elf; echo $? >status; : >ended\n' >inner
{ wait_for sleeps "$dir/out" 1; printf '\001x'; wait_for test -e ended; } | timeout 60 script -qc 'sh ./inner' /dev/null >"$dir/out" 2>"$dir/err"
status=$(cat status 2>/dev/null); [ "$status" = 0 ]; result $? 'ctrl-a x leaves a machine that sleeps'
done_testing
