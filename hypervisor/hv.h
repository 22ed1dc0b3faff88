/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The one machine that this hypervisor runs, its vCPUs, and the prototypes, under the names of
 * their files in the order in which a guest's life passes them.
 *
 * One vCPU a physical CPU, for good: nothing is scheduled, and what SVM does not switch (x87 and
 * vector registers, XCR0, debug registers 0 to 3, TSC_AUX) simply stays the guest's.
 * The host runs with interrupts off, but where it waits and right after an exit.
 */
#ifndef HYPERVISOR_HV_H
#define HYPERVISOR_HV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/clock_host.h>
#include <pvrom/host.h>
#include <pvrom/mmu_host.h>

#include "hv_cpu.h"
#include "hv_layout.h"
#include "svm.h"

#define PAGE 0x1000ull
#define LARGE_PAGE 0x200000ull
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(value, to) (((value) + (to)-1) & ~((uint64_t)(to)-1))

#define PIC_VECTOR 0x20	  /* 16 of them: masked, but the 8259 has its spurious ones */
#define PIN_VECTOR 0x30	  /* + input of the I/O APIC */
#define KICK_VECTOR 0x60  /* looks up from the guest, or from sleep */
#define TIMER_VECTOR 0x61 /* an alarm is due */
#define SPURIOUS_VECTOR 0xff
#define PINS 24u

#define ROM_ROOM 0x10000u /* four times the size that a ROM promises to stay under */
#define EXIT_CODES 0x90u  /* counted one by one; nested page faults and the rest behind them */
#define CALL_GROUPS PVROM_GROUP_COUNT
#define CALL_INDEXES 64u

#define HV_EXIT_LOST 0x7e /* the guest cannot go on; the reason was printed */

/* What a vCPU does. Only its own CPU leaves RUNNING; only who starts it leaves STOPPED. */
enum { VCPU_STOPPED, VCPU_STARTING, VCPU_RUNNING };

/* What others ask of a vCPU; it is done before the guest runs on. */
#define REQUEST_KICK 0x1u   /* look at the interrupts */
#define REQUEST_STOP 0x2u   /* stop, as by SMP_STOP */
#define REQUEST_FLUSH 0x4u  /* forget all translations */
#define REQUEST_WAKE 0x8u   /* end a halt, this one or the next */
#define REQUEST_PAUSE 0x10u /* wait while the world stands still */
#define REQUEST_POLL 0x20u  /* run no vCPU: look at the rings of all, for good */

/* Does an NMI come in? STEPPING: its handler's IRET is being executed alone. */
enum { NMI_OPEN, NMI_BLOCKED, NMI_STEPPING };

struct hv_interrupts {
	uint64_t waiting[4];	/* a bit a vector; set by anybody */
	uint64_t in_service[4]; /* this and all below: by the vCPU's own CPU */
	uint32_t nmi_waiting;	/* set by anybody */
	uint32_t nmi;
};

struct hv_alarm {
	uint32_t lock;
	uint64_t deadline; /* 0: none is set */
	uint8_t vector;
	bool sent; /* and perhaps not taken */
	bool timer_came;
};

/* Sums, as the counter port numbers them: exits; of them by request; CONTINUEs; other interrupts. */
enum { SUM_EXITS, SUM_KICKS, SUM_CONTINUED, SUM_INTERRUPTS, SUMS };

struct hv_counts {
	uint64_t exits[EXIT_CODES + 2];
	uint64_t calls[CALL_GROUPS][CALL_INDEXES];
	uint64_t sum[SUMS];
};

struct hv_vcpu {
	uint64_t gpr
		[16]; /* RAX and RSP too, while the guest does not run; hv_enter.S knows the place */
	struct svm_vmcb *vmcb;
	uint32_t id, apic_id;
	uint32_t state, requests;
	uint32_t in_guest, paused;    /* 1: yes; for other CPUs to look at */
	bool halted, kicked, fresh;   /* fresh: started, and has not run */
	bool asked;		      /* a kick has come since the last run began */
	uint32_t counter;	      /* that the guest has chosen at the counter port */
	uint64_t visited, halted_tsc; /* TSC: its times written last; spent asleep */
	uint64_t event;		      /* whose delivery an exit interrupted; 0: none */
	uint32_t event_error;
	struct pvrom_mmu_regs control; /* as the guest sees them, while shadowed */
	struct hv_interrupts irq;
	struct hv_alarm alarm;
	struct hv_counts counts;
};

struct hv_route {
	uint8_t vector; /* 0: not routed */
	bool masked;
	uint32_t vcpu;
};

