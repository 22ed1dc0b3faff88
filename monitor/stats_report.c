/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What --stats says at the end, for people and as JSON (the schema is in pvrun.1). */
#include "stats_report.h"
#include "interrupts.h"
#include "kvm_device.h"
#include "net_device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_alarms(struct stats *stats, const struct vm *vm)
{
	uint64_t latest = vm->tsc_khz ? vm->alarms.latest * 1000 / vm->tsc_khz * 1000 : 0;

	stats->alarms_sent += vm->alarms.sent;
	if (latest > stats->alarms_latest_ns)
		stats->alarms_latest_ns = latest;
}

static void add_nets(struct stats *stats, const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->opt->net_count; i++)
		net_count(vm->virtio[vm->opt->disk_count + i], &stats->net[i]);
}

/* Adds one life of the machine; its CPUs have stopped. */
void stats_add(struct stats *stats, const struct vm *vm)
{
	stats->lives++;
	kvm_stats_add(stats, vm->fd);
	stats->delays += doorbell_rung(vm->delay_port);
	add_alarms(stats, vm);
	add_nets(stats, vm);
	for (unsigned int i = 0; i < vm->opt->cpus; i++) {
		const struct vcpu *vcpu = &vm->vcpus[i];

		kvm_stats_add(stats, vcpu->fd);
		stats->exits.io += vcpu->exits.io;
		stats->exits.mmio += vcpu->exits.mmio;
		stats->exits.signal += vcpu->exits.signal;
		stats->exits.other += vcpu->exits.other;
		for (unsigned int n = 0; n <= CALL_COUNTERS; n++)
			stats->calls[n] += vcpu->calls[n];
	}
}

/* The name of the call that a counter is for; NULL if there is no such call. */
static const char *name_of(uint32_t counter)
{
	return pvrom_host_call_name(counter / CALL_INDEXES << 8 | counter % CALL_INDEXES);
}

/* Calls whose number means nothing. */
static uint64_t unknown_calls(const struct stats *stats)
{
	uint64_t sum = stats->calls[CALL_COUNTERS];

	for (uint32_t n = 0; n < CALL_COUNTERS; n++)
		if (name_of(n) == NULL)
			sum += stats->calls[n];
	return sum;
}

static void line(FILE *out, const char *name, uint64_t value)
{
	if (value != 0)
		fprintf(out, "  %-28s %12" PRIu64 "\n", name, value);
}

static void report_net(FILE *out, const struct net_stats *net)
{
#define NET_LINE(name) line(out, #name, net->name);
	NET_COUNTERS(NET_LINE)
#undef NET_LINE
}

static void report_text(FILE *out, const struct options *opt, const struct stats *stats)
{
	fprintf(out, "%s, nested paging %s, %u CPUs, %u boots\n", hardware_module(),
		hardware_nested_paging() ? "on" : "off", opt->cpus, stats->lives);
	fprintf(out, "counted by KVM:%s\n",
		stats->kvm_count ? "" : " nothing (this KVM counts none)");
	for (unsigned int i = 0; i < stats->kvm_count; i++)
		line(out, stats->kvm[i].name, stats->kvm[i].value);
	fprintf(out, "exits that reached the monitor:\n");
	line(out, "io", stats->exits.io);
	line(out, "mmio", stats->exits.mmio);
	line(out, "signal", stats->exits.signal);
	line(out, "other", stats->exits.other);
	fprintf(out, "writes that ended in KVM:\n");
	line(out, "delay", stats->delays);
	fprintf(out, "alarms:\n");
	line(out, "sent", stats->alarms_sent);
	line(out, "worst lateness, ns", stats->alarms_latest_ns);
	for (unsigned int i = 0; i < opt->net_count; i++) {
		fprintf(out, "network card %u (%s):\n", i, opt->nets[i].backend);
		report_net(out, &stats->net[i]);
	}
	fprintf(out, "calls:\n");
	for (uint32_t n = 0; n < CALL_COUNTERS; n++)
		if (stats->calls[n] != 0 && name_of(n) != NULL)
			line(out, name_of(n), stats->calls[n]);
	line(out, "unknown", unknown_calls(stats));
}

/* KVM's names and those of calls need no escapes in JSON: lower-case words, dots and underscores. */
static void report_counters(FILE *out, const struct stats *stats)
{
	fprintf(out, "\"kvm\":{");
	for (unsigned int i = 0; i < stats->kvm_count; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", stats->kvm[i].name,
			stats->kvm[i].value);
	fprintf(out, "},");
}

static void report_calls(FILE *out, const struct stats *stats)
{
	const char *comma = "";

	fprintf(out, "\"calls\":{");
	for (uint32_t n = 0; n < CALL_COUNTERS; n++) {
		if (stats->calls[n] == 0 || name_of(n) == NULL)
			continue;
		fprintf(out, "%s\"%s\":%" PRIu64, comma, name_of(n), stats->calls[n]);
		comma = ",";
	}
	fprintf(out, "},\"unknown_calls\":%" PRIu64 "}\n", unknown_calls(stats));
}

static void report_nets(FILE *out, const struct options *opt, const struct stats *stats)
{
	fprintf(out, "\"net\":[");
	for (unsigned int i = 0; i < opt->net_count; i++) {
		const char *comma = "";

		fprintf(out, "%s{", i ? "," : "");
#define NET_MEMBER(name)                                                                           \
	fprintf(out, "%s\"" #name "\":%" PRIu64, comma, stats->net[i].name);                       \
	comma = ",";
		NET_COUNTERS(NET_MEMBER)
#undef NET_MEMBER
		fprintf(out, "}");
	}
	fprintf(out, "],");
}

static void report_json(FILE *out, const struct options *opt, const struct stats *stats)
{
	fprintf(out,
		"{\"schema\":1,\"module\":\"%s\",\"nested_paging\":%s,\"cpus\":%u,\"boots\":%u,",
		hardware_module(), hardware_nested_paging() ? "true" : "false", opt->cpus,
		stats->lives);
	report_counters(out, stats);
	fprintf(out,
		"\"monitor\":{\"io\":%" PRIu64 ",\"mmio\":%" PRIu64 ",\"signal\":%" PRIu64
		",\"other\":%" PRIu64 "},\"in_kvm\":{\"delay\":%" PRIu64 "},",
		stats->exits.io, stats->exits.mmio, stats->exits.signal, stats->exits.other,
		stats->delays);
	fprintf(out, "\"alarms\":{\"sent\":%" PRIu64 ",\"latest_ns\":%" PRIu64 "},",
		stats->alarms_sent, stats->alarms_latest_ns);
	report_nets(out, opt, stats);
	report_calls(out, stats);
}

/* Says what --stats asked for, where --stats-file says. */
void stats_report(const struct options *opt, const struct stats *stats)
{
	FILE *out = stderr;

	if (opt->stats == STATS_NONE)
		return;
	if (opt->stats_file != NULL)
		out = fopen(opt->stats_file, "w");
	if (out == NULL)
		fail(EXIT_CANNOT_RUN, "cannot write %s: %s", opt->stats_file, strerror(errno));
	if (opt->stats == STATS_JSON)
		report_json(out, opt, stats);
	else
		report_text(out, opt, stats);
	if (fflush(out) != 0)
		fail(EXIT_CANNOT_RUN, "cannot write %s: %s",
		     opt->stats_file ? opt->stats_file : "stderr", strerror(errno));
}
