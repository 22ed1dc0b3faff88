# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# pvrom-probe on a stock Linux in pvrun whose ROM is damaged, lies where no host answers for it, or is not there;
# and its devices, tried. In the payload.
. ./tap.sh
. ./probe_guest.sh
head -c 4096 /dev/urandom >damaged
guest short --rom damaged; prints 0 'ROM.*     refused: ' 'a damaged ROM is refused, and the probe says why'
prints 0 '^STATUS root 3' '  status 3'
guest short --find window; prints 0 'ROM.*     valid, but nothing shows a live host behind it$' 'a ROM in the window'
prints 0 '^STATUS root 3' '  which a kernel would first ask for its host: status 3'
guest short --rom off; prints 0 'ROM.*     none$' 'a guest without a ROM'
prints 0 '^STATUS root 1' '  status 1'

# ---- devices -----------------------------------------------------------------------------------------------------
dd if=/dev/zero of=disk bs=1M count=1 2>/dev/null
guest devices --disk disk --net user
prints 0 '^TRY dev         yes  yes      no       yes      yes      yes$' '--try: the device bus has a device that Linux uses'
prints 0 '^TRY blk         yes  yes      no       yes      yes      yes$' '  a disk, which gives a sector'
prints 0 '^TRY net         yes  yes      no       yes      yes      yes$' '  and a card, which takes a frame'
done_testing
