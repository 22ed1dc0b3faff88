/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of the negotiation: what a host offers and why not more, what a guest wants, what is sealed.
 *
 *	guest                                   host
 *	QUERY               ----------------->  writes pvrom_offer
 *	NEGOTIATE propose   ----------------->  OK + granted, STALE, or REFUSED + missing
 *	(patches)
 *	NEGOTIATE commit    ----------------->  the granted set is sealed, the old one dropped
 *
 * Until the commit the old sealed set is answered in full. At the start it is empty.
 */
#ifndef PVROM_NEGOTIATE_H
#define PVROM_NEGOTIATE_H

#include <pvrom/constants.h>

#ifndef __ASSEMBLER__
/*
 * QUERY writes it at argument 0; argument 1 is the room there in bytes, at least 0x40. A host
 * writes the lesser of that and what it has, and says in size what it wrote.
 *
 *	0x00	size		host	bytes written
 *	0x04	major		host
 *	0x06	minor		host
 *	0x08	epoch		host	current epoch, from 1 upwards
 *	0x10	can		host	features the host has code for
 *	0x18	advised		host	features it advises this guest to use
 *	0x20	hardware	host	features the hardware makes pointless
 *	0x28	offered		host	features it grants to whoever wants them
 *	0x30	vcpus		host	number of vCPUs; their ids are 0 to vcpus - 1
 *	0x34	reserved	host	zero
 *	0x38	tsc_hz		host	TSC ticks a second, 0 if not known
 *	0x40	reason[64]	host	for each feature bit, PVROM_REASON_x; NONE if and only if offered
 *	0x80
 */
struct pvrom_offer {
	uint32_t size;
	uint16_t major;
	uint16_t minor;
	uint64_t epoch;
	uint64_t can;
	uint64_t advised;
	uint64_t hardware;
	uint64_t offered;
	uint32_t vcpus;
	uint32_t reserved;
	uint64_t tsc_hz;
	uint8_t reason[64];
};
PVROM_OFFSET_IS(pvrom_offer, major, 0x04);
PVROM_OFFSET_IS(pvrom_offer, minor, 0x06);
PVROM_OFFSET_IS(pvrom_offer, epoch, 0x08);
PVROM_OFFSET_IS(pvrom_offer, can, 0x10);
PVROM_OFFSET_IS(pvrom_offer, advised, 0x18);
PVROM_OFFSET_IS(pvrom_offer, hardware, 0x20);
PVROM_OFFSET_IS(pvrom_offer, offered, 0x28);
PVROM_OFFSET_IS(pvrom_offer, vcpus, 0x30);
PVROM_OFFSET_IS(pvrom_offer, tsc_hz, 0x38);
PVROM_OFFSET_IS(pvrom_offer, reason, 0x40);
PVROM_SIZE_IS(pvrom_offer, 0x80);

/*
 * NEGOTIATE reads and writes it at argument 0; argument 1 is PVROM_NEGOTIATE_PROPOSE or _COMMIT.
 *
 * Propose: required is a subset of wanted. OK: granted holds what the guest may commit: wanted
 * and offered, closed under dependencies. REFUSED: missing holds the required features that are
 * not to be had. STALE: epoch is not the current one. In both cases nothing else has changed.
 * Commit: granted is what the last successful propose answered, or 0, which is always accepted.
 * STALE if the epoch moved since the propose; INVALID if granted is anything else.
 *
 *	0x00	size		guest	0x60
 *	0x04	major		guest	version it was built for
 *	0x06	minor		guest
 *	0x08	reserved0	guest	zero
 *	0x0c	epoch_vector	guest	vector of the event renegotiate, 32 to 255; 0: the guest polls
 *	0x0d	alarm_vector	guest	vector of alarms, 32 to 255; 0 only if alarm is not wanted
 *	0x0e	kick_vector	guest	vector by which a kick is remembered, 32 to 255; 0: it need not be
 *	0x0f	reserved1	guest	zero
 *	0x10	epoch		guest	the epoch of the offer it looked at
 *	0x18	wanted		guest
 *	0x20	required	guest
 *	0x28	granted		both	host at propose, guest at commit
 *	0x30	missing		host
 *	0x38	host_epoch	host	current epoch
 *	0x40	rom_gpa		host	the ROM to patch from
 *	0x48	rom_size	host
 *	0x4c	rom_checksum	host
 *	0x50	reserved2[2]	guest	zero
 *	0x60
 */
struct pvrom_negotiation {
	uint32_t size;
	uint16_t major;
	uint16_t minor;
	uint32_t reserved0;
	uint8_t epoch_vector;
	uint8_t alarm_vector;
	uint8_t kick_vector;
	uint8_t reserved1;
	uint64_t epoch;
	uint64_t wanted;
	uint64_t required;
	uint64_t granted;
	uint64_t missing;
	uint64_t host_epoch;
	uint64_t rom_gpa;
	uint32_t rom_size;
	uint32_t rom_checksum;
	uint64_t reserved2[2];
};
PVROM_OFFSET_IS(pvrom_negotiation, major, 0x04);
PVROM_OFFSET_IS(pvrom_negotiation, minor, 0x06);
PVROM_OFFSET_IS(pvrom_negotiation, reserved0, 0x08);
PVROM_OFFSET_IS(pvrom_negotiation, epoch_vector, 0x0c);
PVROM_OFFSET_IS(pvrom_negotiation, alarm_vector, 0x0d);
PVROM_OFFSET_IS(pvrom_negotiation, kick_vector, 0x0e);
PVROM_OFFSET_IS(pvrom_negotiation, reserved1, 0x0f);
PVROM_OFFSET_IS(pvrom_negotiation, epoch, 0x10);
PVROM_OFFSET_IS(pvrom_negotiation, wanted, 0x18);
PVROM_OFFSET_IS(pvrom_negotiation, required, 0x20);
PVROM_OFFSET_IS(pvrom_negotiation, granted, 0x28);
PVROM_OFFSET_IS(pvrom_negotiation, missing, 0x30);
PVROM_OFFSET_IS(pvrom_negotiation, host_epoch, 0x38);
PVROM_OFFSET_IS(pvrom_negotiation, rom_gpa, 0x40);
PVROM_OFFSET_IS(pvrom_negotiation, rom_size, 0x48);
PVROM_OFFSET_IS(pvrom_negotiation, rom_checksum, 0x4c);
PVROM_OFFSET_IS(pvrom_negotiation, reserved2, 0x50);
PVROM_SIZE_IS(pvrom_negotiation, 0x60);
#endif

#endif
