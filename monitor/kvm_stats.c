/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * KVM's own counters, from the binary statistics of a virtual machine or a CPU
 * (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD): a header, descriptors
 * with names, and the values.
 */
#include "stats_report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct kvm_counter *counter(struct stats *stats, const char *name)
{
	struct kvm_counter *counters = stats->kvm;

	for (unsigned int i = 0; i < stats->kvm_count; i++)
		if (strncmp(counters[i].name, name, sizeof(counters[i].name)) == 0)
			return &counters[i];
	if (stats->kvm_count == MAX_COUNTERS || strlen(name) >= sizeof(counters[0].name))
		return NULL;
	memcpy(counters[stats->kvm_count].name, name, strlen(name) + 1);
	return &counters[stats->kvm_count++];
}

/* Only sums that grow from zero can be added up over CPUs and lives. */
static bool is_sum(const struct kvm_stats_desc *desc)
{
	return (desc->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE && desc->size == 1;
}

static void add_one(struct stats *stats, int fd, const struct kvm_stats_header *header,
		    const struct kvm_stats_desc *desc)
{
	struct kvm_counter *sum;
	uint64_t value;

	if (!is_sum(desc) ||
	    pread(fd, &value, sizeof(value), header->data_offset + desc->offset) != sizeof(value))
		return;
	sum = counter(stats, desc->name);
	if (sum != NULL)
		sum->value += value;
}

static void add_all(struct stats *stats, int fd, const struct kvm_stats_header *header)
{
	size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
	struct kvm_stats_desc *desc = malloc(size);

	for (uint32_t i = 0; desc != NULL && i < header->num_desc; i++)
		if (pread(fd, desc, size, (off_t)(header->desc_offset + i * size)) == (ssize_t)size)
			add_one(stats, fd, header, desc);
	free(desc);
}

/* Adds the counters of a machine or a CPU; a KVM that has none adds none. */
void kvm_stats_add(struct stats *stats, int fd)
{
	struct kvm_stats_header header;
	int stats_fd = ioctl(fd, KVM_GET_STATS_FD, NULL);

	if (stats_fd < 0)
		return;
	if (pread(stats_fd, &header, sizeof(header), 0) == sizeof(header))
		add_all(stats, stats_fd, &header);
	close(stats_fd);
}
