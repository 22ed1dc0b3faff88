/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host handler: what a hypervisor embeds to serve pvrom to its guests.
 *
 * The core owns nothing. It allocates no memory, starts no thread, does no I/O, never exits and
 * has no state outside the structures that the embedder hands it. An embedder
 *
 *	1  fills in struct pvrom_host_config, and struct pvrom_host_ops with what its callbacks do;
 *	2  calls pvrom_host_init() once for each virtual machine;
 *	3  calls pvrom_host_build_rom() and puts the image into guest memory;
 *	4  answers CPUID through pvrom_host_cpuid() and the live port through pvrom_host_live_*();
 *	5  calls pvrom_host_call() for each hypercall, and does what the returned action says;
 *	6  calls pvrom_host_raise_epoch() when the answers to QUERY may have changed;
 *	7  saves and loads with pvrom_host_save() and pvrom_host_load().
 *
 * Guests lie: no argument and no byte of guest memory makes the core do anything but answer a
 * status. The core reads each shared word once.
 *
 * Threads: pvrom_host_call(), pvrom_host_cpuid() and pvrom_host_live_*() may run at the same time
 * for different vCPUs; for one vCPU never twice at a time. Everything else: while no vCPU runs,
 * unless its comment says more.
 */
#ifndef PVROM_HOST_H
#define PVROM_HOST_H

#ifndef __x86_64__
#error "pvrom serves x86-64 guests from x86-64 hosts only"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/abi.h>
#include <pvrom/gpa.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pvrom_host;
struct pvrom_host_vcpu;

/*
 * What the embedder does for the core. ctx is the ops_ctx of the configuration. All of them may
 * be called from any thread that is inside a function of this header; none may call back into the core.
 * translate, lock, unlock and tsc must be there; a feature whose callbacks are missing (NULL)
 * is not offered (reason: not supported).
 */
struct pvrom_host_ops {
	/*
	 * Where the guest memory at gpa lies in the host. On entry *len is the number of bytes wanted, 1 or
	 * more, and gpa + *len does not wrap. Returns a pointer to readable and writable memory and lowers *len
	 * to what is contiguous there (at least 1), or returns NULL where there is no guest RAM.
	 * The pointer stays valid until the call that asked for it returns.
	 */
	void *(*translate)(void *ctx, struct pvrom_gpa gpa, uint64_t *len);
	/*
	 * One lock for each virtual machine, not recursive, of the core's own: held for bounded work,
	 * during which translate, event, alarm_set, alarm_cancel, area_changed and reset may be called.
	 */
	void (*lock)(void *ctx);
	void (*unlock)(void *ctx);
	/* The TSC as that vCPU would read it now. */
	uint64_t (*tsc)(void *ctx, uint32_t vcpu);
	/* A line of at most PVROM_LOG_MAX bytes, not ended by zero, any bytes but cleaned of
	 * control characters. Called at most log_burst times a vCPU between two calls of
	 * pvrom_host_refill_log(). May be NULL: lines are dropped. */
	void (*log)(void *ctx, uint32_t vcpu, const char *text, uint32_t len);
	/* Deliver a vector to a vCPU as an edge-triggered interrupt; for events of the core itself. */
	void (*event)(void *ctx, uint32_t vcpu, uint8_t vector);
	/* irq group. The core has checked vcpu, vector and mask. A status of status.h. */
	uint32_t (*irq_route)(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu);
	uint32_t (*irq_mask)(void *ctx, uint64_t source, bool masked);
	void (*irq_eoi)(void *ctx, uint32_t vcpu);
	/* Bit n of mask is vCPU base + n; all of them exist. vector is PVROM_IRQ_SEND_NMI for NMI. */
	uint32_t (*irq_send)(void *ctx, uint32_t vector, uint32_t base, uint64_t mask);
	/* smp group. start: BUSY if the vCPU is not stopped, INVALID if the processor would refuse the
	 * state. The core has checked vcpu, and of the state what calls.h and the manuals say of all
	 * processors. */
	uint32_t (*smp_start)(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *state);
	/* A vCPU that does not wait gets host->kick_vector, or what else makes its next halt end. */
	uint32_t (*smp_kick)(void *ctx, uint32_t vcpu);
	/* Alarm at an absolute TSC of that vCPU: an earlier one is replaced. Deliver the vector
	 * once, not before. cancel: nothing is delivered after it returns. */
	uint32_t (*alarm_set)(void *ctx, uint32_t vcpu, uint64_t tsc, uint8_t vector);
	void (*alarm_cancel)(void *ctx, uint32_t vcpu);
	/* RESET. Is a vCPU other than this one running (not stopped, not waiting to be started)?
	 * May be NULL: then the answer is yes if there is more than one vCPU. */
	bool (*others_run)(void *ctx, uint32_t vcpu);
	/* Park all other vCPUs as SMP_STOP does; returns when none of them executes guest code or
	 * is inside pvrom_host_call(). May be NULL: then RESET with others running is BUSY. */
	void (*park_others)(void *ctx, uint32_t vcpu);
	/* The vCPU's area was registered at gpa, or released (gpa PVROM_VCPU_AREA_NONE). May be
	 * NULL. For an embedder that hands a field of it to the layer below. */
	void (*area_changed)(void *ctx, uint32_t vcpu, struct pvrom_gpa area);
	/* RESET, before it answers: stop whatever the guest had started. May be NULL. */
	void (*reset)(void *ctx, uint32_t vcpu);
};

