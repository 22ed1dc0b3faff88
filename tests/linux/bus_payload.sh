# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# What the lab needs for a guest with drivers on the device bus; to be sourced. build: where products are.
# bus_payload DIR [PVRUN [root]]: pvrun, the kernel as `linux`, and an initrd whose init is guest_bus; or with root the
# same as a disk, and no modules. kernel, modules and pvrom name others than the lab's own Linux and the module for it.
kernel= modules= pvrom=
bus_payload() {
	release=$(cat "$build/lab/linux/release")
	tree=$1.tree
	: "${kernel:=$build/lab/linux/boot/vmlinuz-$release}" "${modules:=$build/lab/linux/lib/modules}" "${pvrom:=$build/linux/pvrom.ko}"
	mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/tmp"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for name in virtio_ring virtio virtio_mmio virtio_blk failover net_failover virtio_net; do
		find "$modules" -name "$name.ko" -exec cp {} "$tree/" \;
	done
	find "$build/lab/linux/lib/modules" -name tun.ko -exec cp {} "$1/" \;
	cp "$pvrom" "$build/disk_guest" "$build/tests/insert_module" "$build/tests/clock_facts" tests/linux/dmesg_judge "$tree/"
	strip --strip-debug "$tree/pvrom.ko"
	cp tests/linux/guest_bus "$tree/init"
	cat >"$tree/take-lease" <<-'LEASE'
		#!/bin/sh
		# udhcpc's script.
		[ "$1" = bound ] || exit 0
		ip addr flush dev "$interface"
		ip addr add "$ip/$mask" dev "$interface"
	LEASE
	chmod 755 "$tree/init" "$tree/take-lease"
	if [ "${3:-}" = root ]; then
		rm "$tree"/*.ko
		PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext2 -E root_owner=0:0 -d "$tree" "$1/root" 16M >/dev/null
	else
		(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$1/initrd"
	fi
	rm -rf "$tree"
	cp "${2:-$build/pvrun}" "$build/pvrom-netd" "$1/"
	cp "$(PATH=$PATH:/usr/sbin:/sbin command -v ip)" "$1/ip"
	cp "$kernel" "$1/linux"
}
