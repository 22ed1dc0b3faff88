/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device bus: VIRTIO 1.2 devices that a guest finds, sets up and rings by calls.
 *
 * DEV_LIST (argument 0: device, argument 1: PVROM_DEV_x of the first list) returns a number in rdx. DEV_CONFIGURE
 * (argument 0: device; argument 1: bits 31:0 PVROM_DEV_OP_x, bits 63:32 an index; argument 2: a word) does
 * what a register of another transport would. Nothing is shared in memory but the rings and their buffers.
 * Devices are numbered from 0; their order does not change while the set is sealed.
 *
 * A queue's doorbell is a 64-bit word that QUEUE_ENABLE returns: bits 15:0 a port, bits 31:16 zero,
 * bits 63:32 the 32-bit value that is to be written there by one OUT. DEV_NOTIFY with the word does the same.
 * NOTIFICATION_DATA is not offered on this bus. Interrupts are edges of the vector that the guest gives.
 */
#ifndef PVROM_DEV_H
#define PVROM_DEV_H

#include <pvrom/constants.h>

/* What DEV_LIST is asked for. */
PVROM_CONSTANTS_BEGIN
/* How many devices there are; argument 0 is 0. */
PVROM_CONSTANT(PVROM_DEV_COUNT, 0)
/* Bits 31:0 the VIRTIO device id, bits 47:32 the number of queues, bits 63:48 the longest queue. */
PVROM_CONSTANT(PVROM_DEV_KIND, 1)
/* The feature bits that the device offers. */
PVROM_CONSTANT(PVROM_DEV_FEATURES, 2)
PVROM_CONSTANTS_END

/* What DEV_CONFIGURE does. Index is a queue's number unless it says otherwise; value is what rdx returns. */
PVROM_CONSTANTS_BEGIN
/* Value: the device status, VIRTIO 1.2, 2.1. */
PVROM_CONSTANT(PVROM_DEV_OP_STATUS, 0)
/* The word is written to the device status. 0 resets the device, and is over when the call returns. */
PVROM_CONSTANT(PVROM_DEV_OP_SET_STATUS, 1)
/* The word is the set of features that the driver takes. */
PVROM_CONSTANT(PVROM_DEV_OP_ACCEPT, 2)
/* Value: the 8 bytes of configuration space from offset index on; zero behind its end. */
PVROM_CONSTANT(PVROM_DEV_OP_CONFIG_READ, 3)
/* The word, 0 to 255, is written to the byte of configuration space at offset index. */
PVROM_CONSTANT(PVROM_DEV_OP_CONFIG_WRITE, 4)
/* Value: the generation of the configuration. */
PVROM_CONSTANT(PVROM_DEV_OP_GENERATION, 5)
/* The word, bits 7:0 a vector (32 to 255; 0: none), bits 63:32 a vCPU: for changes of the configuration. */
PVROM_CONSTANT(PVROM_DEV_OP_CONFIG_INTERRUPT, 6)
/* The word is the queue's size, or the guest-physical address of one of its three areas. */
PVROM_CONSTANT(PVROM_DEV_OP_QUEUE_SIZE, 7)
PVROM_CONSTANT(PVROM_DEV_OP_QUEUE_DESC, 8)
PVROM_CONSTANT(PVROM_DEV_OP_QUEUE_DRIVER, 9)
PVROM_CONSTANT(PVROM_DEV_OP_QUEUE_DEVICE, 10)
/* As CONFIG_INTERRUPT, for used buffers of the queue; also while it is ready. */
PVROM_CONSTANT(PVROM_DEV_OP_QUEUE_INTERRUPT, 11)
/* The queue is ready. Value: its doorbell. */
PVROM_CONSTANT(PVROM_DEV_OP_QUEUE_ENABLE, 12)
PVROM_CONSTANT(PVROM_DEV_OP_COUNT, 13)
PVROM_CONSTANTS_END

#endif
