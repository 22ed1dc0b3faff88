/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The shadow page tables of a virtual machine, for any hypervisor that has no nested paging: this is all
 * an embedder needs, beside <pvrom/host.h> if its guests are to have the calls of group mmu.
 *
 * The processor runs the guest on tables that this engine keeps, in pages that the hypervisor gave. They hold
 * what the guest's own four-level tables say, translated to host-physical addresses, as far as the
 * guest has touched it: what is missing shows as a page fault, which the hypervisor intercepts and hands to
 * pvrom_mmu_fault(). A and D bits are kept in the guest's own tables, as the processor would.
 *
 * One engine, one virtual machine. Set up:
 *
 *	1  fills in a struct pvrom_mmu_config, asks pvrom_mmu_size() for the room, calls pvrom_mmu_init();
 *	2  names pvrom_mmu_feature(mmu, PVROM_FEATURE_MMU) and pvrom_mmu_feature(mmu, PVROM_FEATURE_MMU_FAULT) in
 *	   the features of its pvrom_host_config, and sets PVROM_HW_OWNS_MMU there;
 *
 * and while the guest runs, for each vCPU:
 *
 *	MOV to CR0, CR3, CR4, EFER	pvrom_mmu_set_regs() once the new values are accepted
 *	INVLPG, INVPCID			pvrom_mmu_invlpg(), pvrom_mmu_flush()
 *	#PF				pvrom_mmu_fault(): go on, inject, or there is no memory
 *	VMRUN				pvrom_mmu_run() before each: the root, and what the TLB must forget
 *
 * CR0.WP and CR0.PG are set, EFER.NXE is set and CR4.PAE is set while the guest runs, whatever it believes;
 * CR4.PGE, SMEP, SMAP are as it wrote them, CR4.PCIDE and CR4.LA57 are clear.
 * Guest memory is write-back everywhere: the cache bits of the guest's entries are ignored.
 *
 * Every function may be called for different vCPUs at the same time, unless it says more; the engine locks.
 * Guests lie: no byte of guest memory and no argument of a call makes the engine map anything but what
 * ops->page() answers, or work without bound. Nothing here allocates, and nothing waits but ops->kick().
 */
#ifndef PVROM_MMU_HOST_H
#define PVROM_MMU_HOST_H

#ifndef __x86_64__
#error "pvrom serves x86-64 guests from x86-64 hosts only"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pvrom_mmu; /* the engine of one virtual machine; lies at the start of config->memory */
struct pvrom_host_feature;

/* Most vCPUs of a machine. */
#define PVROM_MMU_VCPUS_MAX 64
/* Most pages of a pool: 2^22 - 1, which is 16 GiB of shadow tables. */
#define PVROM_MMU_POOL_MAX 0x3fffffu

/* A page of guest memory, as ops->page() tells of it. */
struct pvrom_mmu_memory {
	void *at;	/* where the host reads and writes it, all 4096 bytes */
	uint64_t hpa;	/* its host-physical address, a multiple of 4096 */
	bool read_only; /* the guest may not write it (a ROM) */
};

/*
 * What the hypervisor does for the engine; ctx is that of the configuration. All are called with the
 * engine's lock held, and none may call the engine.
 */
struct pvrom_mmu_ops {
	/*
	 * The guest's page gfn (gpa >> 12, below guest_pages). False where it has no memory. The answer for
	 * a page stays the same until pvrom_mmu_forget().
	 */
	bool (*page)(void *ctx, uint64_t gfn, struct pvrom_mmu_memory *memory);
	/*
	 * Make each vCPU of the set (bit n is vCPU n) leave the guest, and return once none of them
	 * executes guest code that began before this call. Each calls pvrom_mmu_run() before it goes in
	 * again. The caller's own vCPU is in the set only where a sealed set ends (commit, RESET), since the
	 * engine is not told then whose call that is. A vCPU that is not in the guest needs nothing.
	 */
	void (*kick)(void *ctx, uint64_t vcpus);
	/*
	 * SWITCH_ROOT, a call of this vCPU, wrote CR3. A vCPU that has left the engine (pvrom_mmu_leave())
	 * gets its answer from here alone. May be NULL if nobody wants to know.
	 */
	void (*root)(void *ctx, uint32_t vcpu, uint64_t cr3);
	/* The engine's lock: not recursive, of its own. The lock of a pvrom_host may be held around it. */
	void (*lock)(void *ctx);
	void (*unlock)(void *ctx);
};

