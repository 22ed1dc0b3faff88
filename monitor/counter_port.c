/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The counter port: a guest that measures itself writes the number of a counter and reads its low 32
 * bits. They are KVM's own, of the CPU that asks; where there is no such counter, ones are read.
 */
#include "run_vcpu.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* KVM's names of counters 0 to 3; it has none for kicks and for continued calls. */
static const char *const names[] = { "exits", NULL, NULL, "irq_exits" };
#define COUNTERS (sizeof(names) / sizeof(names[0]))
#define NO_COUNTER 0xffffffffu

/* Where in the file the counter of that name is; -1 if there is none. */
static off_t place_of(int fd, const char *name)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	size_t size;
	off_t place = -1;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return -1;
	size = sizeof(*desc) + header.name_size;
	desc = calloc(1, size + 1);
	for (uint32_t i = 0; desc != NULL && place < 0 && i < header.num_desc; i++)
		if (pread(fd, desc, size, (off_t)(header.desc_offset + i * size)) ==
			    (ssize_t)size &&
		    strcmp(desc->name, name) == 0)
			place = (off_t)header.data_offset + desc->offset;
	free(desc);
	return place;
}

static uint32_t read_counter(const struct vcpu *vcpu)
{
	const char *name = vcpu->counter < COUNTERS ? names[vcpu->counter] : NULL;
	int fd = name != NULL ? ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL) : -1;
	uint64_t value = NO_COUNTER;
	off_t place;

	if (fd < 0)
		return NO_COUNTER;
	place = place_of(fd, name);
	if (place < 0 || pread(fd, &value, sizeof(value), place) != sizeof(value))
		value = NO_COUNTER;
	close(fd);
	return (uint32_t)value;
}

/* An access to the port by 32 bits; on the CPU's own thread. */
void counter_port(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t value;

	if (run->io.direction == KVM_EXIT_IO_OUT) {
		memcpy(&vcpu->counter, data, sizeof(vcpu->counter));
		return;
	}
	value = read_counter(vcpu);
	memcpy(data, &value, sizeof(value));
}
