/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The one internal header of pvrun: what its files share, each prototype
 * under the name of the file that holds it.
 */
#ifndef PVRUN_MONITOR_H
#define PVRUN_MONITOR_H

#include <linux/kvm.h>
#include <pthread.h>
#include <pvrom/clock_host.h>
#include <pvrom/host.h>
#include <pvrom/virtio_bus.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* pvrun's own exit statuses; any other value is the guest's. */
#define EXIT_POWEROFF 0	      /* clean power-off, or left by ctrl-a x */
#define EXIT_USAGE 2	      /* the command line is wrong */
#define EXIT_CRASHED 124      /* triple fault, or an internal error of KVM */
#define EXIT_CANNOT_RUN 125   /* no KVM, no memory, unreadable file ... */
#define EXIT_NOT_A_KERNEL 126 /* the file is there and is not a kernel */

#define MAX_VCPUS 64   /* the size of a CPU set's one word */
#define MAX_MODULES 16 /* fits the boot area below */
#define LEAST_MEMORY MIB(4)

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define PAGE_SIZE 4096u

static inline uint64_t page_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/*
 * Guest physical memory:
 *
 *   0x00000000  usable
 *   0x00090000  reserved: GDT, boot record, memory map, command line (BOOT_AREA)
 *   0x000a0000  reserved: what a PC has there; plain memory here, all zero
 *   0x00100000  usable, as far as 3 GiB
 *   top of low  reserved: the ROM's pages and VMClock's, read-only to the guest
 *   0xc0000000  the PCI hole: virtio-mmio from 0xd0000000, IOAPIC, local APIC, KVM's own pages (Intel)
 *   0x100000000 usable: what did not fit below the hole
 */
#define BOOT_AREA 0x90000u
#define BOOT_AREA_END 0xa0000u
#define HIGH_START MIB(1)
#define LOW_LIMIT GIB(3)
#define ABOVE_HOLE GIB(4)

/* On the way of every exit: the linker puts these functions side by side. */
#define HOT __attribute__((hot))

enum stats_form { STATS_NONE, STATS_TEXT, STATS_JSON };
enum boot_method { BOOT_AUTO, BOOT_PVH, BOOT_MULTIBOOT };
enum rom_mode { ROM_ON, ROM_OFF, ROM_FILE };
/* Where a guest can find the ROM: the leaves, a copy in the option ROM window, or an address it is told. */
enum rom_route { FIND_CPUID, FIND_WINDOW, FIND_TOLD };

/* A file handed to the guest beside the kernel. */
struct module_arg {
	const char *path;
	const char *cmdline; /* "" if none */
};

/* A file that is a disk of the guest. */
struct disk_arg {
	const char *path;
	bool read_only;
	bool direct;   /* past the host's page cache */
	uint64_t iops; /* 0: as many as it does */
	uint64_t bps;  /* bytes a second; 0 the same */
	unsigned int queues;
};

/* A network card of the guest, and what is behind it. */
struct net_arg {
	char *backend;	    /* user, tap=NAME or port=SWITCH, and the words that are for it */
	const char *pcap;   /* a file for every frame, or NULL */
	uint8_t mac[6];	    /* all zero: one is made up */
	unsigned int pairs; /* of queues */
	unsigned int poll;  /* microseconds; for how long it looks for more before it sleeps */
};

#define MAX_DEVICES 8u /* disks and cards together: lines 16 to 23 of the I/O APIC */
#define PM1_BYTES 6u   /* of machine_sleep.c's registers */

/* What the command line asked for. */
struct options {
	const char *kernel;
	const char *append;
	const char *initrd;
	const char *rom_file;
	const char *stats_file;
	const char *save; /* where the machine goes at SIGUSR2, or NULL */
	const char *load; /* from where it goes on, or NULL */
	struct module_arg modules[MAX_MODULES];
	unsigned int module_count;
	struct disk_arg disks[MAX_DEVICES];
	unsigned int disk_count;
	struct net_arg nets[MAX_DEVICES];
	unsigned int net_count;
	unsigned int cpus;
	uint64_t memory; /* bytes, a multiple of the page size */
	enum boot_method boot;
	enum rom_mode rom;
	enum rom_route find;
	enum stats_form stats;
	bool no_reboot;
	bool quiet;
	bool tsc_alone;	       /* monotonic time follows nothing but the TSC */
	bool vmclock;	       /* a VMClock page in the last page of low memory */
	bool s3;	       /* the guest can suspend to memory */
	uint64_t features_off; /* bit n: feature n switched off by the operator */
	uint32_t slots;	       /* PVROM_SLOTS_x */
};