/* What the host's hardware does, and who owns what: facts that the embedder finds out. */
#define PVROM_HW_NESTED_PAGING 0x1 /* EPT or NPT is in use for this guest */
#define PVROM_HW_APIC 0x2	   /* APICv or AVIC: EOI and IPIs need no exit */
#define PVROM_HW_INVARIANT_TSC 0x4 /* the guest's TSC runs at a constant rate, alike on all vCPUs */
#define PVROM_HW_OWNS_MMU 0x8	   /* this hypervisor itself builds the (shadow) page tables */

/* How slots are served. NORMAL: native wherever the hardware does it, text where a crossing can be saved. */
#define PVROM_SLOTS_NORMAL 0
#define PVROM_SLOTS_NATIVE 1 /* test: every slot native */
#define PVROM_SLOTS_INLINE 2 /* test: a template wherever there is one */
#define PVROM_SLOTS_CALL 3   /* test: ROM text wherever there is one */

/* Flags of the configuration. */
#define PVROM_HOST_POISON 0x1 /* destroy dead argument registers (see calls.h) */
#define PVROM_HOST_EOI_X2APIC                                                                      \
	0x2 /* EOI text writes MSR 0x80b; a guest in xAPIC mode leaves it native */

/* A feature's host half: one line of the table that the embedder hands over. */
struct pvrom_host_feature {
	uint32_t number; /* PVROM_FEATURE_x */
	uint32_t group;	 /* PVROM_GROUP_x whose calls come to call(), or PVROM_GROUP_COUNT */
	/* Why this host would not offer it, or PVROM_REASON_NONE. The operator's wish and
	 * missing dependencies are the core's business. */
	uint32_t (*offer)(const struct pvrom_host *host);
	/* The feature was committed (start) or is no longer in the set (stop); the lock is held.
	 * May be NULL. */
	void (*start)(struct pvrom_host *host);
	void (*stop)(struct pvrom_host *host);
	/* One call of the feature (calls.h, fourth column): arguments in, status out, *value if
	 * the call returns one. The lock is not held. */
	uint32_t (*call)(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
			 const uint64_t arg[4], uint64_t *value);
	/* State to save: writes at most room bytes, returns how many it needs. May be NULL. */
	size_t (*save)(const struct pvrom_host *host, void *buffer, size_t room);
	/* Takes back what save wrote; false if it is damaged. Nothing changes then. May be NULL. */
	bool (*load)(struct pvrom_host *host, const void *buffer, size_t size);
};

/* The features of the core itself, to be named in the table. */
extern const struct pvrom_host_feature pvrom_host_cpu;
extern const struct pvrom_host_feature pvrom_host_irq;
extern const struct pvrom_host_feature pvrom_host_smp;
extern const struct pvrom_host_feature pvrom_host_alarm;

/* Constant for the life of the virtual machine unless a comment says otherwise. */
struct pvrom_host_config {
	const struct pvrom_host_ops *ops;
	void *ops_ctx;
	const struct pvrom_host_feature *const *features; /* ended by NULL */
	uint64_t operator_off;	/* feature bits switched off by the operator */
	uint64_t tsc_hz;	/* 0 if not known */
	uint64_t rom_gpa;	/* where the ROM will lie, a multiple of 4096 */
	uint32_t hardware;	/* PVROM_HW_x; pvrom_host_set_hardware() changes it */
	uint32_t flags;		/* PVROM_HOST_x */
	uint32_t slots;		/* PVROM_SLOTS_x */
	uint32_t vcpus;		/* 1 to 4096 */
	uint32_t log_burst;	/* lines a vCPU may log between two refills */
	uint16_t transport;	/* PVROM_TRANSPORT_x, not NONE */
	uint8_t transport_port; /* for PVROM_TRANSPORT_PORT */
	uint16_t live_port;	/* 0: no live port */
	uint32_t live_key;
	/* For a machine that wakes in its old memory and has lost all else: its last epoch, over which it begins. Else 0. */
	uint64_t epoch_before;
};

