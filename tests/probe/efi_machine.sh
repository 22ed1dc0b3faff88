# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# shellcheck shell=bash
# For tests of UEFI applications, to be sourced: TAP, and a machine with OVMF whose shell runs a few commands.
ovmf=/usr/share/OVMF n=0 failed=0 qemu=
export MTOOLS_SKIP_CHECK=1
dir=$(mktemp -d) || exit 1
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$dir"' EXIT

tap() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"; failed=1
		tail -n 30 "$dir/said" | cut -c 1-120 | sed 's/^/# /'
	fi
}

# machine STATUS SCRIPT OPTION...: the shell runs SCRIPT, its lines separated by ; from the image $dir/esp, and QEMU
# ends with STATUS. Keys answer what waits for one. All that came by the serial line is in $dir/said. With $counted an
# instruction is 64 ns and nobody waits for time that passes; with $headless there is neither a screen nor a serial port.
counted= headless=
machine() {
	local ends=$1 script=$2 seen=0 now step more=() serial=(-serial stdio); shift 2
	[ -z "$counted" ] || more=(-icount shift=6,sleep=off)
	[ -z "$headless" ] || serial=(-serial none -vga none)
	cp "$ovmf/OVMF_VARS_4M.fd" "$dir/vars"
	printf '%s\r\n' 'fs0:' "${script//;/$'\r\n'}" 'reset -s' >"$dir/startup.nsh"
	mcopy -o -i "$dir/esp" "$dir/startup.nsh" ::/startup.nsh
	rm -f "$dir/keys"; mkfifo "$dir/keys"; : >"$dir/raw"
	timeout -k 5 240 qemu-system-x86_64 -machine q35 -accel tcg -m 256 -display none -monitor none "${serial[@]}" \
		-no-reboot -nic none -drive if=pflash,format=raw,readonly=on,file=$ovmf/OVMF_CODE_4M.fd \
		-drive "if=pflash,format=raw,file=$dir/vars" -drive "if=none,id=esp,format=raw,file=$dir/esp" \
		-device virtio-blk-pci,drive=esp,bootindex=0 "${more[@]}" "$@" <"$dir/keys" >"$dir/raw" 2>"$dir/err" &
	qemu=$!
	exec 3>"$dir/keys"
	for ((step = 0; step < 2500; step++)); do
		kill -0 "$qemu" 2>/dev/null || break
		now=$(grep -aoE 'in 5 seconds|-- more|-- pvrom-probe has ended' "$dir/raw" | wc -l)
		[ "$now" -le "$seen" ] || { seen=$((seen + 1)); printf '\r' >&3; }
		sleep 0.1
	done
	exec 3>&-
	wait "$qemu"; status=$?; qemu=
	sed 's/\x1b\[[0-9;=]*[A-Za-z]//g' "$dir/raw" | tr -d '\r' >"$dir/said"
	[ "$status" = "$ends" ] || { sed 's/^/# /' "$dir/err"; tap 1 "the machine ends by itself (status $status)"; }
}
said() { grep -q -- "$1" "$dir/said"; tap $? "$2"; }
# Between two lines that `echo` has printed: part FROM TO PATTERN NAME.
part() { sed -n "/^$1 0x/,/^$2 0x/p" "$dir/said" | grep -q -- "$3"; tap $? "$4"; }
# With no less than 4 KiB: smaller ones this firmware does not show.
device() { echo "virtio-rng-pci,romfile=$1,romsize=4096"; }
