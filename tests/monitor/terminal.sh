# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrun at a terminal: raw while it runs, as it was however it ends; ctrl-a x. In the payload, with
# util-linux's script(1), which makes the terminal.
. ./tap.sh
mkdir -p /dev/pts; mount -t devpts none /dev/pts 2>/dev/null

says_ready() { grep -q ready "$dir/out"; }

# at_terminal INPUT [COMMAND]: types INPUT once the guest is ready, after COMMAND.
at_terminal() {
	rm -f before during after status "$dir/out"
	cat >inner <<-EOF
		stty -a >before
		(until [ -e go ]; do sleep 0.1; done; stty -a -F /dev/tty >during; ${2:-:}; rm go) &
		./pvrun --append ${act:-echo} tiny.elf
		echo \$? >status
		stty -a >after
		: >ended
	EOF
	rm -f ended go
	{
		[ "${act:-echo}" = echo ] && { wait_for says_ready; : >go; wait_for test ! -e go; }
		printf "$1"
		wait_for test -e ended
	} | script -qc 'sh ./inner' /dev/null >"$dir/out" 2>"$dir/err"
	status=$(cat status)
}
restored() { grep -q -- '-icanon' during && [ -s before ] && cmp -s before after; }

at_terminal '\001x'; [ "$status" = 0 ]; result $? 'ctrl-a x leaves with status 0'
restored; result $? '  the terminal was raw, and is as it was'
at_terminal 'a\001\001b\n'; [ "$status" = 1 ] && grep -q "$(printf 'a\001b')" "$dir/out"
result $? 'ctrl-a ctrl-a sends one'
restored; result $? '  and the terminal is as it was when the guest ends'
for signal in TERM INT HUP SEGV; do
	at_terminal '' "kill -$signal \$(pidof pvrun)"
	restored; result $? "and after SIG$signal"
done
act=triple; at_terminal ''; [ "$status" = 124 ] && cmp -s before after
result $? 'and after a triple fault'

# Standard output is a pipe that is full (64 KiB) and that nobody reads.
mkfifo full
cat >inner <<'EOF'
	exec 3<>full
	head -c 65536 /dev/zero >&3
	./pvrun --append echo tiny.elf >full
	echo $? >status
	: >ended
EOF
rm -f ended status
{ wait_for pidof pvrun >&2; sleep 2; printf 'typed\001x'; wait_for test -e ended; } |
	timeout 60 script -qc 'sh ./inner' /dev/null >"$dir/out" 2>"$dir/err"
status=$(cat status 2>/dev/null); [ "$status" = 0 ]
result $? 'ctrl-a x leaves though nobody reads what the guest says'
done_testing
