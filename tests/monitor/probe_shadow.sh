# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The same where KVM has no nested paging: who keeps the page tables, and why nobody offers the MMU all the same. In the
# payload.
. ./tap.sh
. ./probe_guest.sh
run ./pvrom-probe; prints 1 '^processor   can run guests, without nested paging;' 'a machine without nested paging'
what_host_offers 'not owned by this host' 'it keeps shadow page tables for its guests'
guest short; prints 0 'ROM.*     valid, with a live host$' 'a guest of it has its ROM'
prints 0 '^STATUS root 0' '  status 0'
kernel --cpus 2; prints 1 '^clock       yes  yes      no       yes      yes      yes$' 'the reference kernel has its clock'
prints 1 '^   off: not owned by this host$' '  and not the MMU, and says why'
done_testing