/* One vCPU of a machine; the embedder supplies the memory, the core everything else. */
struct pvrom_host_vcpu {
	struct pvrom_host *host;
	uint64_t area_gpa; /* PVROM_VCPU_AREA_NONE if not registered */
	uint32_t id;
	uint32_t log_left;
	uint32_t live_nonce;
	uint32_t eoi_offered; /* the area's EOI word was set, and has not been looked at since */
	/* How often it has made each call, in batches too, as in struct pvrom_vcpu_area, modulo 2^64. Not what was
	 * answered MODE, what a batch may not have, and numbers that are reserved or unknown. Written by this
	 * vCPU's thread. */
	uint64_t calls[PVROM_COUNTER_COUNT];
};

/* A virtual machine; the embedder supplies the memory and leaves the fields alone. */
struct pvrom_host {
	struct pvrom_host_config config;
	struct pvrom_host_vcpu *vcpu;
	/* What answers the calls of each feature, as the configuration has it; NULL: nothing. */
	uint32_t (*call[PVROM_FEATURE_COUNT])(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu,
					      uint32_t number, const uint64_t arg[4],
					      uint64_t *value);
	uint64_t epoch;
	uint64_t sealed;  /* the committed set */
	uint64_t pending; /* granted by the last propose, for pending_epoch */
	uint64_t pending_epoch;
	uint64_t started; /* features whose start() has run */
	uint32_t rom_size;
	uint32_t rom_checksum;
	uint32_t pending_vectors;
	uint8_t epoch_vector;
	uint8_t alarm_vector;
	bool resetting;		/* a vCPU is inside RESET */
	uint8_t kick_vector;	/* for smp_kick(), which reads it; 0: none was given */
	uint8_t rom_digest[32]; /* SHA-256 of the image */
};

/* Results of the functions that an embedder calls while setting up, saving and loading. */
#define PVROM_HOST_RESULT_TABLE(X)                                                                 \
	X(OK, 0, "done")                                                                           \
	X(BAD_CONFIG, 1, "the configuration names something that is missing or out of range")      \
	X(NO_ROOM, 2, "the buffer is too small")                                                   \
	X(NOT_AN_IMAGE, 3, "not a saved state")                                                    \
	X(IMAGE_VERSION, 4, "saved by a version that this one cannot read")                        \
	X(IMAGE_TRUNCATED, 5, "the saved state is truncated")                                      \
	X(IMAGE_CHECKSUM, 6, "the saved state is damaged")                                         \
	X(IMAGE_TRANSPORT, 7, "the guest uses a transport that this host does not answer")         \
	X(IMAGE_VCPUS, 8, "the saved state has another number of vCPUs")                           \
	X(IMAGE_FIELD, 9, "a field of the saved state has a value that is not allowed")            \
	X(IMAGE_FEATURE, 10, "the guest uses a feature that this host does not have")
enum pvrom_host_result {
#define PVROM_HOST_RESULT_NAME_(name, number, text) PVROM_HOST_##name = number,
	PVROM_HOST_RESULT_TABLE(PVROM_HOST_RESULT_NAME_)
#undef PVROM_HOST_RESULT_NAME_
};

/*
 * Sets up a machine in host over config (copied; what it points to must stay) and vcpus[config->vcpus].
 * Epoch 1, nothing sealed, no area registered.
 */
enum pvrom_host_result pvrom_host_init(struct pvrom_host *host,
				       const struct pvrom_host_config *config,
				       struct pvrom_host_vcpu *vcpus);

/*
 * Builds the ROM into buffer and sets *size, a multiple of 512. NO_ROOM: *size says how much is needed.
 * Must run once before the guest does. The image is the same, byte for byte, for the same configuration.
 */
enum pvrom_host_result pvrom_host_build_rom(struct pvrom_host *host, void *buffer, size_t room,
					    size_t *size);

/*
 * The pvrom CPUID leaves at base (0x40000000 to 0x4000ff00, a multiple of 0x100). Returns false if
 * the leaf is not one of them and leaves regs (eax, ebx, ecx, edx) alone.
 */
bool pvrom_host_cpuid(const struct pvrom_host *host, uint32_t base, uint32_t leaf,
		      uint32_t regs[4]);

/* The live port, for 32-bit accesses of that vCPU; the embedder answers all ones to other widths. */
uint32_t pvrom_host_live_read(struct pvrom_host_vcpu *vcpu);
void pvrom_host_live_write(struct pvrom_host_vcpu *vcpu, uint32_t nonce);

