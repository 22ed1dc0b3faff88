/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of user-mode networking: its network, and ports of the host that lead to the guest.
 */
#define _GNU_SOURCE
#include "user_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* An IPv4 network with its length: the host is .2, the name server .3, guests get .15 and so on. */
static bool split(const char *text, char at, char *first, size_t room, const char **second)
{
	const char *mark = strchr(text, at);

	if (!mark || (size_t)(mark - text) >= room)
		return false;
	memcpy(first, text, (size_t)(mark - text));
	first[mark - text] = 0;
	*second = mark + 1;
	return true;
}

static bool read_network(const char *text, struct in_addr *network, uint32_t *mask, char *message)
{
	const char *behind;
	char address[16];
	uint64_t length;

	if (split(text, '/', address, sizeof(address), &behind) &&
	    netback_number(behind, 27, &length) && length >= 8 &&
	    inet_pton(AF_INET, address, network) == 1) {
		*mask = ~0u << (32 - length);
		network->s_addr &= htonl(*mask);
		return true;
	}
	return netback_complain(message, "net=%s: not a network like 10.0.2.0/24, of /8 to /27",
				text);
}

static struct in_addr host_of(struct in_addr network, uint32_t n)
{
	return (struct in_addr){ htonl(ntohl(network.s_addr) + n) };
}

bool user_configure(SlirpConfig *c, const struct netback_words *w, char *message)
{
	uint32_t mask = 0xffffff00u;

	*c = (SlirpConfig){ .version = 4, .in_enabled = true, .in6_enabled = !w->no_ipv6 };
	if (!read_network(w->net ? w->net : "10.0.2.0/24", &c->vnetwork, &mask, message))
		return false;
	c->restricted = w->restricted;
	c->vnetmask.s_addr = htonl(mask);
	c->vhost = host_of(c->vnetwork, 2);
	c->vnameserver = host_of(c->vnetwork, 3);
	c->vdhcp_start = host_of(c->vnetwork, 15);
	inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &c->vhost6);
	inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
	c->vprefix_len = 64;
	c->vhostname = w->hostname;
	c->if_mtu = c->if_mru = w->mtu;
	if (w->dns && inet_pton(AF_INET, w->dns, &c->vnameserver) != 1)
		return netback_complain(message, "dns=%s: not an IPv4 address", w->dns);
	return true;
}

/* [tcp:|udp:][ADDRESS]:PORT-[ADDRESS]:PORT */
struct forward {
	bool udp;
	struct in_addr address[2]; /* of the host, of the guest */
	int port[2];
};

static bool read_end(const char *text, struct in_addr *address, int *port)
{
	const char *behind;
	char name[16];
	uint64_t n;

	if (!split(text, ':', name, sizeof(name), &behind) || !netback_number(behind, 65535, &n) ||
	    !n)
		return false;
	*port = (int)n;
	return !name[0] || inet_pton(AF_INET, name, address) == 1;
}

static bool read_forward(const char *text, struct forward *f)
{
	const char *guest;
	char host[64];

	*f = (struct forward){ .udp = !strncmp(text, "udp:", 4) };
	if (f->udp || !strncmp(text, "tcp:", 4))
		text += 4;
	return split(text, '-', host, sizeof(host), &guest) &&
	       read_end(host, &f->address[0], &f->port[0]) &&
	       read_end(guest, &f->address[1], &f->port[1]);
}

bool user_add_forwards(Slirp *slirp, const struct netback_words *w, char *message)
{
	struct forward f;
	uint32_t i;

	for (i = 0; i < w->forwards; i++) {
		if (!read_forward(w->forward[i], &f))
			return netback_complain(message,
						"hostfwd=%s: it is [tcp:|udp:][ADDRESS]:PORT-"
						"[ADDRESS]:PORT",
						w->forward[i]);
		if (slirp_add_hostfwd(slirp, f.udp, f.address[0], f.port[0], f.address[1],
				      f.port[1]))
			return netback_complain(message, "hostfwd=%s: %s", w->forward[i],
						strerror(errno));
	}
	return true;
}
