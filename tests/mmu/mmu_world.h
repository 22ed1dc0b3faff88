/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine without hardware: guest memory in an array, the engine of pvmmu/ behind the real host core, and
 * vCPUs that are model processors (mmu_tlb.h). Each access is judged by the oracle (mmu_oracle.h).
 *
 *	gfn 0x000	rings, arguments of calls
 *	    0x010	tables
 *	    0x400	data
 *	    0x800	two large pages
 *	    0xc00	no memory
 *	    0xc40	a ROM
 *	    0xc80	data, to 0x1000
 */
#ifndef TESTS_MMU_WORLD_H
#define TESTS_MMU_WORLD_H

#include <pvrom/host.h>
#include <pvrom/mmu_host.h>

#include "mmu_oracle.h"
#include "mmu_tlb.h"

#define WORLD_PAGES 0x1000u
#define WORLD_TABLES 0x010u
#define WORLD_DATA 0x400u
#define WORLD_LARGE 0x800u
#define WORLD_HOLE 0xc00u
#define WORLD_ROM 0xc40u
#define WORLD_DATA2 0xc80u
#define WORLD_VCPUS 4
#define WORLD_POOL_MAX 2048
#define WORLD_BITS 40

/* Where a guest page lies for the processor: not where the guest thinks. */
#define WORLD_HPA(gfn) (0x100000000ull + ((((uint64_t)(gfn)*5) & 0xfff) << 12))
#define WORLD_POOL_HPA 0x700000000ull

struct world_vcpu {
	struct pvrom_mmu_regs regs;
	struct pvrom_mmu_run run;
	struct tlb tlb;
	bool in_guest;
	uint32_t start, done; /* of its ring */
};

enum world_result {
	WORLD_OK,
	WORLD_FAULT,  /* the guest's own: error */
	WORLD_MEMORY, /* no memory there, or a ROM is written */
	WORLD_NO_TABLE,
	WORLD_STUCK, /* no progress */
	WORLD_STRAY, /* what is mapped is not the guest's, or the shadow is no table */
};

struct world_outcome {
	enum world_result result;
	uint64_t gpa;
	uint32_t error;
};

struct world {
	uint8_t memory[WORLD_PAGES][4096] __attribute__((aligned(4096)));
	uint8_t mirror[WORLD_PAGES][4096]; /* what the guest wrote, and what the oracle marked */
	uint8_t pool[WORLD_POOL_MAX][4096] __attribute__((aligned(4096)));
	struct world_vcpu vcpu[WORLD_VCPUS];
	struct pvrom_mmu *mmu;
	struct pvrom_mmu_config config;
	struct pvrom_host host;
	struct pvrom_host_config host_config;
	struct pvrom_host_vcpu host_vcpu[WORLD_VCPUS];
	struct pvrom_mmu_ops ops;
	struct pvrom_host_ops host_ops;
	const struct pvrom_host_feature *features[3];
	void *engine;
	uint32_t vcpus;
	uint32_t asked; /* pages that the engine asked for */
	uint32_t self;	/* on whose behalf the engine works */
	int locked;
	bool gib_pages;
	bool polls; /* the host looks at the rings by itself, and the guest allows it; before world_open() */
	bool calls;  /* the guest makes them */
	bool nested; /* the processor walks the guest's own tables */
	bool sealing; /* a set is being sealed: the engine does not know who called, and may kick him */
	uint64_t value;	 /* of the last call */
	uint64_t faults; /* intercepted; and those that the guest took itself */
	uint64_t own_faults;
	/* If not NULL: the guest's handler of faults that come straight to it. False: try the access again. */
	bool (*take_fault)(uint32_t vcpu, uint64_t address, struct oracle_access access,
			   uint32_t error, struct world_outcome *outcome);
	/* If not NULL: is the address in the resident set? Then no fault there may be hidden. */
	bool (*resident)(uint64_t address);
	char wrong[256]; /* the first thing that was not as it should be; empty: none */
};
extern struct world world;

/* Opens a machine; memory and mirror are zero. calls: the features are sealed, each vCPU has a ring. */
void world_open(uint32_t vcpus, uint32_t pool, bool calls, uint64_t seed);
void world_close(void);
/* Negotiates anew, with or without the features, and registers the rings. reload: in the middle of it. */
void world_seal(bool mmu, bool reload);
/* The host's state is saved, set up anew, and loaded. */
void world_reload(void);
/* The vCPUs run without the engine from now on, as with nested paging; and with it again, all shadows forgotten. */
void world_leave_all(void);
void world_take_in_all(void);
uint64_t *world_word(uint64_t gpa);
bool world_is_memory(uint64_t gfn);
void world_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The hypervisor's own paging changes under the running guest: nested (the engine is left, and hears of nothing)
 * or shadow tables again. The epoch rises.
 */
void world_nest(bool nested);

/* A hypercall of the vCPU: leaves the guest. */
uint32_t world_call(uint32_t vcpu, uint32_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
bool world_set_regs(uint32_t vcpu, const struct pvrom_mmu_regs *regs);
/* The instruction: an exit, or the processor's own. */
void world_invlpg(uint32_t vcpu, uint64_t address);
/* The CPU that looks at the rings has looked, and nobody left the guest for it. */
void world_poll(void);
void world_flush(uint32_t vcpu);

/* One access as the processor makes it, page faults and all. */
struct world_outcome world_access(uint32_t vcpu, uint64_t address, struct oracle_access access);
/*
 * The same, compared with the oracle: the outcome, the translation, A and D. With strict false the guest
 * has changed something on the path and not flushed yet, and only memory that is not its own is wrong.
 */
struct world_outcome world_judge(uint32_t vcpu, uint64_t address, struct oracle_access access,
				 bool strict);
/*
 * Without an access: what the vCPU's TLB and the shadow say of an address is no more than the oracle allows, A
 * and D included. Only where no change waits for a flush.
 */
void world_audit(uint32_t vcpu, uint64_t address);
/* All that the shadow of the vCPU leads to is memory of the guest, and a ROM is not writable. */
bool world_owns_all(uint32_t vcpu);
/* Are the guest's tables what it wrote, A and D as the oracle set them? */
void world_compare(void);

#endif
