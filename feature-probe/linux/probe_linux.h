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

/* probe_gather.c: this machine's evidence, all that needs no privilege and what privileges there are allow. */
void gather(struct pvrom_probe_evidence *evidence);

/* probe_memory.c: the ROM, where /dev/mem may be read. */
void gather_rom(struct pvrom_probe_evidence *evidence);

/* probe_kernel.c: what a kernel file wants, by its ELF note; ends the program if it has none. */
void gather_kernel(struct pvrom_probe_evidence *evidence, const char *path);

/* probe_host.c: tries this machine's KVM, and asks the host core what it would offer here. */
void gather_host(struct pvrom_probe_evidence *evidence);

/* probe_svg.c: the picture on standard output; ends the program if there is nobody to draw it. */
void print_svg(const struct pvrom_probe_verdict *verdict);

#endif
