/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Numbers on which assembler, linker script and C must agree. */
#ifndef HYPERVISOR_HV_LAYOUT_H
#define HYPERVISOR_HV_LAYOUT_H

/* Physical CPUs used, and so the most vCPUs. A CPU costs 23 KiB here and nothing elsewhere. */
#define HV_MAX_CPUS 64
#define HV_STACK 0x2000
#define HV_AP_PAGE 0x7000 /* the page below 1 MiB at which SIPI starts a CPU */

#define HV_CODE 0x08
#define HV_DATA 0x10
#define HV_CODE32 0x18

#endif