/* What the command line says. */
struct hv_options {
	const char *guest; /* the guest's own command line */
	uint32_t cpus;	   /* 0: as many as there are */
	uint32_t memory_mib;
	bool nested, tsc_alone; /* the latter: the operator vouches for the TSC */
	uint64_t features_off;
	uint32_t slots;	   /* PVROM_SLOTS_x */
	uint32_t pool;	   /* pages for shadow tables */
	uint32_t poll;	   /* 1: the last CPU runs no vCPU and looks at the rings */
	uint32_t every[2]; /* tests: changes, reloads at every so many calls; 0: none */
	uint32_t most;	   /* of each */
};

struct hv_machine {
	struct hv_options options;
	uint32_t cpus;
	bool nested;	 /* now: NPT, or shadow page tables */
	uint8_t *memory; /* the guest's, from address 0 */
	uint64_t memory_size, rom_gpa;
	uint64_t tsc_hz, timer_hz;
	uint64_t refilled;		 /* TSC when the guest's log was last refilled */
	uint32_t core, routes, mmu_lock; /* locks */
	uint32_t poll_lock;		 /* while rings are looked at, or the engine is changed */
	struct pvrom_mmu *mmu;
	struct pvrom_clock_host clock;
	uint32_t calls, wanted, changes[2];
	struct hv_route route[PINS];
	struct pvrom_host host;
	struct pvrom_host_vcpu host_vcpu[HV_MAX_CPUS];
	struct hv_vcpu vcpu[HV_MAX_CPUS];
};

extern struct hv_machine hv;

struct hv_module {
	const uint8_t *start;
	uint64_t size;
};

/* What hv_decode() found at the guest's RIP. */
enum { INSN_OTHER, INSN_HLT, INSN_TWO_BYTES, INSN_INVLPG, INSN_CR_TO_REG, INSN_REG_TO_CR };
enum { INSN_CLTS = INSN_REG_TO_CR + 1, INSN_LMSW, INSN_SMSW };
struct hv_insn {
	uint8_t kind, length;
	uint8_t reg;	  /* general register, where it names one */
	uint8_t control;  /* control register */
	uint8_t opcode;	  /* the last byte of a two-byte opcode */
	bool wide;	  /* 64-bit operand */
	uint64_t address; /* linear, of a memory operand */
};

/* hv_main.c */
void hv_main(uint32_t multiboot_info);
void hv_ap_main(uint32_t index) __attribute__((noreturn));

/* hv_text.c; the first four, which compilers call by themselves, are the host core's */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
bool hv_begins(const char *text, const char *with);
uint32_t hv_number(const char *text);
void hv_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* hv_options.c */
bool hv_options_read(const char *text, struct hv_options *options);

/* hv_host_cpu.c: descriptor tables, SVM on, interrupts of the host */
void hv_host_cpu_init(struct hv_vcpu *vcpu);
extern struct svm_vmcb hv_host_page[];
void hv_cpus_start(uint32_t wanted);
struct hv_vcpu *hv_this_vcpu(void);

/* hv_apic.c: the host's own controllers */
void hv_8259_silence(void);
void hv_apic_init(void);
void hv_apic_init_cpu(void);
uint32_t hv_apic_id(void);
void hv_apic_eoi(void);
void hv_apic_send(uint32_t apic_id, uint32_t command);
void hv_apic_start_others(void);
void hv_timer_set(uint64_t tsc);
void hv_pin_set(uint32_t pin, bool masked, uint32_t apic_id);
void hv_spin_us(uint64_t us);

/* hv_lock.c: locks, and asking other CPUs for something */
void hv_lock_take(void *lock);
void hv_lock_release(void *lock);
void hv_request(struct hv_vcpu *vcpu, uint32_t requests);
void hv_wait_for(struct hv_vcpu *vcpu, uint32_t requests);

/* hv_memory.c: guest addresses */
void hv_memory_init(uint64_t from, uint64_t to);
void *hv_memory_at(uint64_t gpa, uint64_t *len, bool *writable);
extern uint64_t hv_nested_root[], hv_unpaged_root[]; /* tables; 512 entries and 4 */
extern uint8_t hv_ones[];			     /* a page of ones, which nobody may write */
size_t hv_fetch(const struct hv_vcpu *vcpu, uint8_t *bytes, size_t size);

/* hv_load.c: the guest's kernel */
bool hv_load(const struct hv_module *module, uint32_t *entry, uint32_t *info);

/* hv_vcpu.c: the life of a vCPU */
void hv_vcpu_boot(struct hv_vcpu *vcpu, uint32_t entry, uint32_t info);
bool hv_vcpu_state_ok(const struct pvrom_smp_state *state);
void hv_vcpu_load(struct hv_vcpu *vcpu, const struct pvrom_smp_state *state);
void hv_vcpu_stop(struct hv_vcpu *vcpu);
void hv_vcpu_main(struct hv_vcpu *vcpu) __attribute__((noreturn));

