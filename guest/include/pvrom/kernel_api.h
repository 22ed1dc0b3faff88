/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a kernel must supply to the guest shim: these functions and nothing else.
 *
 * (A compiler may also emit calls of memcpy, memset, memmove and memcmp. The list of sources has
 * mem_weak.c with weak versions for kernels that have none.)
 *
 * All of them are called only from inside pvrom_guest_start(), _find(), _load(), _query(), _negotiate(), _patch(),
 * _unpatch(), _renegotiate(), _stop() and _vcpu_area(), on the CPU that called these. os is
 * the pointer of pvrom_guest_init(). None of them may use a patched call site unless its comment
 * says so.
 */
#ifndef PVROM_KERNEL_API_H
#define PVROM_KERNEL_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes size bytes of physical memory at gpa readable and returns where, or NULL if that is not
 * memory or does not fit. The range may be ROM or device memory: the shim only reads it, with
 * plain loads. Valid until pvrom_os_unmap() with the same values.
 */
const void *pvrom_os_map(void *os, uint64_t gpa, size_t size);
void pvrom_os_unmap(void *os, const void *where, size_t size);

/* The physical address of size bytes of kernel memory at where, contiguous; 0 if it has none. */
uint64_t pvrom_os_gpa(void *os, const void *where, size_t size);

/*
 * Memory for the copy of the ROM: size bytes, page aligned, writable, not executable, and within
 * 2 GiB of the whole kernel text. NULL if there is none. The shim keeps it until
 * pvrom_os_text_free().
 */
void *pvrom_os_text_alloc(void *os, size_t size);
void pvrom_os_text_free(void *os, void *where, size_t size);

/* Makes the copy executable and read-only; false if that fails. Before every use of its text. */
bool pvrom_os_text_seal(void *os, void *where, size_t size);

/*
 * Writes size bytes (at most 15) of kernel text at where, which may be read-only and may cross a
 * page. Called with all other CPUs in the rendezvous. Returns false if it could not; then it
 * wrote nothing.
 */
bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size);

/*
 * Brings all online CPUs together with interrupts off, outside ROM text and lazy sections, runs
 * act(argument) on the calling CPU while the others wait, and lets them go after each has
 * executed a serializing instruction (cpuid, say). NMI and #MC handlers must not use call sites.
 * The code that waits must contain none either. A CPU that the rendezvous interrupted inside a site
 * (between the two instructions of one, or before the padding behind a template) must leave it
 * before it waits, or it would come back into the middle of other bytes: return from the interrupt
 * and wait at the next one. Not called before other CPUs are online? Then
 * act(argument) and a serializing instruction are all there is to do.
 */
void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument);

/*
 * Route 3, optional (return false, or n past the end): the n-th place where firmware left a ROM:
 * the pointer of the UEFI configuration table entry with pvrom's GUID, or a PCI expansion ROM
 * decoded at *gpa. *size is the room there, 0 if not known.
 */
bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size);

#ifdef __cplusplus
}
#endif

#endif
