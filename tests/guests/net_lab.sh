# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# In the payload of net_lab_test: the reference kernel with pvrun's network card behind libslirp, and both ends of a
# page on the loopback. Arguments: the kernel's words. What it prints goes to $LAB_OUT.
set -u
if [ "${1:-}" != inside ]; then
	exec unshare -rn sh "$0" inside "$@"
fi
shift
pids=
trap 'kill $pids 2>/dev/null' EXIT
ip link set lo up
./net-peer >port & pids=$!
left=50; until grep -q port port || [ $left = 0 ]; do sleep 0.2; left=$((left - 1)); done
./net-peer --fetch 8080 >"$LAB_OUT/fetched" 2>&1 & client=$!
./pvrun --cpus 2 --net user,hostfwd=tcp:127.0.0.1:8080-:80 --append "only=net net_peer=$(sed -n 's/^port //p' port) net_serve $*" \
	kernel.elf </dev/null >"$LAB_OUT/out" 2>"$LAB_OUT/log"
echo $? >"$LAB_OUT/status"
wait $client
echo $? >"$LAB_OUT/client"