/* How a machine's life ended. */
enum machine_end { RUNNING, ENDED, RESET, SAVED, SLEPT };

/* What a machine that sleeps leaves to its next life: its memory, and where that begins. */
struct asleep {
	uint8_t *ram; /* NULL: it does not sleep */
	uint64_t size;
	uint32_t vector; /* 0: nowhere */
	uint64_t kvm_clock_ns;
	uint64_t epoch; /* 0: no ROM */
};

/* A whole file, mapped read-only. */
struct file_image {
	const char *path;
	const uint8_t *data;
	size_t size;
};

/* A range of guest memory, in the numbering of e820 (1 usable, 2 reserved). */
struct map_entry {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};
#define MAP_USABLE 1u
#define MAP_RESERVED 2u
#define MAX_MAP_ENTRIES 8u

/* Where a module went. */
struct module_gpa {
	uint64_t start;
	uint64_t size;
	uint64_t cmdline;
};

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

/* Its registers and what waits in it, in a file. */
struct serial_state {
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	bool fifo_on, thre_pending, line_high;
	uint8_t rx[256];
	uint32_t rx_head, rx_count;
};

struct vm;
struct vcpu;
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
 * Calls are counted by group and index, 64 of each, which is what abi/ has room
 * for; the last counter is for numbers beyond that.
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
	uint64_t callers[KNOWN_CALLERS]; /* addresses that called in 64-bit mode */
	uint64_t calls[CALL_COUNTERS + 1];
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

/* message.c */
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* options.c */
void options_parse(struct options *opt, int argc, char **argv);
unsigned int options_devices(const struct options *opt);

/* net_options.c */
#define MAX_PAIRS 8u
struct argp_state;
void net_option(struct argp_state *state, struct options *opt, char *text);
void net_option_mac(struct argp_state *state, struct options *opt, const char *text);
void net_option_pcap(struct argp_state *state, struct options *opt, const char *path);
void net_options_finish(struct options *opt);

/* file_image.c */
void file_open(struct file_image *file, const char *path);
void file_close(struct file_image *file);

/* guest_memory.c */
void memory_create(struct vm *vm, uint8_t *kept);
void memory_destroy(struct vm *vm);
void *memory_span(const struct vm *vm, uint64_t gpa, uint64_t *len);
void *memory_at(const struct vm *vm, uint64_t gpa, uint64_t size);
void *memory_for(const struct vm *vm, uint64_t gpa, uint64_t size, const char *what);
unsigned int memory_map(const struct vm *vm, struct map_entry map[MAX_MAP_ENTRIES]);

/* rom_bug.c */
#ifdef PVROM_TEST
extern bool rom_bug; /* --bug rom-changes */
bool rom_bug_read(struct vm *vm, uint64_t gpa, uint8_t *data, uint32_t len);
#else
#define rom_bug false
#define rom_bug_read(vm, gpa, data, len) false
#endif

/* bus_bug.c */
#ifdef PVROM_TEST
extern bool bus_bug; /* --bug bus-lies */
uint64_t bus_bug_kind(unsigned int device, uint64_t kind);
uint64_t bus_bug_value(unsigned int device, uint32_t op, uint64_t value);
#else
#define bus_bug_kind(device, kind) (kind)
#define bus_bug_value(device, op, value) (value)
#endif

/* kvm_device.c */
int kvm_open(void);
int kvm_extension(int fd, long cap);
void kvm_create_machine(struct vm *vm);

/* hardware_facts.c */
uint32_t hardware_facts(const struct vm *vm);
const char *hardware_module(void);
bool hardware_nested_paging(void);

/* machine.c */
enum machine_end machine_run(const struct options *opt, int kvm, struct stats *stats,
			     struct asleep *memory, int *status);
void machine_finish(struct vm *vm, enum machine_end end, int status);
bool machine_is_over(struct vm *vm);
void machine_condition(pthread_cond_t *condition);

