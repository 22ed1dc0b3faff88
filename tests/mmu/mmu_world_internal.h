/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the machine of the tests (mmu_world.h) know of each other, under their names. */
#ifndef TESTS_MMU_WORLD_INTERNAL_H
#define TESTS_MMU_WORLD_INTERNAL_H

#include "mmu_world.h"

/* mmu_world.c */
bool world_is_rom(uint64_t gfn);
/* The page of the pool at a host-physical address, NULL if none is there. */
const uint64_t *world_shadow_at(uint64_t hpa);
/* The guest page that lies at hpa; false if what lies there is not the guest's. */
bool world_owner(uint64_t hpa, uint64_t *gpa);
void world_open_engine(uint32_t vcpus, uint32_t pool);
void world_open_host(uint32_t vcpus);

/* mmu_world_run.c */
/* The vCPU is outside the guest, and in it. */
void world_leave(uint32_t vcpu);
void world_go_in(uint32_t vcpu);

/* mmu_world_judge.c */
void world_ask_oracle(uint32_t vcpu, uint64_t address, struct oracle_access a,
		      struct oracle_answer *o);
/* What an access comes to, given the oracle's answer. */
struct world_outcome world_expected(const struct oracle_answer *o, bool write);

#endif
