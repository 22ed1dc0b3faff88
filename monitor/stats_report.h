/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What all lives of the machine together did. */
#ifndef PVRUN_STATS_REPORT_H
#define PVRUN_STATS_REPORT_H

#include "machine.h"

/* What all lives of the machine together did. */
struct kvm_counter {
	char name[48];
	uint64_t value;
};
#define MAX_COUNTERS 96u

/* What a network card counts: the card itself, what is behind it, and how often either side woke the other. */
#define NET_COUNTERS(X)                                                                            \
	X(sent)                                                                                    \
	X(sent_bytes)                                                                              \
	X(send_failed)                                                                             \
	X(malformed)                                                                               \
	X(received)                                                                                \
	X(received_bytes)                                                                          \
	X(filtered)                                                                                \
	X(no_buffer)                                                                               \
	X(too_small)                                                                               \
	X(refused)                                                                                 \
	X(link_down)                                                                               \
	X(commands)                                                                                \
	X(commands_failed)                                                                         \
	X(backend_full)                                                                            \
	X(backend_failed)                                                                          \
	X(backend_refused)                                                                         \
	X(captured)                                                                                \
	X(capture_lost)                                                                            \
	X(notifications)                                                                           \
	X(interrupts)
struct net_stats {
#define NET_COUNTER_FIELD(name) uint64_t name;
	NET_COUNTERS(NET_COUNTER_FIELD)
#undef NET_COUNTER_FIELD
};

struct stats {
	unsigned int lives;
	struct exit_counts exits;
	uint64_t delays; /* writes to the delay port, which ended in KVM */
	uint64_t calls[CALL_COUNTERS + 1];
	uint64_t alarms_sent;
	uint64_t alarms_latest_ns;
	struct kvm_counter kvm[MAX_COUNTERS];
	unsigned int kvm_count;
	struct net_stats net[MAX_DEVICES];
};

/* kvm_stats.c */
void kvm_stats_add(struct stats *stats, int fd);

/* stats_report.c */
void stats_add(struct stats *stats, const struct vm *vm);
void stats_report(const struct options *opt, const struct stats *stats);

#endif
