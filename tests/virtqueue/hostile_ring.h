/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile drivers and hostile devices: each case has a name, and the check of vq_checks.h without which it must
 * fail. A case runs twice in a child process of its own, with the check and without it.
 */
#ifndef TESTS_HOSTILE_RING_H
#define TESTS_HOSTILE_RING_H

#include "../../virtqueue/vq_checks.h"
#include "ring_world.h"

struct hostile_case {
	const char *name;
	uint32_t check;
	void (*run)(void);
};

#define CASE(check, fn, name)                                                                      \
	{                                                                                          \
		name, PVROM_VQ_CHECK_##check, fn                                                   \
	}

/* Runs lists of cases (each ended by an entry without a name); what main() returns. */
int hostile_run(const struct hostile_case *const *lists);

/* Ends the case: it failed. */
void hostile_fail(const char *file, int line, const char *what) __attribute__((noreturn));
#define EXPECT(what)                                                                               \
	do {                                                                                       \
		if (!(what))                                                                       \
			hostile_fail(__FILE__, __LINE__, #what);                                   \
	} while (0)

extern struct ring_world world;
extern struct pvrom_vq_request req;

/* ---- a hostile driver: it writes rings by hand (hostile_driver.c) --------------------------------- */

#define PIECES_MAX 2048u
#define GOOD_ID 1u /* of the buffer that hd_good() sends; sizes below 2: 0 */

void hd_begin(uint64_t features, uint32_t size);
/* Split: a descriptor, an entry of the available ring. */
void hd_desc(uint32_t i, uint64_t addr, uint32_t len, uint32_t flags, uint32_t next);
void hd_avail(uint32_t head);
/* Packed: the next descriptor; its AVAIL and USED are added. */
void hd_put(uint64_t addr, uint32_t len, uint32_t id, uint32_t flags);
/* Entry i of a table at gpa, of the format in use. */
void hd_table(uint64_t gpa, uint32_t i, uint64_t addr, uint32_t len, uint32_t flags, uint32_t next);
/* One buffer of the format in use, made available: a single descriptor with that id. */
void hd_one(uint32_t id, uint64_t addr, uint32_t len, uint32_t flags);

/* Pops: what comes is all right and has so many pieces. */
void hd_pop(uint32_t readable, uint32_t writable);
/* Completes what was popped last, and sees that the driver gets id back with that length. */
void hd_back(uint32_t id, uint32_t written);
/* A good buffer goes through: the queue lives. */
void hd_good(void);
/* Pops: the chain is faulty; its head comes back, the work was bounded, and the queue lives. */
void hd_fault(enum pvrom_vq_fault fault, uint32_t id);
/* Pops: the queue is broken for that reason, nothing was written; it works again after a reset. */
void hd_broken(enum pvrom_vq_reason reason);

#define NEXT PVROM_VQ_DESC_NEXT
#define WRITE PVROM_VQ_DESC_WRITE
#define INDIRECT PVROM_VQ_DESC_INDIRECT

#define TABLE RING_TABLES
#define DATA RING_DATA
#define F_INDIRECT PVROM_VQ_F_INDIRECT_DESC
#define F_IN_ORDER PVROM_VQ_F_IN_ORDER
#define F_EVENT PVROM_VQ_F_EVENT_IDX

#endif
