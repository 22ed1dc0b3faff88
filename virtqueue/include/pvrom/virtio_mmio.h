/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The registers of VIRTIO over memory: VIRTIO 1.2, 4.2.2, table 4.1. Offsets in bytes; each register is 32
 * bits wide.
 */
#ifndef PVROM_VIRTIO_MMIO_H
#define PVROM_VIRTIO_MMIO_H

enum pvrom_mmio_register {
	PVROM_MMIO_MAGIC_VALUE = 0x000, /* PVROM_MMIO_MAGIC */
	PVROM_MMIO_VERSION = 0x004,	/* PVROM_MMIO_MODERN, or 1: legacy */
	PVROM_MMIO_DEVICE_ID = 0x008,	/* 0: no device here */
	PVROM_MMIO_VENDOR_ID = 0x00c,
	PVROM_MMIO_DEVICE_FEATURES = 0x010, /* 32 of them, as selected */
	PVROM_MMIO_DEVICE_FEATURES_SEL = 0x014,
	PVROM_MMIO_DRIVER_FEATURES = 0x020,
	PVROM_MMIO_DRIVER_FEATURES_SEL = 0x024,
	PVROM_MMIO_QUEUE_SEL = 0x030,
	PVROM_MMIO_QUEUE_NUM_MAX = 0x034, /* 0: no such queue */
	PVROM_MMIO_QUEUE_NUM = 0x038,
	PVROM_MMIO_QUEUE_READY = 0x044,
	PVROM_MMIO_QUEUE_NOTIFY = 0x050,
	PVROM_MMIO_INTERRUPT_STATUS = 0x060, /* bit 0 a used buffer, bit 1 the configuration */
	PVROM_MMIO_INTERRUPT_ACK = 0x064,
	PVROM_MMIO_STATUS = 0x070,
	PVROM_MMIO_QUEUE_DESC = 0x080, /* 64 bits, the lower half first */
	PVROM_MMIO_QUEUE_DRIVER = 0x090,
	PVROM_MMIO_QUEUE_DEVICE = 0x0a0,
	PVROM_MMIO_SHM_LEN = 0x0b0, /* 64 bits; all ones: no such region */
	PVROM_MMIO_SHM_BASE = 0x0b8,
	PVROM_MMIO_CONFIG_GENERATION = 0x0fc,
	PVROM_MMIO_CONFIG = 0x100,
};

#define PVROM_MMIO_MAGIC 0x74726976u /* "virt" */
#define PVROM_MMIO_MODERN 2u

#endif
