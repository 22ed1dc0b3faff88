# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Times exits of the tiny guest, a bare port access in a machine without a ROM and calls in one with,
# in turn; prints `KIND TICKS` (of one exit, the median of a turn). In the payload.
#   roundtrip.sh TURNS ROUNDS
turn=0
while [ $turn -lt "$1" ]; do
	turn=$((turn + 1))
	./pvrun --rom off --append "time-bare=$2" tiny.elf
	./pvrun --append "time-calls=$2" tiny.elf
done >all
for kind in bare void regs; do
	sed -n "s/^$kind=//p" all | tr -d '\r' | sort -n >ticks
	echo "$kind $(($(sed -n "$((($(wc -l <ticks) + 1) / 2))p" ticks) / 50)) $(wc -l <ticks)"
done