#define PVROM_MMU_GIB_PAGES 0x1 /* the guest's CPUID has 1 GiB pages */
#define PVROM_MMU_POLLED 0x2	/* a CPU that runs no vCPU calls pvrom_mmu_poll() all the time */

/* Constant for the life of the virtual machine. */
struct pvrom_mmu_config {
	const struct pvrom_mmu_ops *ops;
	void *ctx;
	/* The pool: pages for the shadow tables, in one piece, here and physically. */
	void *pool;
	uint64_t pool_hpa;
	uint32_t pool_pages; /* at least pvrom_mmu_pool_min() */
	uint32_t vcpus;	     /* 1 to PVROM_MMU_VCPUS_MAX */
	uint64_t
		guest_pages; /* pages of the guest-physical space up to the end of its last memory, below 2^31 */
	uint32_t
		physical_bits; /* of the guest's physical addresses, 32 to 52: higher bits are reserved */
	uint32_t flags;	       /* PVROM_MMU_GIB_PAGES, PVROM_MMU_POLLED */
	/* Room for the engine's own data, aligned to 16: at least pvrom_mmu_size() bytes. */
	void *memory;
	size_t memory_size;
};

/* The fewest pages a pool may have: the guest gets on with it, slowly. */
uint32_t pvrom_mmu_pool_min(uint32_t vcpus);

/*
 * Bytes needed at config->memory: about 4.1 KiB for each page of the pool and 8 bytes for each page of the
 * guest. config->memory and memory_size are not looked at. 0 if the configuration is not allowed.
 */
size_t pvrom_mmu_size(const struct pvrom_mmu_config *config);

/* Sets up an engine; what config points to must stay. NULL if something is missing or out of range. */
struct pvrom_mmu *pvrom_mmu_init(const struct pvrom_mmu_config *config);

/* The paging registers of a vCPU, as the guest believes them. */
struct pvrom_mmu_regs {
	uint64_t cr0, cr3, cr4, efer;
};

/*
 * The guest wrote one of them (CR3 also with the value it had), or the vCPU begins. Flushes what the
 * write flushes natively (Intel SDM vol. 3A, 4.10.4.1; AMD APM vol. 2, 5.5.2), bit 63 of CR3 with PCIDs
 * included. False, and the vCPU has no root, if the registers are not those of four-level paging: unpaged, or
 * 32-bit, or LA57. Such a vCPU is not to be run on a root of this engine.
 */
bool pvrom_mmu_set_regs(struct pvrom_mmu *mmu, uint32_t vcpu, const struct pvrom_mmu_regs *regs);

/* The vCPU stopped, or runs without this engine from now on. pvrom_mmu_set_regs() takes it in again. */
void pvrom_mmu_leave(struct pvrom_mmu *mmu, uint32_t vcpu);

/* What the TLB of a vCPU (its ASID) must forget before it runs. */
#define PVROM_MMU_TLB_KEEP 0
#define PVROM_MMU_TLB_NONGLOBAL 1 /* all but global entries */
#define PVROM_MMU_TLB_ALL 2

struct pvrom_mmu_run {
	uint64_t root;	       /* host-physical address for CR3; 0: this vCPU has no root */
	uint32_t tlb;	       /* PVROM_MMU_TLB_x; a hypervisor may always forget more */
	bool intercept_faults; /* #PF must be intercepted; else it goes straight to the guest */
	bool intercept_invlpg; /* INVLPG must be intercepted; else it may be the processor's own */
};

/*
 * How to run this vCPU now. Before each entry, after the vCPU has been marked as one that ops->kick() has
 * to wait for: what changes between this call and the entry comes as a kick. With intercept_faults
 * false, #DF and SHUTDOWN must be intercepted: either is the end of the guest or a bug.
 */
void pvrom_mmu_run(struct pvrom_mmu *mmu, uint32_t vcpu, struct pvrom_mmu_run *run);

/*
 * With PVROM_MMU_POLLED: handles what stands in the rings of those vCPUs that allow it, so that they need no exit
 * for it. False if there was nothing. A call when the embedder cannot (it is stopped, say) may be left out.
 */
