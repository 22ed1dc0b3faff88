/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The virtual machine and its CPUs: the structures that everything else of pvrun works on. */
#ifndef PVRUN_MACHINE_H
#define PVRUN_MACHINE_H

#include "options.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <pvrom/clock_host.h>
#include <pvrom/host.h>
#include <pvrom/virtio_bus.h>
#include <sys/types.h>

#define PM1_BYTES 6u /* of machine_sleep.c's registers */

/* How a machine's life ended. */
enum machine_end { RUNNING, ENDED, RESET, SAVED, SLEPT };

/* What the boot processor begins with: 32-bit protected mode, flat segments. */
struct boot_state {
	uint32_t eip;
	uint32_t eax;
	uint32_t ebx;
	uint32_t esi;
};

/* 16550 on COM1; its lock also guards the receive queue. */
struct serial {
	pthread_mutex_t lock;
	struct vm *vm;
	int irq; /* an irqfd */
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	bool fifo_on, thre_pending, line_high;
	uint8_t rx[256];
	unsigned int rx_head, rx_count;
};

struct vm;
struct vcpu;
struct asleep;
struct stats;
struct virtio_device;

/* Something to be done by a CPU's own thread; lives on the stack of who waits for it. */
struct vcpu_work {
	void (*run)(struct vcpu *vcpu, void *argument);
	void *argument;
	bool between_calls; /* not while the CPU's thread waits inside a call */
	bool done;
	struct vcpu_work *next;
};

/* What a CPU had spent before this pvrun, in ns. */
struct past {
	uint64_t stolen, halted;
};

/* Exits that reached the monitor, by kind. */
struct exit_counts {
	uint64_t io;
	uint64_t mmio;
	uint64_t signal;
	uint64_t other;
};

/*
 * Calls are counted by group and index, 64 of each, more than a group of abi/ has calls;
 * the last counter is for numbers beyond that.
 */
#define CALL_GROUPS 8u
#define CALL_INDEXES 64u
#define CALL_COUNTERS (CALL_GROUPS * CALL_INDEXES)
#define KNOWN_CALLERS 32u

/*
 * What every exit touches comes first, side by side: after a world switch each
 * further page costs a walk of the page tables.
 */
struct vcpu {
	struct kvm_run *run;
	struct vm *vm;
	struct vcpu_work *work;	       /* guarded by vm->lock */
	struct pvrom_host_vcpu *pvrom; /* in vm->pvrom; NULL without a ROM */
	int fd;
	unsigned int index; /* also the APIC id and the pvrom id */
	uint8_t withdraw;   /* a vector that another thread wants to be taken back, or 0 */
	bool in_call;	    /* its thread is inside pvrom_host_call() */
	bool interrupted;   /* a signal has ended its last run: it may have been halted */
	struct exit_counts exits;
	uint64_t callers[KNOWN_CALLERS];   /* addresses that called in 64-bit mode */
	uint64_t calls[CALL_COUNTERS + 1]; /* exits by a call: a batch is one */
	size_t run_size;
	pthread_t thread;
	/* Held while its APIC is read, changed and written, or a message sent. */
	pthread_mutex_t apic;
	uint32_t counter;    /* which one the counter port shows */
	uint64_t pv_eoi;     /* what interrupts_pv_eoi() was told; on its own thread, or stopped */
	uint64_t steal;	     /* the same of vcpu_times_record() */
	uint64_t tsc_offset; /* its TSC less the host's; changed on its own thread */
	uint64_t times_tsc;  /* when clock_visit() wrote its times last; 0: never */
	uint64_t waited_before;
	struct past past;
	off_t halt_at;
	int stats_fd, schedstat;
	struct kvm_regs last_regs; /* at the last exit but for calls, for a dump */
	struct kvm_sregs reset_sregs;
	struct kvm_lapic_state reset_apic;
};

/* One-shot alarms, one a CPU, and the thread that waits for them. */
struct alarm {
	bool armed;
	bool fired; /* and perhaps not yet taken by the guest */
	uint8_t vector;
	uint64_t tsc;	   /* the guest's, as it was set */
	uint64_t deadline; /* the host's */
};

struct alarms {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool stop;
	struct alarm of[MAX_VCPUS];
	uint64_t sent, latest; /* how many, and the host's ticks by which the worst was late */
};

