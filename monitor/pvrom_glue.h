/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* pvrom in this monitor, and the lies of test builds. */
#ifndef PVRUN_PVROM_GLUE_H
#define PVRUN_PVROM_GLUE_H

#include "machine.h"

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

/* area_records.c */
void area_records_change(struct vcpu *vcpu, uint64_t area_gpa);

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

#endif
