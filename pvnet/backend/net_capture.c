/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Writes frames as pcapng: a section header, one interface, and an enhanced packet block for each frame.
 *
 * Frames are kept as they pass here, before any offload is done: what is still to be done to one is said in a comment
 * of its block. So a checksum that a reader finds wrong, in a frame without such a comment, is wrong.
 */
#define _GNU_SOURCE
#include "net_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "netback_slips.h"

/* draft-ietf-opsawg-pcapng, 4.1 to 4.3 and 3.5 */
#define SECTION 0x0a0d0d0au
#define SECTION_ORDER 0x1a2b3c4du
#define INTERFACE 1u
#define PACKET 6u
#define LINK_ETHERNET 1u
#define OPTION_END 0u
#define OPTION_COMMENT 1u
#define OPTION_NAME 2u	     /* of an interface */
#define OPTION_FLAGS 2u	     /* of a packet */
#define OPTION_RESOLUTION 9u /* of an interface: 10^-n s */
#define FLAGS_INBOUND 1u     /* to the driver */
#define FLAGS_OUTBOUND 2u    /* from it */

#define BUFFER (256u << 10) /* held back at most, twice the longest block */
#define BLOCK_MOST (PVROM_NET_FRAME_MAX + 512)
#define FILES_DEFAULT 2u

struct capture {
	char *path, *older, *newer;
	int fd; /* -1: it has ended */
	uint32_t snap, files;
	uint64_t size, written; /* of this file */
	uint32_t held;
	uint64_t captured, lost;
	int error;
	bool told;
	uint8_t buffer[BUFFER];
};

/* ---- blocks -------------------------------------------------------------------------------------------- */

static void put(struct capture *c, const void *bytes, size_t len)
{
	static const uint8_t padding[4];

	memcpy(c->buffer + c->held, bytes, len);
	memcpy(c->buffer + c->held + len, padding, -len & 3);
	c->held += (uint32_t)(len + (-len & 3));
}

static void put32(struct capture *c, uint32_t word)
{
	put(c, &word, sizeof(word));
}

static void put_option(struct capture *c, uint32_t code, const void *value, size_t len)
{
	put32(c, code | (uint32_t)len << 16);
	put(c, value, len);
}

/* Where a block begins; its length, which stands at both ends, is put in by end_block(). */
static uint32_t begin_block(struct capture *c, uint32_t type)
{
	const uint32_t at = c->held;

	put32(c, type);
	put32(c, 0);
	return at;
}

static void end_block(struct capture *c, uint32_t at)
{
	const uint32_t len = c->held - at + 4;

	put32(c, len);
	memcpy(c->buffer + at + 4, &len, sizeof(len));
}

