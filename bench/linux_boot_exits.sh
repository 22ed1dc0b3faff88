# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# In the payload of linux_boot_bench: boots `linux` ROUNDS times each under pvrun and QEMU's microvm, and reads KVM's own count of
# exits when the guest's init prints MARK.
rounds=$1
counters=/sys/kernel/debug/kvm
ours() { ./pvrun --memory 192M --initrd initrd --append "$1" --quiet linux </dev/null 2>>log; }
microvm() {
	./qemu-system-x86_64 -L . -M microvm -accel kvm -cpu host -m 192 -nodefaults -no-user-config -display none \
		-serial stdio -kernel linux -initrd initrd -append "$1" </dev/null 2>>log
}

# count WHO WORDS: all counters of the one machine that there is, at its mark, to the file `counted`.
count() {
	rm -f counted
	"$1" "$2" | while read -r line; do
		case $line in
		MARK*)	exits=$(cat $counters/exits)
			(cd $counters && grep -v '^0$' *_exits *injections insn_emulation pf_* hypercalls 2>/dev/null | tr ':' ' ') >counters
			echo "exits $exits" >counted
			killall -9 pvrun qemu-system-x86_64 2>/dev/null;;
		esac
	done
}
measure() {
	count "$2" "console=ttyS0 panic=-1 noxsave $4"
	[ -s counted ] || { echo "no mark under $1"; tail log; exit 1; }
	sed "s/^exits/exits $1 $3/" counted
}
: >log
for round in $(seq "$rounds"); do
	for who in pvrun microvm; do
		program=$who; [ $who = microvm ] || program=ours
		measure $who $program boot quiet
		[ "$round" != "$rounds" ] || sed "s/^/of $who boot /" counters
		measure $who $program log ''
		[ "$round" != "$rounds" ] || sed "s/^/of $who log /" counters
	done
done
