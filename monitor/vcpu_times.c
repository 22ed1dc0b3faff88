/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How long a CPU was ready and did not run, and how long it was halted, as the host's kernel counts it:
 * the waiting time of the CPU's thread (Linux, Documentation/scheduler/sched-stats.rst,
 * /proc/<pid>/schedstat, the second word), which is what KVM's own record of stolen time is made of, and KVM's counter
 * halt_wait_ns.
 */
#include "guest_clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MSR_KVM_STEAL_TIME 0x4b564d03u
/* vcpu_kick_idle() looks once a second for who has written none for one: two, and one to come by. */
#define FRESH_NS UINT64_C(3000000000)

/* Reads the thread's waiting time in ns; false on a kernel that does not count it. */
static bool read_waiting(const struct vcpu *vcpu, uint64_t *ns)
{
	char text[96], *at;
	ssize_t size = vcpu->schedstat < 0 ? -1 : pread(vcpu->schedstat, text, sizeof(text) - 1, 0);

	if (size <= 0)
		return false;
	text[size] = '\0';
	at = strchr(text, ' ');
	if (at == NULL)
		return false;
	*ns = strtoull(at, NULL, 10);
	return true;
}

/* Where KVM keeps halt_wait_ns of this CPU; 0 if it has no such counter. */
static off_t find_halt(int fd)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	off_t found = 0, at;
	size_t size;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return 0;
	size = sizeof(*desc) + header.name_size;
	desc = calloc(1, size + 1);
	at = header.desc_offset;
	for (uint32_t i = 0; desc != NULL && i < header.num_desc && found == 0; i++) {
		if (pread(fd, desc, size, at) == (ssize_t)size &&
		    strcmp(desc->name, "halt_wait_ns") == 0)
			found = (off_t)header.data_offset + desc->offset;
		at += (off_t)size;
	}
	free(desc);
	return found;
}

/* On the CPU's own thread, before it runs. */
void vcpu_times_start(struct vcpu *vcpu)
{
	vcpu->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	vcpu->stats_fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
	vcpu->halt_at = vcpu->stats_fd < 0 ? 0 : find_halt(vcpu->stats_fd);
	if (!read_waiting(vcpu, &vcpu->waited_before))
		vcpu->waited_before = 0;
}

void vcpu_times_stop(struct vcpu *vcpu)
{
	if (vcpu->schedstat >= 0)
		close(vcpu->schedstat);
	if (vcpu->stats_fd >= 0)
		close(vcpu->stats_fd);
}

/*
 * Tells KVM where its own record of stolen time is (address | 1), or 0 for nowhere; on the CPU's own
 * thread (MSR_KVM_STEAL_TIME: Documentation/virt/kvm/x86/msr.rst). A KVM without it leaves the record zero.
 */
void vcpu_times_record(struct vcpu *vcpu, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry = { MSR_KVM_STEAL_TIME, 0, value } };

	ioctl(vcpu->fd, KVM_SET_MSRS, &msrs.head);
}

/* Nanoseconds stolen since the CPU began; false if the host does not count. From any thread. */
bool vcpu_times_stolen(const struct vcpu *vcpu, uint64_t *ns)
{
	uint64_t now;

	if (!read_waiting(vcpu, &now))
		return false;
	*ns = vcpu->past.stolen + now - vcpu->waited_before;
	return true;
}

static uint64_t read_halted(const struct vcpu *vcpu)
{
	uint64_t ns;

	if (vcpu->halt_at == 0 ||
	    pread(vcpu->stats_fd, &ns, sizeof(ns), vcpu->halt_at) != sizeof(ns))
		return vcpu->past.halted;
	return vcpu->past.halted + ns;
}

/* On the CPU's own thread, which ends: what it has spent, for a CPU that goes on from here. */
void vcpu_times_keep(struct vcpu *vcpu)
{
	uint64_t stolen;

	if (vcpu_times_stolen(vcpu, &stolen))
		vcpu->past.stolen = stolen;
	vcpu->past.halted = read_halted(vcpu);
}

/*
 * What the CPU does: its thread is here, so it is not ready, for that is who waits for a processor. A halted one
 * sleeps in KVM, and stays halted when a signal takes its thread out; so does one that was never started.
 */
static uint32_t state_of(const struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	if (!vcpu->interrupted || ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
	    state.mp_state == KVM_MP_STATE_RUNNABLE)
		return PVROM_VCPU_RUNNING;
	return PVROM_VCPU_HALTED;
}

/* The CPU's times at a value of its TSC; on its own thread. */
struct pvrom_clock_vcpu_times vcpu_times_now(const struct vcpu *vcpu, uint64_t tsc)
{
	struct pvrom_clock_vcpu_times times = {
		.tsc = tsc,
		.fresh_ns = FRESH_NS,
		.state = state_of(vcpu),
	};

	if (!vcpu_times_stolen(vcpu, &times.stolen_ns))
		times.stolen_ns = 0;
	times.halted_ns = read_halted(vcpu);
	return times;
}