bool pvrom_mmu_poll(struct pvrom_mmu *mmu);

enum pvrom_mmu_outcome {
	PVROM_MMU_RETRY,  /* execute the instruction again */
	PVROM_MMU_INJECT, /* a fault of the guest's own: #PF with fault->error, CR2 is the address */
	PVROM_MMU_MEMORY, /* the access goes to fault->gpa, where there is no memory, or a ROM was written */
	PVROM_MMU_TABLES, /* a table of the guest itself is at fault->gpa, where there is no memory */
};

struct pvrom_mmu_fault {
	uint64_t gpa;	/* MEMORY, TABLES */
	uint32_t error; /* INJECT */
	uint32_t reserved;
};

/* error: bits of the error code that the processor gave (W, U and I count), and this, for SMAP: */
#define PVROM_MMU_ACCESS_AC 0x10000u /* CPL is below 3 and RFLAGS.AC is set */

/*
 * An intercepted page fault at a linear address. A write to a watched table page is never emulated: the
 * page goes out of sync until the guest's next flush, and the answer is RETRY.
 */
enum pvrom_mmu_outcome pvrom_mmu_fault(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t address,
				       uint32_t error, struct pvrom_mmu_fault *fault);

/*
 * What the guest's own tables say of an access, for a hypervisor that reads instructions or
 * operands: RETRY and the physical address in fault->gpa, or as above. Changes nothing, A and D bits neither.
 */
enum pvrom_mmu_outcome pvrom_mmu_translate(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t address,
					   uint32_t error, struct pvrom_mmu_fault *fault);

/*
 * Where a vCPU with these registers finds a linear address by the guest's own tables, whatever the rights
 * there: for a hypervisor that reads the instruction at an exit, with nested paging too, when the
 * vCPU has left this engine. False where nothing is mapped, and without four-level paging. Takes no lock.
 */
bool pvrom_mmu_locate(struct pvrom_mmu *mmu, const struct pvrom_mmu_regs *regs, uint64_t address,
		      uint64_t *gpa);

/* INVLPG; INVPCID of one address with the current PCID. Other forms of INVPCID: pvrom_mmu_flush(ALL). */
void pvrom_mmu_invlpg(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t address);

/* Flushes this vCPU as the guest asked: tlb is PVROM_MMU_TLB_NONGLOBAL or _ALL. */
void pvrom_mmu_flush(struct pvrom_mmu *mmu, uint32_t vcpu, uint32_t tlb);

/* Forgets all shadows: ops->page() answers otherwise from now on. Registered tables stay registered. */
void pvrom_mmu_forget(struct pvrom_mmu *mmu);

/*
 * The host half of a feature (PVROM_FEATURE_MMU or PVROM_FEATURE_MMU_FAULT; NULL for others), for the
 * table of a pvrom_host_config. It lives in config->memory. It brings save and load with it: the state that is saved is
 * what the guest declared (tables, rings, resident set), not the shadows. After a load the hypervisor
 * calls pvrom_mmu_set_regs() for each vCPU.
 */
const struct pvrom_host_feature *pvrom_mmu_feature(struct pvrom_mmu *mmu, uint32_t feature);

/* What has happened since pvrom_mmu_init(); for an operator's eyes. */
struct pvrom_mmu_stats {
	uint64_t faults;      /* calls of pvrom_mmu_fault() */
	uint64_t injected;    /* of them, faults of the guest's own */
	uint64_t fills;	      /* hidden faults: by pvrom_mmu_fault() or FILL */
	uint64_t unsynced;    /* writes to watched tables */
	uint64_t syncs;	      /* tables read again as a whole at a flush */
	uint64_t words;	      /* words of rings that were retired */
	uint64_t refused;     /* words that meant nothing */
	uint64_t reclaimed;   /* shadow pages taken back for want of free ones */
	uint64_t kicks;	      /* vCPUs asked to leave the guest */
	uint32_t used;	      /* pages of the pool in use now */
	uint32_t registered;  /* table pages registered now */
	uint32_t resident;    /* ranges of the resident set now */
	uint32_t out_of_sync; /* tables now */
};
void pvrom_mmu_get_stats(struct pvrom_mmu *mmu, struct pvrom_mmu_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
