/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the Linux command share, each prototype under the name of its file. */
#ifndef PROBE_LINUX_H
#define PROBE_LINUX_H

#include <pvrom/feature_probe.h>
#include <stdio.h>

#define EXIT_USAGE 2
#define EXIT_UNREADABLE 4

/* A file that an option names, whole and ended by a zero byte; ends the program with a message if that cannot be. */
char *file_take(const char *path, size_t *size);
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* probe_explain.c: all words of a report, and what one means; false if it is none. */
void list_words(void);
bool explain(const char *what);

/*
 * probe_gather.c: this machine's evidence, all that needs no privilege and what privileges there are allow. devices:
 * also the expansion ROMs of PCI devices that drivers use.
 */
void gather(struct pvrom_probe_evidence *evidence, bool devices);

/* probe_memory.c: the ROM, where memory may be read. */
void gather_rom(struct pvrom_probe_evidence *evidence, bool devices);
/* So many bytes of physical memory or of a place, as many as there are. */
size_t memory_copy(uint64_t gpa, void *to, size_t size);

/* probe_places.c: where firmware and boot loaders leave ROMs; the boot loader's address, 0 if there is none. */
void places_start(struct pvrom_probe_evidence *evidence, bool devices);
void places_stop(void);
uint64_t places_loader(void);
bool places_get(unsigned int n, uint64_t *gpa, uint64_t *size);
/* Is it an address of ours, not of memory? */
bool places_own(uint64_t gpa);
size_t places_copy(uint64_t gpa, void *to, size_t size);
/* What a place is called; NULL: no place is there. */
const char *places_words(uint64_t gpa);

/* probe_module.c: what Linux's own module asked the host, if it is loaded. */
void gather_module(struct pvrom_probe_evidence *evidence);

/* probe_try.c: does what Linux was granted work? Uses devices of pvrom's bus, if there are any. */
void try_features(struct pvrom_probe_evidence *evidence);

/* probe_kernel.c: what a kernel file wants, by its ELF note; ends the program if it has none. */
void gather_kernel(struct pvrom_probe_evidence *evidence, const char *path);

/* probe_host.c: tries this machine's KVM, and asks the host core what it would offer here. */
void gather_host(struct pvrom_probe_evidence *evidence);

/* probe_svg.c: the picture on standard output; ends the program if there is nobody to draw it. */
void print_svg(const struct pvrom_probe_verdict *verdict);

#endif
