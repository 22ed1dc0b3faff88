/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames as messages of a socket.
 */
#define _GNU_SOURCE
#include "net_port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER sizeof(struct pvrom_net_header)
#define GHOST_MS 1500
#define SOCKET_BYTES (4 << 20) /* asked for; the kernel has its own bound */

/* ---- frames -------------------------------------------------------------------------------------------- */

int port_send(int socket, const struct pvrom_net_header *header, const struct iovec *vec,
	      uint32_t count)
{
	struct iovec all[PVROM_NET_PIECES + 1];
	const struct msghdr m = { .msg_iov = all, .msg_iovlen = count + 1 };
	ssize_t n;

	all[0] = (struct iovec){ (void *)(uintptr_t)header, HEADER };
	memcpy(all + 1, vec, count * sizeof(*vec));
	do
		n = sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno == EMSGSIZE)
		return 1;
	return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? 0 : -1;
}

int32_t port_receive(int socket, struct pvrom_net_header *header, uint8_t *frame)
{
	struct iovec vec[2] = { { header, HEADER }, { frame, PVROM_NET_FRAME_MAX } };
	struct msghdr m = { .msg_iov = vec, .msg_iovlen = 2 };
	ssize_t n;

	do
		n = recvmsg(socket, &m, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	/* 0 is the end; a message that is no frame breaks the rules. */
	if (n <= (ssize_t)HEADER || m.msg_flags & MSG_TRUNC)
		return -1;
	return (int32_t)(n - (ssize_t)HEADER);
}

/* ---- hellos -------------------------------------------------------------------------------------------- */

bool port_send_hello(int socket, const struct port_hello *hello)
{
	return send(socket, hello, sizeof(*hello), MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       (ssize_t)sizeof(*hello);
}

bool port_receive_hello(int socket, struct port_hello *hello, int ms)
{
	struct pollfd p = { .fd = socket, .events = POLLIN };
	ssize_t n;

	errno = EAGAIN;
	if (poll(&p, 1, ms) != 1)
		return false;
	n = recv(socket, hello, sizeof(*hello), MSG_DONTWAIT);
	if (n < 0)
		return false;
	hello->text[PORT_TEXT - 1] = 0;
	errno = EPROTO;
	return n == (ssize_t)sizeof(*hello) && hello->magic == PORT_MAGIC &&
	       hello->version == PORT_VERSION;
}

/* ---- sockets ------------------------------------------------------------------------------------------- */

static bool set_address(struct sockaddr_un *address, const char *path, char *message)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return netback_complain(message, "%s: too long for a socket", path);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return true;
}

static int try_connect(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int bytes = SOCKET_BYTES;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		return fd;
	close(fd);
	return -1;
}

int port_connect(const char *path, char *message)
{
	struct sockaddr_un address;
	int fd;

	if (!set_address(&address, path, message))
		return -1;
	fd = try_connect(&address);
	if (fd < 0)
		netback_complain(message, "port %s: no switch there: %s", path, strerror(errno));
	return fd;
}

/* 0: somebody listens there; else why nobody does. */
static int who_listens(const struct sockaddr_un *address)
{
	const int fd = try_connect(address);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/*
 * What a dead switch left there is taken away; what somebody listens on is not. One that was just killed listens until the
 * kernel has taken its process apart.
 */
static bool remove_dead(const struct sockaddr_un *address)
{
	struct stat st;
	int error, ms;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return true;
	error = who_listens(address);
	for (ms = 0; !error && ms < GHOST_MS; ms += 2) {
		usleep(2000);
		error = who_listens(address);
	}
	if (error == ENOENT || (error == ECONNREFUSED && !unlink(address->sun_path)))
		return true;
	errno = error ? error : EADDRINUSE;
	return false;
}

int port_listen(const char *path, char *message)
{
	struct sockaddr_un address;
	int fd;

	if (!set_address(&address, path, message))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && remove_dead(&address) &&
	    !bind(fd, (const struct sockaddr *)&address, sizeof(address)) && !chmod(path, 0600) &&
	    !listen(fd, 64))
		return fd;
	netback_complain(message, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