/* boot_area.c */
struct boot_area {
	struct vm *vm;
	uint64_t next; /* first free byte of the boot area */
};
void boot_area_start(struct boot_area *area, struct vm *vm);
uint64_t boot_area_take(struct boot_area *area, uint64_t size, uint64_t align);
uint64_t boot_area_string(struct boot_area *area, const char *text);

/* acpi_tables.c */
#define ACPI_RSDP 0xf0000u
#define SLEEP_CONTROL_PORT 0x565cu
#define SLEEP_STATUS_PORT 0x565du
#define SLEEP_OFF 5u /* the sleep type that means off */
#define SLEEP_S3 3u
/* ACPI 6.4, 4.8.3.7: sleep type in bits 4:2, bit 5 does it; so it is in the upper byte of PM1's control too. */
#define SLEEP_DO(type) (1u << 5 | (type) << 2)
#define SLEEP_MASK SLEEP_DO(7u)
void acpi_tables_create(struct vm *vm);

/* acpi_sleep.c */
#define ACPI_FACS (ACPI_RSDP + 64u)
#define ACPI_FACS_BYTES 64u
uint32_t acpi_sleep_vector(const struct vm *vm);

/* machine_sleep.c */
#define PM1_PORT 0x600u
#define PM1_CONTROL 4u /* behind status and enable */
bool pm1_has(const struct vm *vm, uint32_t port);
uint8_t pm1_read(const struct vm *vm, uint32_t port);
void pm1_write(struct vm *vm, uint32_t port, uint8_t value);
void pm1_reset(struct vm *vm, bool woken);
void machine_sleep(struct vm *vm, uint8_t control);
void machine_sleep_begin(const struct vm *vm, struct asleep *memory);
void machine_sleep_end(struct vm *vm, const struct asleep *memory);
void machine_sleep_signals(const struct options *opt);
void machine_sleep_leave(void);
enum machine_end machine_sleep_wait(const struct options *opt, struct asleep *memory);

/* load_kernel.c */
void load_kernel(struct vm *vm);
unsigned int load_modules(struct boot_area *area, uint64_t from, struct module_gpa *out);

/* load_elf.c */
bool elf_is(const struct file_image *file);
uint64_t elf_load(struct vm *vm, const struct file_image *file, uint64_t *entry);
bool elf_pvh_entry(const struct file_image *file, uint32_t *entry);

/* virtio_bus.c */
void virtio_bus_offer(struct vm *vm);

/* virtio_device.c and virtio_mmio.c; see also virtio_device.h. */
void virtio_interrupt_again(struct vm *vm);
#define VIRTIO_MMIO_BASE 0xd0000000u
#define VIRTIO_MMIO_SIZE 0x1000u
#define VIRTIO_MMIO_LINE 16u
bool virtio_mmio_access(struct vm *vm, uint64_t gpa, void *data, uint32_t len, bool write);

/* load_pvh.c */
void load_pvh(struct vm *vm, const struct file_image *file, uint32_t entry);

/* load_multiboot.c */
bool multiboot_is(const struct file_image *file);
void load_multiboot(struct vm *vm, const struct file_image *file);

/* load_linux.c */
bool linux_is(const struct file_image *file);
void load_linux(struct vm *vm, const struct file_image *file);

/* cpuid_table.c */
void cpuid_set(struct vcpu *vcpu);
bool cpuid_supported_bit(int kvm, uint32_t leaf, unsigned int reg, unsigned int bit);

/* vcpu.c */
void vcpu_signals(void);
void vcpu_create(struct vm *vm, unsigned int index);
void vcpu_destroy(struct vcpu *vcpu);
void vcpu_start(struct vcpu *vcpu);
void vcpu_join_all(struct vm *vm);
void vcpu_kick(struct vcpu *vcpu);
void vcpu_kick_idle(struct vm *vm);
struct vcpu *vcpu_mine(void);
bool vcpu_is_mine(const struct vcpu *vcpu);

/* vcpu_work.c */
void vcpu_take_work(struct vcpu *vcpu);
void vcpu_do(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument), void *argument);
void vcpu_do_between_calls(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument),
			   void *argument);
void vcpu_alone(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument), void *argument);
void vcpu_withdraw(struct vcpu *vcpu, uint8_t vector);
bool vcpu_park_all(struct vm *vm);