static void put_head(struct capture *c)
{
	static const uint32_t version = 1; /* 1.0 */
	static const uint8_t nanoseconds = 9;
	uint32_t at = begin_block(c, SECTION);

	put32(c, SECTION_ORDER);
	put32(c, version);
	put32(c, UINT32_MAX); /* the section's length is not known */
	put32(c, UINT32_MAX);
	end_block(c, at);
	at = begin_block(c, INTERFACE);
	put32(c, LINK_ETHERNET);
	put32(c, c->snap);
	put_option(c, OPTION_NAME, "card", 4);
	put_option(c, OPTION_RESOLUTION, &nanoseconds, 1);
	put32(c, OPTION_END);
	end_block(c, at);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static void fail(struct capture *c, int error)
{
	c->error = error;
	c->lost++;
	close(c->fd);
	c->fd = -1;
}

void capture_flush(struct capture *c)
{
	uint32_t at = 0;
	ssize_t n;

	while (c->fd >= 0 && at < c->held) {
		n = write(c->fd, c->buffer + at, c->held - at);
		if (n < 0 && errno != EINTR)
			fail(c, errno);
		at += n > 0 ? (uint32_t)n : 0;
	}
	c->written += at;
	c->held = 0;
}

static bool open_file(struct capture *c)
{
	c->fd = open(c->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->fd < 0)
		return false;
	c->written = 0;
	put_head(c);
	return true;
}

static char *name_of(struct capture *c, char *to, uint32_t n)
{
	sprintf(to, n ? "%s.%u" : "%s", c->path, n);
	return to;
}

/* FILE becomes FILE.1, that one FILE.2, and the oldest is replaced. */
static void next_file(struct capture *c)
{
	uint32_t n;

	capture_flush(c);
	if (c->fd < 0)
		return;
	close(c->fd);
	c->fd = -1;
	for (n = c->files - 1; n > 0; n--)
		if (rename(name_of(c, c->newer, n - 1), name_of(c, c->older, n)) &&
		    errno != ENOENT) {
			c->error = errno;
			return;
		}
	if (!open_file(c))
		c->error = errno;
}

/* ---- frames -------------------------------------------------------------------------------------------- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What is still to be done to the frame; 0: nothing. */
static size_t describe(const struct pvrom_net_header *h, char *text, size_t room)
{
	static const char *const type[] = { "none", "tcp4", "2", "3", "tcp6", "udp", "6", "7" };
	int n = 0;

	if (h->flags & PVROM_NET_HDR_NEEDS_CSUM)
		n = snprintf(text, room, "checksum of %u.. to be put at %u",
			     (unsigned int)h->csum_start,
			     (unsigned int)h->csum_start + h->csum_offset);
	if (h->gso_type)
		n += snprintf(text + n, room - (size_t)n, "%sto be cut: %s%s, segments of %u",
			      n ? "; " : "", type[h->gso_type & 7],
			      h->gso_type & PVROM_NET_GSO_ECN ? " with ECN" : "", h->gso_size);
	return (size_t)n;
}

static void put_vectors(struct capture *c, const struct iovec *vec, size_t len)
{
	static const uint8_t padding[4];
	size_t left = len, part;

	for (; left; left -= part, vec++) {
		part = vec->iov_len < left ? vec->iov_len : left;
		memcpy(c->buffer + c->held, vec->iov_base, part);
		c->held += (uint32_t)part;
	}
	memcpy(c->buffer + c->held, padding, -len & 3);
	c->held += (uint32_t)(-len & 3);
}

static void put_packet(struct capture *c, uint32_t direction, const struct pvrom_net_header *h,
		       const struct iovec *vec, size_t len)
{
	const size_t kept = c->snap && len > c->snap && !NETBACK_SLIP(CAPTURE_SNAP) ? c->snap : len;
	const uint32_t at = begin_block(c, PACKET);
	const uint64_t time = now();
	char text[128];
	size_t n;

	put32(c, 0); /* the interface */
	put32(c, (uint32_t)(time >> 32));
	put32(c, (uint32_t)time);
	put32(c, (uint32_t)kept);
	put32(c, (uint32_t)(NETBACK_SLIP(CAPTURE_LENGTH) ? kept : len));
	put_vectors(c, vec, kept);
	n = describe(h, text, sizeof(text));
	if (n && !NETBACK_SLIP(CAPTURE_COMMENT))
		put_option(c, OPTION_COMMENT, text, n);
	put_option(c, OPTION_FLAGS, &direction, sizeof(direction));
	put32(c, OPTION_END);
	end_block(c, at);
}

static void add(struct capture *c, uint32_t direction, const struct pvrom_net_header *h,
		const struct iovec *vec, size_t len)
{
	if (c->fd >= 0 && c->size && !NETBACK_SLIP(CAPTURE_ROTATE) &&
	    c->written + c->held + len > c->size && c->written + c->held > 256)
		next_file(c);
	if (c->fd >= 0 && c->held + BLOCK_MOST > BUFFER)
		capture_flush(c);
	if (c->fd < 0 || len > PVROM_NET_FRAME_MAX) {
		c->lost++;
		return;
	}
	put_packet(c, direction, h, vec, len);
	c->captured++;
}

void capture_sent(struct capture *c, const struct pvrom_net_header *header,
		  const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct iovec vec[PVROM_NET_PIECES];

	if (netback_vectors(vec, PVROM_NET_PIECES, pieces, count, skip))
		add(c, NETBACK_SLIP(CAPTURE_DIRECTION) ? FLAGS_INBOUND : FLAGS_OUTBOUND, header,
		    vec, netback_length(pieces, count, skip));
}

void capture_received(struct capture *c, const struct pvrom_net_header *header,
		      const uint8_t *bytes, size_t len)
{
	const struct iovec vec = { (void *)(uintptr_t)bytes, len };

	add(c, FLAGS_INBOUND, header, &vec, len);
}

void capture_vectors(struct capture *c, const struct pvrom_net_header *header,
		     const struct iovec *vec, size_t len)
{
	add(c, FLAGS_INBOUND, header, vec, len);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static bool set_up(struct capture *c, const char *path)
{
	c->path = strdup(path);
	c->older = malloc(strlen(path) + 16);
	c->newer = malloc(strlen(path) + 16);
	return c->path && c->older && c->newer;
}

struct capture *capture_open(const char *path, uint32_t snap, uint64_t size, uint32_t files,
			     char *message)
{
	struct capture *c = malloc(sizeof(*c));

	if (!c) {
		netback_complain(message, "no memory");
		return NULL;
	}
	memset(c, 0, offsetof(struct capture, buffer));
	c->fd = -1;
	c->snap = snap;
	c->size = size;
	c->files = files ? files : FILES_DEFAULT;
	if (set_up(c, path) && open_file(c))
		return c;
	netback_complain(message, "pcap=%s: %s", path, strerror(errno));
	capture_close(c);
	return NULL;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	capture_flush(c);
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	free(c->older);
	free(c->newer);
	free(c);
}

void capture_count(const struct capture *c, struct pvrom_net_backend_counters *counters)
{
	counters->captured = c->captured;
	counters->capture_lost = c->lost;
}

const char *capture_news(struct capture *c)
{
	static __thread char text[256];

	if (!c->error || c->told)
		return NULL;
	c->told = true;
	snprintf(text, sizeof(text), "pcap=%s: %s; nothing more is captured", c->path,
		 strerror(c->error));
	return text;
}
