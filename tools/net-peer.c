/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The other end of the reference kernel's facts about the network, on this machine's loopback:
 *
 *	net-peer		serves the page of kernel/net/page_pattern.h; prints "port N" first
 *	net-peer --fetch PORT	fetches that page, trying for a minute, and judges each byte
 *	net-peer --free		prints the number of a port that nobody uses now
 *
 * Exit status 0: it was as it must be; 1: not; 2: wrong usage, or no socket.
 */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../kernel/net/page_pattern.h"

#define TRY_SECONDS 200
#define REQUEST_ROOM 1024

static const char header[] = PAGE_HEADER;
static char page[sizeof(header) - 1 + PAGE_BYTES];

static void make_page(void)
{
	uint32_t i;

	memcpy(page, header, sizeof(header) - 1);
	for (i = 0; i < PAGE_BYTES; i++)
		page[sizeof(header) - 1 + i] = (char)page_byte(i);
}

static int new_socket(struct sockaddr_in *at, uint16_t port)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(2, "no socket");
	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	return fd;
}

/* ---- serving -------------------------------------------------------------------------------------------- */

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void serve_one(int fd)
{
	char request[REQUEST_ROOM + 1];
	size_t len = 0;

	do {
		const ssize_t n = read(fd, request + len, REQUEST_ROOM - len);

		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = 0;
	} while (!strstr(request, "\r\n\r\n") && len < REQUEST_ROOM);
	if (strcmp(request, PAGE_REQUEST) == 0)
		write_all(fd, page, sizeof(page));
	shutdown(fd, SHUT_WR);
	while (read(fd, request, REQUEST_ROOM) > 0)
		;
}

/* A socket that listens at a port of the system's choice. */
static int listen_anywhere(uint16_t *port)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);
	const int fd = new_socket(&at, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&at, &size))
		err(2, "cannot listen");
	*port = ntohs(at.sin_port);
	return fd;
}

static int find_free(void)
{
	uint16_t port;

	close(listen_anywhere(&port));
	printf("%u\n", port);
	return 0;
}

static int serve(void)
{
	uint16_t port;
	const int fd = listen_anywhere(&port);

	printf("port %u\n", port);
	fflush(stdout);
	for (;;) {
		const int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			err(2, "accept");
		serve_one(peer);
		close(peer);
	}
}

/* ---- fetching ------------------------------------------------------------------------------------------- */

/* All that comes is page[]. */
static int fetch_once(uint16_t port)
{
	struct sockaddr_in at;
	const int fd = new_socket(&at, port);
	const struct timeval patience = { .tv_sec = 20 };
	char part[65536];
	size_t len = 0;
	ssize_t n = -1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		write_all(fd, PAGE_REQUEST, sizeof(PAGE_REQUEST) - 1);
		for (; (n = read(fd, part, sizeof(part))) > 0; len += (size_t)n)
			if (len + (size_t)n > sizeof(page) || memcmp(page + len, part, (size_t)n))
				errx(1, "the page is wrong behind byte %zu", len);
	}
	close(fd);
	return n == 0 && len == sizeof(page);
}

/* Nobody may be listening yet, or somebody in between who has nobody to ask. */
static int fetch(uint16_t port)
{
	const time_t end = time(NULL) + TRY_SECONDS;
	const struct timespec pause = { .tv_nsec = 200000000 };

	do {
		if (fetch_once(port)) {
			printf("fetched %zu bytes\n", sizeof(page));
			return 0;
		}
		nanosleep(&pause, NULL);
	} while (time(NULL) < end);
	errx(1, "no page from port %u", port);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	make_page();
	if (argc == 1)
		return serve();
	if (argc == 3 && strcmp(argv[1], "--fetch") == 0)
		return fetch((uint16_t)strtoul(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "--free") == 0)
		return find_free();
	fprintf(stderr, "usage: net-peer [--fetch PORT | --free]\n");
	return 2;
}