/* vcpu_state.c */
void vcpu_state_boot(struct vcpu *vcpu, const struct boot_state *boot);
void vcpu_state_real(struct vcpu *vcpu, uint32_t at);
void vcpu_state_reset(struct vcpu *vcpu);
void vcpu_state_stop(struct vcpu *vcpu);
bool vcpu_state_is_stopped(struct vcpu *vcpu);
bool vcpu_state_start(struct vcpu *vcpu, const struct pvrom_smp_state *state);
bool vcpu_state_wake(struct vcpu *vcpu);

/* vcpu_dump.c */
void vcpu_dump(struct vcpu *vcpu);
void vcpu_dump_all(struct vcpu *first);
void vcpu_dump_last(struct vcpu *vcpu);

/* last_words.c */
int last_words_signal(int number);
void last_words_start(struct vm *vm);
void last_words_stop(struct vm *vm);

/* exits.c */
void exit_handle(struct vcpu *vcpu);

/* ports.c */
#define TRANSPORT_PORT 0xe4u /* no device of a PC is there; within reach of `out %eax,$imm8` */
#define LIVE_PORT 0x5650u
void port_access(struct vcpu *vcpu);

/* counter_port.c */
#define COUNTER_PORT 0x5654u
void counter_port(struct vcpu *vcpu);

/* cmos_clock.c */
#define CMOS_INDEX 0x70u
#define CMOS_DATA 0x71u
uint8_t cmos_clock_read(uint8_t index);

/* event_fds.c */
struct doorbell {
	uint64_t address;
	uint32_t size;
	bool is_port;	/* and not an address of memory */
	bool one_value; /* rung by `value` only */
	uint64_t value;
};
int irqfd_open(const struct vm *vm, uint32_t gsi);
void irqfd_raise(int fd);
void doorbell_attach(const struct vm *vm, const struct doorbell *doorbell, int fd);
int doorbell_open(const struct vm *vm, const struct doorbell *doorbell);
uint64_t doorbell_rung(int fd);
void delay_port_create(struct vm *vm);

/* serial_16550.c */
#define COM1_PORT 0x3f8u
#define COM1_IRQ 4u
void serial_create(struct serial *serial, struct vm *vm);
void serial_destroy(struct serial *serial);
uint8_t serial_read(struct serial *serial, unsigned int reg);
void serial_write(struct serial *serial, unsigned int reg, uint8_t value);
bool serial_receive(struct serial *serial, uint8_t byte);
void serial_repeat_line(struct serial *serial);
void serial_save(const struct serial *serial, struct serial_state *state);
void serial_load(struct serial *serial, const struct serial_state *state);

/* terminal.c */
void terminal_start(void);
void terminal_attach(struct vm *vm);
void terminal_detach(void);
_Noreturn void terminal_die(int signal);

/* area_records.c */
void area_records_change(struct vcpu *vcpu, uint64_t area_gpa);

/* interrupts.c */
void interrupts_create(struct vm *vm);
void interrupts_send(struct vm *vm, uint32_t vcpu, uint32_t vector);
void interrupts_end(struct vcpu *vcpu);
void interrupts_pv_eoi(struct vcpu *vcpu, uint64_t value);
bool interrupts_route(struct vm *vm, uint64_t pin, uint8_t vector, uint32_t vcpu);
bool interrupts_mask(struct vm *vm, uint64_t pin, bool masked);
void interrupts_message(struct vm *vm, unsigned int message, uint8_t vector, uint32_t vcpu);
void interrupts_default(struct vm *vm);
void interrupts_take(struct vm *vm, const struct route pin[ROUTE_PINS]);

/* apic_state.c */
bool apic_requests(struct vcpu *vcpu, uint8_t vector);
void apic_withdraw(struct vcpu *vcpu, uint8_t vector);
void apic_end(struct vcpu *vcpu);

/* guest_tsc.c */
void guest_tsc_create(struct vm *vm);
bool guest_tsc_set_offset(struct vcpu *vcpu, uint64_t offset);
uint64_t guest_tsc_offset(const struct vcpu *vcpu);
uint64_t guest_tsc_now(const struct vcpu *vcpu);
void guest_tsc_write(struct vcpu *vcpu);

