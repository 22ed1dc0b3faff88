/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of a VIRTIO block device that driver and device share: VIRTIO 1.2, 5.2.
 *
 * Numbers only, usable from C and C++; all fields are little-endian, and x86-64 is. This file may be
 * copied anywhere.
 */
#ifndef PVROM_BLK_H
#define PVROM_BLK_H

#include <stddef.h>
#include <stdint.h>

#define PVROM_BLK_DEVICE_ID 2 /* VIRTIO 1.2, 5.2.1 */
#define PVROM_BLK_SECTOR 512u /* bytes; the unit of sector numbers, whatever the block size */
#define PVROM_BLK_SECTOR_SHIFT 9
#define PVROM_BLK_ID_BYTES 20	 /* GET_ID's answer, ended by zeros only where it is shorter */
#define PVROM_BLK_QUEUES_MAX 16u /* of our device; VIRTIO's own bound is 65,535 */

/* ---- feature bits, VIRTIO 1.2, 5.2.3 ----------------------------------------------------------- */
#define PVROM_BLK_F_SIZE_MAX (1ull << 1)    /* config.size_max: longest segment */
#define PVROM_BLK_F_SEG_MAX (1ull << 2)	    /* config.seg_max: data segments in a request */
#define PVROM_BLK_F_GEOMETRY (1ull << 4)    /* legacy firmware only; never offered here */
#define PVROM_BLK_F_RO (1ull << 5)	    /* writes are answered IOERR */
#define PVROM_BLK_F_BLK_SIZE (1ull << 6)    /* config.blk_size: the disk's own block */
#define PVROM_BLK_F_FLUSH (1ull << 9)	    /* the FLUSH request */
#define PVROM_BLK_F_TOPOLOGY (1ull << 10)   /* config.topology */
#define PVROM_BLK_F_CONFIG_WCE (1ull << 11) /* config.writeback may be written */
#define PVROM_BLK_F_MQ (1ull << 12)	    /* config.num_queues */
#define PVROM_BLK_F_DISCARD (1ull << 13)
#define PVROM_BLK_F_WRITE_ZEROES (1ull << 14)
#define PVROM_BLK_F_LIFETIME (1ull << 15) /* never offered here */
#define PVROM_BLK_F_SECURE_ERASE (1ull << 16)

/* ---- a request, VIRTIO 1.2, 5.2.6 --------------------------------------------------------------- */
#define PVROM_BLK_T_IN 0u
#define PVROM_BLK_T_OUT 1u
#define PVROM_BLK_T_FLUSH 4u
#define PVROM_BLK_T_GET_ID 8u
#define PVROM_BLK_T_GET_LIFETIME 10u
#define PVROM_BLK_T_DISCARD 11u
#define PVROM_BLK_T_WRITE_ZEROES 13u
#define PVROM_BLK_T_SECURE_ERASE 14u

#define PVROM_BLK_S_OK 0u
#define PVROM_BLK_S_IOERR 1u
#define PVROM_BLK_S_UNSUPP 2u

/* Readable, at the beginning of each chain. The driver writes it. */
struct pvrom_blk_header {
	uint32_t type;	   /* 0: PVROM_BLK_T_x */
	uint32_t reserved; /* 4: zero */
	uint64_t sector;   /* 8: where, in units of 512 bytes; zero for FLUSH and GET_ID */
};

/* DISCARD, WRITE_ZEROES and SECURE_ERASE carry one or more of these as readable data. */
struct pvrom_blk_range {
	uint64_t sector;      /* 0 */
	uint32_t num_sectors; /* 8 */
	uint32_t flags;	      /* 12: PVROM_BLK_RANGE_UNMAP, with WRITE_ZEROES only */
};
#define PVROM_BLK_RANGE_UNMAP 1u

/* ---- configuration space, VIRTIO 1.2, 5.2.4 ------------------------------------------------------ */
/* The device writes it, but for `writeback`. A field means something only with its feature offered. */
struct pvrom_blk_config {
	uint64_t capacity;		   /* 0: sectors */
	uint32_t size_max;		   /* 8: bytes; SIZE_MAX */
	uint32_t seg_max;		   /* 12: SEG_MAX */
	uint32_t geometry;		   /* 16: GEOMETRY */
	uint32_t blk_size;		   /* 20: bytes; BLK_SIZE */
	uint8_t physical_block_exp;	   /* 24: log2 of physical over logical block; TOPOLOGY */
	uint8_t alignment_offset;	   /* 25: first aligned logical block */
	uint16_t min_io_size;		   /* 26: logical blocks */
	uint32_t opt_io_size;		   /* 28: logical blocks */
	uint8_t writeback;		   /* 32: CONFIG_WCE: 1 write-back, 0 write-through */
	uint8_t unused0;		   /* 33 */
	uint16_t num_queues;		   /* 34: MQ */
	uint32_t max_discard_sectors;	   /* 36: of one range; DISCARD */
	uint32_t max_discard_seg;	   /* 40: ranges in a request */
	uint32_t discard_sector_alignment; /* 44: sectors */
	uint32_t max_write_zeroes_sectors; /* 48: WRITE_ZEROES */
	uint32_t max_write_zeroes_seg;	   /* 52 */
	uint8_t write_zeroes_may_unmap;	   /* 56 */
	uint8_t unused1[3];		   /* 57 */
	uint32_t max_secure_erase_sectors; /* 60: SECURE_ERASE */
	uint32_t max_secure_erase_seg;	   /* 64 */
	uint32_t secure_erase_sector_alignment; /* 68: sectors */
};

#ifdef __cplusplus
#define PVROM_BLK_ASSERT static_assert
#else
#define PVROM_BLK_ASSERT _Static_assert
#endif
PVROM_BLK_ASSERT(sizeof(struct pvrom_blk_header) == 16, "header");
PVROM_BLK_ASSERT(sizeof(struct pvrom_blk_range) == 16, "range");
PVROM_BLK_ASSERT(sizeof(struct pvrom_blk_config) == 72, "config");
PVROM_BLK_ASSERT(offsetof(struct pvrom_blk_config, blk_size) == 20, "blk_size");
PVROM_BLK_ASSERT(offsetof(struct pvrom_blk_config, opt_io_size) == 28, "opt_io_size");
PVROM_BLK_ASSERT(offsetof(struct pvrom_blk_config, writeback) == 32, "writeback");
PVROM_BLK_ASSERT(offsetof(struct pvrom_blk_config, max_discard_sectors) == 36, "discard");
PVROM_BLK_ASSERT(offsetof(struct pvrom_blk_config, max_write_zeroes_seg) == 52, "zeroes");
PVROM_BLK_ASSERT(offsetof(struct pvrom_blk_config, max_secure_erase_sectors) == 60, "erase");

#endif
