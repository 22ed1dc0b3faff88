/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Opens the queues of a tap interface, and finds out what the kernel's tun driver can.
 */
#define _GNU_SOURCE
#include "tap_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netback_slips.h"

/* Linux 6.2 and later; older headers do not have them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define CLONE "/dev/net/tun"

/* ---- messages ------------------------------------------------------------------------------------------ */

static bool complain_of_device(int error, char *message)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return netback_complain(message, CLONE ": not there: is the module tun loaded?");
	case EACCES:
	case EPERM:
		return netback_complain(message, CLONE ": no permission to open it: %s",
					strerror(error));
	default: return netback_complain(message, CLONE ": %s", strerror(error));
	}
}

static bool complain_of_name(const char *name, uint32_t queues, int error, char *message)
{
	switch (error) {
	case EPERM:
		if (NETBACK_SLIP(TAP_PERMISSION))
			return netback_complain(message, "tap %s", name);
		return netback_complain(message,
					"tap %s: no permission: it takes CAP_NET_ADMIN, or an "
					"interface that belongs to this user (ip tuntap add dev "
					"%s mode tap user ...%s)",
					name, name, queues > 1 ? " multi_queue" : "");
	case EBUSY: return netback_complain(message, "tap %s: in use by another program", name);
	case EINVAL:
		return netback_complain(
			message, "tap %s: it exists and is no tap interface %s several queues",
			name, queues > 1 ? "of" : "without");
	case E2BIG: return netback_complain(message, "tap %s: it has not so many queues", name);
	default: return netback_complain(message, "tap %s: %s", name, strerror(error));
	}
}

/* ---- queues -------------------------------------------------------------------------------------------- */

/* A process that was killed keeps its interfaces until the kernel has taken its io_uring apart. */
#define GHOST_MS 1500

static bool attach(int fd, struct ifreq *r)
{
	int ms;

	for (ms = 0; ioctl(fd, TUNSETIFF, r); ms += 2) {
		if (errno != EBUSY || ms >= GHOST_MS)
			return false;
		usleep(2000);
	}
	return true;
}

static bool set_up_queue(int fd, const char *name, uint32_t queues, char *message)
{
	const short many = queues > 1 ? IFF_MULTI_QUEUE : 0;
	struct ifreq r = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | many) };
	int header = sizeof(struct pvrom_net_header), little_endian = 1;

	memcpy(r.ifr_name, name, strlen(name));
	if (!attach(fd, &r))
		return complain_of_name(name, queues, errno, message);
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	    (ioctl(fd, TUNSETVNETLE, &little_endian) && errno != EINVAL))
		return netback_complain(message, "tap %s: its kernel is too old: %s", name,
					strerror(errno));
	return true;
}

static bool open_queue(struct tap_opened *t, const char *name, uint32_t queues, char *message)
{
	const int fd = open(CLONE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return complain_of_device(errno, message);
	t->fd[t->queues++] = fd;
	return set_up_queue(fd, name, queues, message);
}

/* ---- what it can --------------------------------------------------------------------------------------- */

static unsigned int flags_of(uint64_t guest)
{
	return (guest & PVROM_NET_F_GUEST_CSUM ? TUN_F_CSUM : 0u) |
	       (guest & PVROM_NET_F_GUEST_TSO4 ? TUN_F_TSO4 : 0u) |
	       (guest & PVROM_NET_F_GUEST_TSO6 ? TUN_F_TSO6 : 0u) |
	       (guest & PVROM_NET_F_GUEST_ECN ? TUN_F_TSO_ECN : 0u);
}

/* Of segmentation of UDP nothing is asked for: the kernel cuts it as well as we would. */
bool tap_set_offloads(const struct tap_opened *t, uint64_t guest)
{
	if (NETBACK_SLIP(TAP_OFFLOADS))
		guest = 0;
	if (!ioctl(t->fd[0], TUNSETOFFLOAD, (unsigned long)flags_of(guest)))
		return true;
	ioctl(t->fd[0], TUNSETOFFLOAD, 0ul);
	return false;
}

static uint64_t find_offloads(const struct tap_opened *t)
{
	const unsigned long uso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6;
	uint64_t can = PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 |
		       PVROM_NET_F_HOST_ECN;

	/* A kernel that can be told of them takes them too. */
	if (!ioctl(t->fd[0], TUNSETOFFLOAD, uso))
		can |= PVROM_NET_F_HOST_USO;
	tap_set_offloads(t, 0);
	return can;
}

static uint32_t mtu_of(const char *name, uint32_t wanted)
{
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_mtu = 0 };

	memcpy(r.ifr_name, name, strlen(name));
	if (s < 0 || ioctl(s, SIOCGIFMTU, &r))
		r.ifr_mtu = 1500;
	if (s >= 0 && wanted > (uint32_t)r.ifr_mtu) {
		const int now = r.ifr_mtu;

		r.ifr_mtu = (int)wanted;
		if (ioctl(s, SIOCSIFMTU, &r))
			r.ifr_mtu = now;
	}
	if (s >= 0)
		close(s);
	return NETBACK_SLIP(TAP_MTU) ? 65535 : (uint32_t)r.ifr_mtu;
}

bool tap_open(struct tap_opened *t, const char *name, uint32_t queues, uint32_t mtu, char *message)
{
	uint32_t i;

	*t = (struct tap_opened){ .queues = 0 };
	if (strlen(name) >= sizeof(t->name))
		return netback_complain(message, "tap %s: a name has %zu characters at most", name,
					sizeof(t->name) - 1);
	memcpy(t->name, name, strlen(name) + 1);
	for (i = 0; i < queues; i++)
		if (!open_queue(t, name, queues, message)) {
			tap_shut(t);
			return false;
		}
	t->can = find_offloads(t);
	t->mtu = mtu_of(name, mtu);
	if (t->mtu >= PVROM_NET_MTU_LEAST)
		return true;
	tap_shut(t);
	return netback_complain(message, "tap %s: its MTU of %u is too small", name, t->mtu);
}

void tap_shut(struct tap_opened *t)
{
	while (t->queues)
		close(t->fd[--t->queues]);
}