/* host_clock.c */
void host_clock_start(struct host_clock *clock, uint64_t tsc_khz);
struct pvrom_clock_sample host_clock_sample(struct host_clock *clock, uint64_t offset);

/* guest_clock.c */
void clock_create(struct vm *vm);
void clock_start(struct vm *vm);
void clock_stop(struct vm *vm);
void clock_pause(struct vm *vm);
void clock_tsc_moved(struct vcpu *vcpu, int64_t step);
void clock_visit(struct vcpu *vcpu);

/* vcpu_times.c */
void vcpu_times_start(struct vcpu *vcpu);
void vcpu_times_keep(struct vcpu *vcpu);
void vcpu_times_stop(struct vcpu *vcpu);
void vcpu_times_record(struct vcpu *vcpu, uint64_t value);
bool vcpu_times_stolen(const struct vcpu *vcpu, uint64_t *ns);
struct pvrom_clock_vcpu_times vcpu_times_now(const struct vcpu *vcpu, uint64_t tsc);

/* vmclock_page.c */
void vmclock_create(struct vm *vm);
void vmclock_update(struct vm *vm, const struct pvrom_clock_sample *sample);
void vmclock_resume(struct vm *vm, const struct pvrom_clock_sample *first);

/* alarms.c */
void alarms_create(struct vm *vm);
void alarms_start(struct vm *vm);
void alarms_stop(struct vm *vm);
void alarms_move(struct vcpu *vcpu);
void alarms_set(struct vcpu *vcpu, uint64_t tsc, uint8_t vector);
void alarms_cancel(struct vcpu *vcpu);
void alarms_withdraw(struct vcpu *vcpu, uint8_t vector);

/* pvrom_glue.c */
uint64_t pvrom_feature_by_name(const char *name);
uint64_t pvrom_glue_room(const struct options *opt);
void pvrom_glue_create(struct vm *vm);
void pvrom_glue_call(struct vcpu *vcpu);
void pvrom_glue_forget_callers(struct vcpu *vcpu);
void pvrom_glue_live(struct vcpu *vcpu);
void pvrom_glue_refill(struct vm *vm);

/* pvrom_ops.c */
void pvrom_ops_fill(struct vm *vm);

/* saved_vcpu.c */
struct saved_msr {
	uint32_t index, reserved;
	uint64_t value;
};
struct saved_vcpu {
	struct kvm_mp_state mp_state;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct saved_xsave {
		uint32_t region[1024];
	} xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct alarm alarm;
	struct past past;
	uint64_t tsc_offset;
	uint32_t msr_count;
	struct saved_msr msr[256];
};
void saved_vcpu_take(struct vcpu *vcpu, struct saved_vcpu *saved);
void saved_vcpu_give(struct vcpu *vcpu, const struct saved_vcpu *from, uint64_t tsc_offset);

/* saved_file.c */
void saved_put(FILE *file, const void *data, size_t size);
void saved_take(const struct vm *vm, FILE *file, void *data, size_t size);
/* In a file it may be any byte, and no truth value may be that. */
bool saved_is_bool(const bool *at);
bool saved_is_route(const struct vm *vm, const struct route *route);

/* saved_parts.c */
void saved_put_memory(const struct vm *vm, FILE *file);
void saved_take_memory(struct vm *vm, FILE *file);
void saved_put_devices(struct vm *vm, FILE *file);
void saved_take_devices(struct vm *vm, FILE *file);
void *saved_host_image(struct vm *vm, size_t *size);
void saved_load_host(struct vm *vm, const void *image, size_t size);

/* saved_virtio.c */
void saved_pause_virtio(struct vm *vm);
void saved_put_virtio(struct vm *vm, FILE *file);
void saved_take_virtio(struct vm *vm, FILE *file);

/* saved_machine.c */
void saved_machine_signals(const struct options *opt);
void saved_machine_start(struct vm *vm);
void saved_machine_stop(struct vm *vm);
void saved_machine_write(struct vm *vm);
void saved_machine_read(struct vm *vm);

/* kvm_stats.c */
void kvm_stats_add(struct stats *stats, int fd);

/* stats_report.c */
void stats_add(struct stats *stats, const struct vm *vm);
void stats_report(const struct options *opt, const struct stats *stats);

#endif