/* A hypercall as the transport brought it. */
struct pvrom_host_regs {
	uint32_t call;	 /* in: eax */
	uint32_t status; /* out: eax */
	uint64_t arg[4]; /* in: rdi rsi r8 r9; out: what those registers hold afterwards */
	uint64_t value;	 /* out: rdx */
	uint8_t cpl;	 /* in: privilege level of the caller; with a port transport 0 */
	uint8_t mode64;	 /* in: 1 if the caller is in 64-bit mode */
	uint8_t reserved[6];
};

/* What the embedder has to do with the vCPU after a call. */
enum pvrom_host_action {
	PVROM_ACTION_RESUME,   /* write the registers back and go on */
	PVROM_ACTION_VOID,     /* go on; no register changes */
	PVROM_ACTION_STOP,     /* the vCPU stops until it is started again; do not write back */
	PVROM_ACTION_SHUTDOWN, /* the guest is done: arg[0] PVROM_SHUTDOWN_x, arg[1] code */
};

/*
 * Answers one hypercall of a vCPU. Bounded: at most PVROM_BATCH_BOUND calls' work.
 * For a call with PVROM_CALL_VOID (pvrom_host_call_is_void()) only regs->call needs to be filled in with
 * a port transport, and cpl and mode64 too with the others. Nobody else may change regs meanwhile. arg changes
 * for PVROM_HOST_POISON only.
 */
enum pvrom_host_action pvrom_host_call(struct pvrom_host_vcpu *vcpu, struct pvrom_host_regs *regs);

/*
 * The EOI word of a vCPU's area (<pvrom/vcpu.h>), for an embedder that delivers interrupts itself; on the
 * vCPU's own thread, outside pvrom_host_call(). Offer: the interrupt that is being delivered needs no end, for none
 * is in service below it and none waits; no, if there is no area. Ended: has the guest, since then, ended it
 * without a call? To be asked after each run, and with take_back before another interrupt
 * is let wait: if it has not, the offer is withdrawn and the end will be a call.
 */
void pvrom_host_eoi_offer(struct pvrom_host_vcpu *vcpu);
bool pvrom_host_eoi_ended(struct pvrom_host_vcpu *vcpu, bool take_back);

/* True for calls that take and return nothing in registers. No memory is touched. */
bool pvrom_host_call_is_void(uint32_t call);

/* A call's name ("cpu.cli"), NULL if there is none; for statistics. */
const char *pvrom_host_call_name(uint32_t call);

/* The offer as QUERY would answer it now; for an operator's eyes. */
void pvrom_host_offer(const struct pvrom_host *host, struct pvrom_offer *offer);

/*
 * The hardware under the guest changed (it was moved, say): takes the new PVROM_HW_x and raises the epoch.
 * May be called while vCPUs run, from any thread, with no lock held.
 */
void pvrom_host_set_hardware(struct pvrom_host *host, uint32_t hardware);

/* Raises the epoch by one, writes it to every area and sends the event to every vCPU. As above. */
void pvrom_host_raise_epoch(struct pvrom_host *host);

/* Lets every vCPU log another log_burst lines. As above. */
void pvrom_host_refill_log(struct pvrom_host *host);

/*
 * Saves the state, between calls, no vCPU running: *size is what was or would be written.
 * The image is versioned and checked and names the ROM's SHA-256 and transport. Alarms are not in it: the
 * embedder, who has the timers, saves those that are set, with their vectors, and sets them again.
 */
enum pvrom_host_result pvrom_host_save(const struct pvrom_host *host, void *buffer, size_t room,
				       size_t *size);

/*
 * Loads a saved state into a machine that has just been set up and whose ROM has been built. The image is
 * input from outside: anything wrong is refused with its reason and nothing is changed. The
 * machine answers the saved set in full; the epoch is raised over both, so the guest negotiates anew.
 */
enum pvrom_host_result pvrom_host_load(struct pvrom_host *host, const void *buffer, size_t size);

/*
 * Guest memory, for features and embedders: copies len bytes and returns PVROM_STATUS_OK, or
 * PVROM_STATUS_ADDRESS and copies nothing if the range wraps or is not wholly guest RAM. len 0 is OK.
 */
uint32_t pvrom_host_read(const struct pvrom_host *host, struct pvrom_gpa gpa, void *buffer,
			 size_t len);
uint32_t pvrom_host_write(const struct pvrom_host *host, struct pvrom_gpa gpa, const void *buffer,
			  size_t len);

#ifdef __cplusplus
}
#endif

#endif