/* hv_interrupts.c: the interrupts of a vCPU */
void hv_interrupts_send(struct hv_vcpu *vcpu, uint32_t vector);
void hv_interrupts_withdraw(struct hv_vcpu *vcpu, uint8_t vector);
void hv_interrupts_look(struct hv_vcpu *vcpu, bool settle);
void hv_interrupts_end(struct hv_vcpu *vcpu);
void hv_interrupts_forget(struct hv_vcpu *vcpu);
bool hv_interrupts_wake(struct hv_vcpu *vcpu);
void hv_interrupts_before_run(struct hv_vcpu *vcpu);
void hv_interrupts_after_run(struct hv_vcpu *vcpu);
void hv_interrupts_iret(struct hv_vcpu *vcpu);
bool hv_interrupts_stepped(struct hv_vcpu *vcpu);
void hv_inject(struct hv_vcpu *vcpu, uint32_t vector, bool with_error, uint32_t error);

/* hv_alarms.c */
void hv_alarm_set(struct hv_vcpu *vcpu, uint64_t tsc, uint8_t vector);
void hv_alarm_cancel(struct hv_vcpu *vcpu);
void hv_alarm_check(struct hv_vcpu *vcpu);

/* hv_exits.c: why the guest stopped running, and who sees to it */
void hv_exit_handle(struct hv_vcpu *vcpu);
void hv_skip(struct hv_vcpu *vcpu, uint32_t bytes);
void hv_dump(const struct hv_vcpu *vcpu, const char *why);

/* hv_decode.c */
bool hv_decode(const struct hv_vcpu *vcpu, struct hv_insn *insn);

/* hv_cpuid.c */
void hv_cpuid(const struct hv_vcpu *vcpu, uint32_t regs[4]);

/* hv_msrs.c */
uint64_t hv_msr_permissions(void);
bool hv_msr_read(struct hv_vcpu *vcpu, uint32_t msr, uint64_t *value);
bool hv_msr_write(struct hv_vcpu *vcpu, uint32_t msr, uint64_t value);

/* hv_ports.c */
uint64_t hv_port_permissions(void);
void hv_port_access(struct hv_vcpu *vcpu);

/* hv_control.c: control registers */
struct pvrom_mmu_regs hv_control_of(const struct hv_vcpu *vcpu);
bool hv_control_set(struct hv_vcpu *vcpu, const struct pvrom_mmu_regs *control);
uint32_t hv_physical_bits(void);
uint64_t hv_cr4_allowed(void);
void hv_control_exit(struct hv_vcpu *vcpu);

/* hv_shadow.c: no nested paging */
uint64_t hv_shadow_init(uint64_t from, uint64_t to);
void hv_shadow_start(void);
bool hv_shadow_control(struct hv_vcpu *vcpu, const struct pvrom_mmu_regs *control);
void hv_shadow_before_run(struct hv_vcpu *vcpu);
bool hv_shadow_fault(struct hv_vcpu *vcpu);
void hv_shadow_poll(void);

/* hv_pvrom.c: the host core in this hypervisor; hv_ops.c: what it asks of it */
uint32_t hv_hardware_facts(void);
void hv_pvrom_init(void);
void hv_pvrom_call(struct hv_vcpu *vcpu);
extern const struct pvrom_host_ops hv_ops;

/* hv_change.c: the machine changes under its guest */
#define HV_WANT_PAGING 1u /* nested to shadow paging, or back */
#define HV_WANT_RELOAD 2u /* the host core saved and loaded */
void hv_change_want(uint32_t what);
void hv_change_count(void);
bool hv_change_now(struct hv_vcpu *vcpu);
void hv_change_wait(struct hv_vcpu *vcpu);

/* hv_clock.c */
void hv_clock_init(void);
void hv_clock_go_on(void);
void hv_clock_moved(const struct hv_vcpu *vcpu, uint64_t step);
void hv_clock_visit(struct hv_vcpu *vcpu);

/* hv_report.c */
void hv_finish(uint8_t value) __attribute__((noreturn));
void hv_restart(void) __attribute__((noreturn));

/* hv_enter.S */
void hv_enter(uint64_t gpr[16], uint64_t vmcb, uint64_t host);
extern const uint8_t hv_idt_entries[256][16];

/* hv_boot.S and the linker script */
extern const uint8_t hv_ap_start[], hv_ap_end[], hv_image_start[], hv_image_end[];
extern uint32_t hv_cpus_arrived;

#endif
