/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest shim: finds the ROM, checks it, negotiates features and patches the kernel's call sites.
 *
 * The usual order, early in the boot of the first CPU:
 *
 *	pvrom_guest_init(&guest, &policy, os);
 *	if (pvrom_guest_start(&guest, sites, count) == PVROM_VERDICT_READY)
 *		... guest.granted says what there is
 *	else
 *		... run native; guest.verdict says why, pvrom_verdict_words() in words
 *
 * and later, on each CPU that comes up, pvrom_guest_vcpu_area(). pvrom_guest_start() is find, load, query,
 * negotiate, patch and commit in this order, each a function of its own below.
 *
 * Whatever a ROM or a host answers, the shim ends in a verdict, and unless that is READY, no byte
 * of the kernel's text differs from what it was.
 *
 * The shim keeps all its state in struct pvrom_guest, which the kernel supplies, and takes no
 * lock: one CPU at a time calls it, except pvrom_call(), pvrom_guest_epoch_moved() and
 * pvrom_guest_fault_site(), which any CPU may call at any time (in NMI and #MC: only the last).
 */
#ifndef PVROM_GUEST_H
#define PVROM_GUEST_H

#ifndef __x86_64__
#error "pvrom is for x86-64 kernels in 64-bit mode"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_DIGEST_SIZE 32 /* SHA-256 */

/* Flags of a policy. */
/* Look for nothing, run native. */
#define PVROM_POLICY_OFF 0x1
/* Run no foreign code: no ROM text, no templates; the shim's own hypercall sequences alone (sites
 * with a native form stay native). */
#define PVROM_POLICY_DATA_ONLY 0x2
/* Of the wanted features take only what the host advises, and what is required. */
#define PVROM_POLICY_ADVISED 0x4
/* Kernel code is never preempted at a site: slots that demand that (PVROM_SLOT_NOPREEMPT) may be
 * used; else they stay native. */
#define PVROM_POLICY_NOPREEMPT 0x8
/* All local APICs are in x2APIC mode: slots that demand that (PVROM_SLOT_X2APIC) may be used; else they
 * stay native. */
#define PVROM_POLICY_X2APIC 0x10

/* How this kernel's code finds the vCPU area of the CPU it runs on. */
/* It does not: slots that need the area stay native. */
#define PVROM_PERCPU_NONE 0
/* At %gs:offset, or %fs:offset. */
#define PVROM_PERCPU_GS 1
#define PVROM_PERCPU_FS 2
/* A pointer is in general register number offset (0 to 7, not 4) at each site that needs it. */
#define PVROM_PERCPU_REGISTER 3

/*
 * A function of the kernel's own for the sites of a call that have a native form: where the feature of the
 * call is granted and the ROM has no slot for it, they become calls of this function, which changes
 * no register but what the native form changes. Within 2 GiB of the sites.
 */
struct pvrom_own_call {
	uint32_t call;
	void (*function)(void);
};

/* What the kernel wants and allows. Constant while the shim is in use, but for the functions in own: a
 * change of those takes effect with the next pvrom_guest_renegotiate(). */
struct pvrom_policy {
	uint64_t wanted;
	uint64_t required;    /* a subset of wanted */
	uint32_t flags;	      /* PVROM_POLICY_x */
	uint16_t minor_min;   /* least minor of the interface that will do */
	uint8_t epoch_vector; /* vector of the event renegotiate, 0: the kernel polls */
	uint8_t alarm_vector;
	uint32_t percpu; /* PVROM_PERCPU_x */
	int32_t percpu_offset;
	/* If not NULL, the only ROMs to be used: allowed_count digests. */
	const uint8_t (*allowed)[PVROM_DIGEST_SIZE];
	uint32_t allowed_count;
	uint8_t kick_vector; /* vector by which a kick is remembered, 0: it need not be */
	uint8_t reserved[3];
	uint64_t loader_gpa;	  /* route 4: where the boot loader put a ROM, 0: nowhere */
	uint64_t loader_size;	  /* room there, 0 if not known */
	const void *return_thunk; /* jump here instead of ret, within 2 GiB; NULL: plain ret */
	const struct pvrom_own_call *own; /* own_count of them, or NULL */
	size_t own_count;
};

/* The shim's state. The kernel reads it and does not write it. */
struct pvrom_guest {
	const struct pvrom_policy *policy;
	void *os;
	uint32_t verdict; /* PVROM_VERDICT_x of the last step */
	uint32_t route;	  /* PVROM_ROUTE_x by which the ROM was found */
	uint64_t rom_gpa;
	uint32_t rom_size;
	uint32_t rom_checksum;
	uint16_t rom_major;
	uint16_t rom_minor;
	uint16_t transport; /* PVROM_TRANSPORT_x that hypercalls take */
	uint16_t transport_port;
	/* PVROM_STATUS_x behind a verdict of HOST_ERROR or REQUIRED_MISSING. */
	uint32_t call_status;
	uint32_t patched; /* sites that are not native now */
	uint64_t missing; /* required features that the host did not grant */
	uint64_t granted; /* the committed set */
	uint64_t epoch;	  /* of the committed set */
	uint8_t *copy;	  /* the sealed copy of the ROM, or NULL */
	size_t copy_size;
	const uint8_t *text; /* the copy into which sites lead now, or NULL */
	size_t text_size;
	struct pvrom_site *sites;
	size_t site_count;
	uint8_t digest[PVROM_DIGEST_SIZE];    /* SHA-256 of the ROM as found */
	struct pvrom_offer offer;	      /* what the host said last */
	struct pvrom_negotiation negotiation; /* shared with the host during negotiate and commit */
};

/* Sets the state to "native, nothing looked for". guest and policy must have physical addresses
 * (pvrom_os_gpa) and guest must not cross a page boundary that is not physically contiguous. */
void pvrom_guest_init(struct pvrom_guest *guest, const struct pvrom_policy *policy, void *os);

/*
 * All of the steps below. sites[count] is the kernel's section .pvrom_sites, writable.
 * On anything but READY all registrations are given back and all sites are native.
 */
uint32_t pvrom_guest_start(struct pvrom_guest *guest, struct pvrom_site *sites, size_t count);

/* Finds a ROM by the four routes and a live host behind it. Executes no hypercall. */
uint32_t pvrom_guest_find(struct pvrom_guest *guest);

/* Copies the ROM once, checks, hashes, relocates and seals the copy. */
uint32_t pvrom_guest_load(struct pvrom_guest *guest);

/* Asks the host for its offer (QUERY). */
uint32_t pvrom_guest_query(struct pvrom_guest *guest);

/* Proposes wanted and required; on READY negotiation.granted is what can be committed. */
uint32_t pvrom_guest_negotiate(struct pvrom_guest *guest);

/*
 * Patches all sites to what the slots say for the proposed set and commits it, in one rendezvous. If a
 * step fails all sites are made native again and the empty set is committed. BAD_SITE: a record
 * that makes no sense, or text out of reach; SITES_OVERLAP: two share a byte; no site was touched. While
 * sites are patched, sites and count are always the same.
 */
uint32_t pvrom_guest_patch(struct pvrom_guest *guest, struct pvrom_site *sites, size_t count);

/* Makes all sites native, in a rendezvous. The sealed set stays. */
void pvrom_guest_unpatch(struct pvrom_guest *guest);

/*
 * After the epoch moved: query, negotiate, (a new ROM,) patch and commit. READY; or REQUIRED_MISSING: a
 * refusal, sites and set are those of before; or anything else: all sites are native again and the empty
 * set is committed.
 */
uint32_t pvrom_guest_renegotiate(struct pvrom_guest *guest);

/*
 * Un-patches, then RESET (flags: PVROM_RESET_x). A status; BUSY: nothing but the un-patching was done.
 * With PVROM_RESET_FORCE the other vCPUs stand still from RESET on, and pvrom_os_text_free(), which comes
 * after it, must not wait for them.
 */
uint32_t pvrom_guest_stop(struct pvrom_guest *guest, uint64_t flags);

/*
 * Registers area (PVROM_VCPU_AREA_SIZE bytes, aligned to PVROM_VCPU_AREA_ALIGN, physically contiguous) for the calling
 * CPU, or releases it (NULL). A status; ADDRESS: it is misaligned, or no memory of the guest.
 */
uint32_t pvrom_guest_vcpu_area(struct pvrom_guest *guest, struct pvrom_vcpu_area *area);

/* True if the host has raised the epoch since the set was committed. area: of any CPU. */
bool pvrom_guest_epoch_moved(const struct pvrom_guest *guest, const struct pvrom_vcpu_area *area);

/*
 * A plain call, for kernels that do not want patched sites and for calls that have none. Returns a
 * status; *value (may be NULL) gets the value. NOT_SUPPORTED without a hypercall where
 * the shim has found no live host. Any context but NMI and #MC.
 */
uint32_t pvrom_call(const struct pvrom_guest *guest, uint32_t call, uint64_t arg0, uint64_t arg1,
		    uint64_t arg2, uint64_t arg3, uint64_t *value);

/*
 * A fault of the kernel itself (never one of user mode) hit with this instruction and stack pointer. If that is
 * inside ROM text, changes both to what they would be had the fault come from the site itself, and returns true:
 * the text uses no stack but the return address, so that is the word at *rsp. Any context.
 */
bool pvrom_guest_fault_site(const struct pvrom_guest *guest, uint64_t *rip, uint64_t *rsp);

/* The name of the ROM symbol at an address in the copy, NULL if there is none; for stack traces. The
 * string is in the copy: valid until the next change-over. Any context. */
const char *pvrom_guest_symbol(const struct pvrom_guest *guest, const void *where,
			       uint32_t *offset);

/* Words for people, from the tables of abi/; "unknown" for numbers that are not in them. */
const char *pvrom_verdict_words(uint32_t verdict);
const char *pvrom_status_words(uint32_t status);
const char *pvrom_reason_words(uint32_t reason);
const char *pvrom_route_words(uint32_t route);
const char *pvrom_feature_name(uint32_t feature);

/*
 * Checks the image at rom (size bytes of private memory) as pvrom_guest_load() does: READY or the
 * verdict that says what is wrong. For tools and tests. Touches nothing else.
 */
uint32_t pvrom_rom_check(const void *rom, size_t size);

#ifdef __cplusplus
}
#endif

#endif
