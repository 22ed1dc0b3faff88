/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Packets into a file, as pcapng (draft-ietf-opsawg-pcapng): what goes over a backend, both ways.
 */
#ifndef NET_CAPTURE_H
#define NET_CAPTURE_H

#include "netback.h"

/*
 * snap: bytes kept of each frame, 0: all. size: bytes of a file before the next one is begun, 0: no bound;
 * files: how many are kept then, FILE, FILE.1 and so on, FILE the newest; 0: 2. NULL: message says why.
 */
struct capture *capture_open(const char *path, uint32_t snap, uint64_t size, uint32_t files,
			     char *message);
void capture_close(struct capture *c);

/* Frames of the driver, and frames for it. An error of the file ends the capture, never the traffic. */
void capture_sent(struct capture *c, const struct pvrom_net_header *header,
		  const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip);
void capture_received(struct capture *c, const struct pvrom_net_header *header,
		      const uint8_t *bytes, size_t len);
void capture_vectors(struct capture *c, const struct pvrom_net_header *header,
		     const struct iovec *vec, size_t len);

/* Writes what is held back. */
void capture_flush(struct capture *c);
void capture_count(const struct capture *c, struct pvrom_net_backend_counters *counters);
/* What went wrong, once; NULL: nothing. */
const char *capture_news(struct capture *c);

#endif
