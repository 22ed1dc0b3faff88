# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Kernel files with some bytes of their headers changed: pvrun refuses them in words or runs them, whatever
# then becomes of the guest; it never dies of a signal. In the payload; SEED repeats a run.
. ./tap.sh
seed=$(cat seed 2>/dev/null || :)
: "${seed:=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}"
echo "# SEED=$seed"

random() {
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	r=$(((seed >> 8) % $1))
}

# One byte of the ELF header and program headers, or of the multiboot header in the first page.
change() {
	random 3; where=$r
	if [ "$where" = 0 ]; then random 32; at=$((4096 + r)); else random 232; at=$r; fi
	random 4
	case $r in 0) value=0;; 1) value=255;; *) random 256; value=$r;; esac
	printf "\\$(printf %o $value)" | dd of=mutant bs=1 seek=$at conv=notrunc 2>/dev/null
}

# Refused in words, ended by the guest, crashed with a dump, or still running when its time was over.
behaved() {
	case $status in
	125|126) grep -q '^pvrun: .*mutant' "$dir/err";;
	124) grep -q '^rip=' "$dir/err";;
	143) :;;
	241|243) :;;	# the tiny guest does not know its boot record, or its command line
	*) [ "$status" -lt 128 ];;
	esac
}

refused=0 wrong=0
for i in $(seq 100); do
	random 2; [ $r = 0 ] && cp tiny.elf mutant || cp tiny32.elf mutant
	change; change; change
	random 3; boot=auto; [ $r = 0 ] && boot=multiboot
	run timeout -s TERM 2 ./pvrun --no-reboot --boot $boot --append exit=5 mutant
	behaved || { wrong=$((wrong + 1)); result 1 "mutant $i (status $status)"; }
	case $status in 125|126) refused=$((refused + 1));; esac
done
[ $wrong = 0 ]; result $? '100 mutants, each refused in words or run'
[ $refused -gt 10 ]; result $? "  $refused of them refused"
done_testing
