# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# What scripts wait by; to be sourced, in the root.

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 10))
	shift
	while [ $tries -gt 0 ]; do
		"$@" && return 0
		sleep 0.1
		tries=$((tries - 1))
	done
	return 1
}