/* The rate of the host's TSC against its clock, and the sample from which the next is measured. */
struct host_clock {
	uint64_t rate_ticks, rate_ns;
	uint64_t last_tsc, last_ns;
	uint32_t rate_ppb;
	int64_t leap_utc_sec; /* of the leap second that the kernel was told of last */
};

/* The host's clock on its way to the guest. */
struct clock {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool there; /* the feature can be offered */
	bool runs;  /* there is a thread, for that or for VMClock */
	bool stop;
	struct host_clock source;
	struct pvrom_clock_host host;
	struct pvrom_clock_writer vmclock;
	struct pvrom_clock_page vmclock_page;
};

/* Where an I/O APIC pin goes when the guest has taken it over by a call. */
struct route {
	bool routed;
	bool masked;
	uint8_t vector;
	uint32_t vcpu;
};
#define ROUTE_PINS 24u

/* Messages of devices on the bus: one a queue, one for changes; each has a line of its own behind the pins. */
#define MESSAGES_A_DEVICE 18u
#define MESSAGE_OF(device, queue) ((device)*MESSAGES_A_DEVICE + (queue))
#define MESSAGES (MAX_DEVICES * MESSAGES_A_DEVICE)
#define MESSAGE_LINE(message) (ROUTE_PINS + (message))

struct routes {
	pthread_mutex_t lock;
	struct route pin[ROUTE_PINS];
	struct route message[MESSAGES]; /* routed: it has a vector */
};

#define FEATURES_OFFERED 8

struct pvrom {
	struct pvrom_host host;
	const struct pvrom_host_feature *features[FEATURES_OFFERED + 1];
	uint64_t is_void[CALL_GROUPS + 1]; /* bit per call: takes and returns nothing */
	struct pvrom_host_vcpu vcpus[MAX_VCPUS];
	pthread_mutex_t lock; /* the core's */
	bool logged;	      /* the guest logged since the last refill */
};

/*
 * What each exit and each call touches comes first and fits a page or two: after
 * a world switch each further page costs a walk of the page tables.
 */
struct vm {
	const struct options *opt;
	int kvm;
	int fd;
	uint8_t *ram; /* one mapping; guest memory above the hole follows the low part */
	uint64_t ram_size;
	uint64_t low_size; /* bytes below the hole, the ROM's pages included */
	uint64_t rom_gpa;
	uint64_t rom_size;    /* bytes set aside for it; 0: no ROM */
	uint64_t vmclock_gpa; /* of VMClock's page; 0: none */
	uint64_t tsc_khz;     /* of the guest's TSC, and of the host's; 0: not known */
	bool tsc_known;	      /* the offsets of the guest's TSCs are */
	enum machine_end end; /* guarded by lock, looked at without */
	int exit_status;      /* guarded by lock */
	struct pvrom pvrom;
	struct vcpu vcpus[MAX_VCPUS];
	struct pvrom_host_ops ops;
	struct boot_state boot;
	struct serial serial;
	int delay_port;	    /* a doorbell that only counts */
	uint8_t cmos_index; /* as last written; PCs have one for all CPUs */
	uint8_t pm1[PM1_BYTES];
	uint64_t epoch_before; /* it slept with that one, or 0 */
	struct routes routes;
	struct alarms alarms;
	struct clock clock;
	struct virtio_device *virtio[MAX_DEVICES]; /* disks first */
	struct pvrom_bus_host bus;
	unsigned int virtio_count;
	unsigned int threads; /* of CPUs, that have not ended; guarded by lock */
	pthread_t saver, mourner;
	struct vcpu_work park[MAX_VCPUS];
	unsigned int parked;  /* CPUs that wait for the end; guarded by lock */
	bool one_runs;	      /* and all others stand still, or are about to; guarded by lock */
	bool loaded;	      /* from a file ... */
	bool same_tsc;	      /* ... on the same boot of the host: the TSC has gone on */
	pthread_mutex_t lock; /* guards end and exit_status too, and each CPU's work */
	pthread_cond_t changed;
};

/* machine.c */
enum machine_end machine_run(const struct options *opt, int kvm, struct stats *stats,
			     struct asleep *memory, int *status);
void machine_finish(struct vm *vm, enum machine_end end, int status);
bool machine_is_over(struct vm *vm);
void machine_condition(pthread_cond_t *condition);

#endif
