/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the host handler share; nothing here is for embedders.
 */
#ifndef PVROM_HOST_INTERNAL_H
#define PVROM_HOST_INTERNAL_H

#include <pvrom/host.h>

#include "bugs.h"

#define PVROM_VCPUS_MAX 4096

/* One call on its way through the core. */
struct pvrom_host_request {
	uint32_t number;
	enum pvrom_host_action action;
	const uint64_t *arg; /* four, of who brought the call; nobody changes them meanwhile */
	uint64_t value;
};

/* What the core knows of a call: the columns of the table that matter here. */
struct pvrom_host_call_info {
	uint8_t feature; /* PVROM_FEATURE_x, or PVROM_FEATURE_BASE_ */
	uint8_t args;
	uint8_t properties; /* PVROM_CALL_x */
	uint8_t counter;    /* in the vCPU's calls */
};
/* The feature column says BASE for calls that need none. */
#define PVROM_FEATURE_BASE 0xff

/*
 * On the way of every call. Linkers put such functions side by side: after a world switch each further
 * page of text costs a walk of the page tables, which is half a percent of a call's round trip.
 */
#define PVROM_HOT __attribute__((hot))

/*
 * call_table.c: a line for each call, group after group, and where each group's begin. They lie among the hot
 * functions, for each page of data costs such a walk too; so they hold no address that would have to be relocated.
 */
struct pvrom_host_group {
	uint8_t first, count;
};
extern const struct pvrom_host_call_info pvrom_host_call_infos[]
	__attribute__((visibility("hidden")));
extern const struct pvrom_host_group pvrom_host_groups[PVROM_GROUP_COUNT]
	__attribute__((visibility("hidden")));

/* NULL for a number that is not in the table. */
static inline const struct pvrom_host_call_info *pvrom_host_call_info(uint32_t number)
{
	uint32_t group = number >> 8;
	uint32_t index = number & 0xff;

	if (group >= PVROM_GROUP_COUNT || index >= pvrom_host_groups[group].count)
		return NULL;
	return &pvrom_host_call_infos[pvrom_host_groups[group].first + index];
}

/* access.c: see also pvrom_host_read() and pvrom_host_write(). */
uint32_t pvrom_host_check(const struct pvrom_host *host, struct pvrom_gpa gpa, uint64_t len);
/* The same, and it is one piece in the host. len is not 0. */
uint32_t pvrom_host_check_single(const struct pvrom_host *host, struct pvrom_gpa gpa, uint64_t len);
uint32_t pvrom_host_store64(const struct pvrom_host *host, struct pvrom_gpa gpa, uint64_t word);
/* The 32-bit word at gpa, aligned to 4, for one atomic access; NULL: no memory, or not in one piece. */
uint32_t *pvrom_host_word32(const struct pvrom_host *host, struct pvrom_gpa gpa);

static inline void pvrom_host_lock(const struct pvrom_host *host)
{
	host->config.ops->lock(host->config.ops_ctx);
}

static inline void pvrom_host_unlock(const struct pvrom_host *host)
{
	host->config.ops->unlock(host->config.ops_ctx);
}

/* core.c */
PVROM_HOT uint32_t pvrom_host_dispatch(struct pvrom_host_vcpu *vcpu,
				       struct pvrom_host_request *call);
/* The sealed set changes under the lock and is looked at without it: a call that comes while
 * another vCPU commits is answered by the old set or the new one. */
static inline uint64_t pvrom_host_sealed(const struct pvrom_host *host)
{
	return __atomic_load_n(&host->sealed, __ATOMIC_RELAXED);
}

/* offer.c; all with the lock held while vCPUs run. */
const struct pvrom_host_feature *pvrom_host_feature(const struct pvrom_host *host, uint32_t number);
uint64_t pvrom_host_can(const struct pvrom_host *host);
uint64_t pvrom_host_close(uint64_t features);

/* negotiate.c */
uint32_t pvrom_base_negotiate(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
void pvrom_host_seal(struct pvrom_host *host, uint64_t features);
void pvrom_host_raise_locked(struct pvrom_host *host, uint64_t epoch);

/* base_calls.c, vcpu_area.c, log.c, batch.c, reset.c */
uint32_t pvrom_base_version(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
uint32_t pvrom_base_query(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
uint32_t pvrom_base_shutdown(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
uint32_t pvrom_base_vcpu_area(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
uint32_t pvrom_host_check_area(const struct pvrom_host *host, uint64_t gpa);
void pvrom_host_set_area(struct pvrom_host_vcpu *vcpu, uint64_t gpa);
uint32_t pvrom_base_log(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
uint32_t pvrom_base_batch(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);
uint32_t pvrom_base_reset(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call);

/*
 * rom/: the pieces from which rom_build.c makes an image. A piece serves one call in one way; a
 * call may have several, and `when` says which is taken. All offsets count from pvrom_rom_blob.
 */
struct pvrom_rom_piece {
	uint16_t call;
	uint16_t clobbers;
	uint8_t feature;
	uint8_t when; /* PVROM_PIECE_x */
	uint8_t bug;  /* test builds: taken only with this seeded bug; 0: always */
	uint8_t reserved;
	uint32_t text; /* text and text_end are equal if there is none; so with the template */
	uint32_t text_end;
	uint32_t template;
	uint32_t template_end;
	uint32_t relocs; /* bytes from pvrom_rom_relocs */
	uint32_t relocs_end;
};
extern const struct pvrom_rom_piece pvrom_rom_pieces[] __attribute__((visibility("hidden")));
extern const struct pvrom_rom_piece pvrom_rom_pieces_end[] __attribute__((visibility("hidden")));
extern const uint8_t pvrom_rom_blob[] __attribute__((visibility("hidden")));
extern const struct pvrom_reloc pvrom_rom_relocs[] __attribute__((visibility("hidden")));

/* call_names.S: the names of all calls in the order of the table, each ended by a zero byte. */
extern const char pvrom_host_call_names[] __attribute__((visibility("hidden")));

#ifdef PVROM_TEST
/*
 * Test builds watch the accessor. double_fetches counts the bytes of guest memory that were read
 * more than once for one call (an entry of a batch is a call of its own, for the guest may use one
 * buffer in two of them). strays counts uses of translate that break its contract: a range that is
 * empty or wraps, or an answer that is longer than the question. Both only grow; a test sets them
 * to 0.
 */
struct pvrom_host_trace {
	uint64_t double_fetches;
	uint64_t strays;
	uint32_t count;
	uint32_t reserved;
	struct {
		uint64_t gpa, len;
	} read[64];
};
extern __thread struct pvrom_host_trace pvrom_host_trace;
void pvrom_host_trace_begin(void);
void pvrom_host_trace_read(uint64_t gpa, uint64_t len);
#else
static inline void pvrom_host_trace_begin(void)
{
}
static inline void pvrom_host_trace_read(uint64_t gpa, uint64_t len)
{
	(void)gpa;
	(void)len;
}
#endif

#endif
