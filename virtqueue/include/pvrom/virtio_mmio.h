/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The registers of VIRTIO over memory: VIRTIO 1.2, 4.2.2, table 4.1. Offsets in bytes; each register is 32
 * bits wide.
 */
#ifndef PVROM_VIRTIO_MMIO_H
#define PVROM_VIRTIO_MMIO_H

#define PVROM_MMIO_MAGIC_VALUE 0x000u /* PVROM_MMIO_MAGIC */
#define PVROM_MMIO_VERSION 0x004u     /* PVROM_MMIO_MODERN, or 1: legacy */
#define PVROM_MMIO_DEVICE_ID 0x008u   /* 0: no device here */
#define PVROM_MMIO_VENDOR_ID 0x00cu
#define PVROM_MMIO_DEVICE_FEATURES 0x010u /* 32 of them, as selected */
#define PVROM_MMIO_DEVICE_FEATURES_SEL 0x014u
#define PVROM_MMIO_DRIVER_FEATURES 0x020u
#define PVROM_MMIO_DRIVER_FEATURES_SEL 0x024u
#define PVROM_MMIO_QUEUE_SEL 0x030u
#define PVROM_MMIO_QUEUE_NUM_MAX 0x034u /* 0: no such queue */
#define PVROM_MMIO_QUEUE_NUM 0x038u
#define PVROM_MMIO_QUEUE_READY 0x044u
#define PVROM_MMIO_QUEUE_NOTIFY 0x050u
#define PVROM_MMIO_INTERRUPT_STATUS 0x060u /* bit 0 a used buffer, bit 1 the configuration */
#define PVROM_MMIO_INTERRUPT_ACK 0x064u
#define PVROM_MMIO_STATUS 0x070u
#define PVROM_MMIO_QUEUE_DESC 0x080u /* 64 bits, the lower half first */
#define PVROM_MMIO_QUEUE_DRIVER 0x090u
#define PVROM_MMIO_QUEUE_DEVICE 0x0a0u
#define PVROM_MMIO_SHM_LEN 0x0b0u /* 64 bits; all ones: no such region */
#define PVROM_MMIO_SHM_BASE 0x0b8u
#define PVROM_MMIO_CONFIG_GENERATION 0x0fcu
#define PVROM_MMIO_CONFIG 0x100u

#define PVROM_MMIO_MAGIC 0x74726976u /* "virt" */
#define PVROM_MMIO_MODERN 2u

#endif
