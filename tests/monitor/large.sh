# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrun with as much as it takes: 64 CPUs, and sparse memory far above 4 GiB. In the payload.
. ./tap.sh
tiny() { act=$1; shift; run ./pvrun --append "$act" "$@" tiny.elf; }

tiny cpus=64 --cpus 64; prints 1 '^cpus=64' '64 CPUs, started by INIT and SIPI'
tiny high=4096 --memory 64G; prints 1 '^good=16' '64 GiB, written at the far end of what is mapped'
tiny record --memory 64G; prints 1 '^usable 4294967296+65498251264' '  all in the memory map'
tiny cpus=64 --cpus 64 --memory 8G --stats=json --stats-file stats
[ "$status" = 1 ] && grep -q '"cpus":64' stats; result $? 'both at once'
done_testing
