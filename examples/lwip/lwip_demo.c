/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine in a process: lwIP, our driver, our card, and a hosted network behind it.
 *
 *	lwip-demo WORDS 10.0.0.N serve		serves BYTES bytes to whoever connects to port 80
 *	lwip-demo WORDS 10.0.0.N 10.0.0.M	fetches them from there, and judges them
 *
 * WORDS say which network: port=SOCKET, tap=NAME ... (<pvrom/net_backend.h>).
 */
#include "lwip_card.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include <lwip/init.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include <pvrom/net_backend.h>

#define BYTES 2000000u
#define QUEUE 256u
#define HANDS 64u /* buffers that the card may hold of a queue */

static struct pvrom_net_host host;
static struct pvrom_net_backend *backend;
static struct pvrom_net_queue queue[2];
static struct pvrom_net_buffer pool[2][HANDS];
static struct pvrom_vq_device_slot slots[2][QUEUE];
static uint8_t whole[PVROM_NET_FRAME_MAX], segment[PVROM_NET_FRAME_MAX],
	mac[6] = { 2, 'l', 'w', 'i', 'p' };
static uint32_t status_now;
static struct lwip_card card;

/* ---- the card, and the transport: function calls ---------------------------------------------------------- */

/* Everything in this process is guest memory, and an address is an address. */
static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	(void)len;
	return (void *)(uintptr_t)gpa.gpa;
}

static uint64_t features(struct pvrom_virtio *dev)
{
	(void)dev;
	return pvrom_net_host_features(&host) | PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED |
	       PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_INDIRECT_DESC;
}
static void accept_features(struct pvrom_virtio *dev, uint64_t chosen)
{
	(void)dev;
	pvrom_net_host_accept(&host, chosen);
}
static uint32_t status(struct pvrom_virtio *dev)
{
	(void)dev;
	return status_now;
}
static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	(void)dev;
	status_now = value;
}
static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t number)
{
	(void)dev;
	return number < 2 ? QUEUE : 0;
}
static bool queue_start(struct pvrom_virtio *dev, uint32_t number,
			const struct pvrom_virtio_queue *where)
{
	static const struct pvrom_vq_device_ops ring_ops = { .translate = translate };
	const struct pvrom_vq_device_config config = { .ops = &ring_ops,
						       .features = dev->accepted,
						       .size = where->size,
						       .desc = { where->desc_gpa },
						       .driver = { where->driver_gpa },
						       .device = { where->device_gpa },
						       .slots = slots[number] };

	return !pvrom_net_queue_init(&queue[number], &host, number, &config, pool[number], HANDS);
}
static void notify(struct pvrom_virtio *dev, uint32_t number, uint32_t data)
{
	(void)dev;
	(void)number;
	(void)data; /* the loop below looks anyway */
}
static uint32_t generation(struct pvrom_virtio *dev)
{
	(void)dev;
	return host.generation;
}
static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	(void)dev;
	pvrom_net_host_config_read(&host, offset, to, len);
}
static const struct pvrom_virtio_ops ops = { .features = features,
					     .accept = accept_features,
					     .status = status,
					     .set_status = set_status,
					     .queue_max = queue_max,
					     .queue_start = queue_start,
					     .notify = notify,
					     .generation = generation,
					     .config_read = config_read };

/* One round: the driver's packets out, the network's frames in. */
static void turn(void)
{
	struct pollfd p = { .fd = pvrom_net_backend_fd(backend, 0), .events = POLLIN };
	uint64_t again;
	bool stalled;

	pvrom_net_transmit(&queue[1], QUEUE);
	pvrom_net_backend_flush(backend);
	pvrom_net_backend_receive(backend, &host, 0, QUEUE, &stalled);
	pvrom_net_queue_publish(&queue[0], 0, &again);
	pvrom_net_queue_publish(&queue[1], 0, &again);
	lwip_card_poll(&card);
	sys_check_timeouts();
	poll(&p, 1, 1);
}

/* lwIP's clock. */
u32_t sys_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* ---- bytes over TCP ---------------------------------------------------------------------------------------- */

static uint32_t sent, received;
static int end = -1; /* exit status, once there is one */

static uint8_t byte_at(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 24);
}

static err_t send_more(void *arg, struct tcp_pcb *pcb, u16_t acked)
{
	uint8_t part[TCP_MSS];

	(void)arg;
	(void)acked;
	while (sent < BYTES && tcp_sndbuf(pcb) >= sizeof(part)) {
		const u16_t len =
			(u16_t)(BYTES - sent < sizeof(part) ? BYTES - sent : sizeof(part));

		for (u16_t i = 0; i < len; i++)
			part[i] = byte_at(sent + i);
		if (tcp_write(pcb, part, len, TCP_WRITE_FLAG_COPY) != ERR_OK)
			break;
		sent += len;
	}
	if (sent == BYTES && tcp_sndqueuelen(pcb) == 0)
		tcp_close(pcb);
	return tcp_output(pcb);
}

static err_t begin_service(void *arg, struct tcp_pcb *pcb, err_t error)
{
	if (error != ERR_OK)
		return error;
	sent = 0;
	tcp_sent(pcb, send_more);
	return send_more(arg, pcb, 0);
}

static err_t take(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	(void)arg;
	(void)error;
	if (!p) { /* that was all */
		end = received == BYTES ? 0 : 1;
		return tcp_close(pcb);
	}
	for (u16_t i = 0; i < p->tot_len; i++)
		if (pbuf_get_at(p, i) != byte_at(received + i))
			end = 1;
	received += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t error)
{
	(void)arg;
	tcp_recv(pcb, take);
	return error;
}

static void failed(void *arg, err_t error)
{
	(void)arg;
	(void)error;
	end = 1;
}

static void serve(void)
{
	struct tcp_pcb *pcb = tcp_new();

	tcp_bind(pcb, IP_ADDR_ANY, 80);
	tcp_accept(tcp_listen(pcb), begin_service);
}

static void fetch(const char *from)
{
	struct tcp_pcb *pcb = tcp_new();
	ip4_addr_t address;

	tcp_err(pcb, failed);
	if (!ip4addr_aton(from, &address) || tcp_connect(pcb, &address, 80, connected) != ERR_OK)
		end = 2;
}

/* ---- the whole ----------------------------------------------------------------------------------------------- */

static const char *open_machine(const char *words, uint32_t address)
{
	static struct pvrom_virtio virtio = { .ops = &ops, .id = PVROM_NET_DEVICE_ID };
	static char message[PVROM_NET_MESSAGE];
	struct pvrom_net_host_setup setup = { .pairs = 1, .whole = whole, .segment = segment };

	mac[5] = (uint8_t)address;
	memcpy(setup.mac, mac, sizeof(mac));
	setup.backend = backend = pvrom_net_backend_open(words, mac, message);
	if (!backend)
		return message;
	if (!pvrom_net_host_init(&host, &setup))
		return "no card";
	return lwip_card_begin(&card, &virtio, address);
}

int main(int argc, char **argv)
{
	ip4_addr_t own;
	const char *why;

	lwip_init();
	if (argc != 4 || !ip4addr_aton(argv[2], &own)) {
		fprintf(stderr, "usage: lwip-demo WORDS ADDRESS serve|PEER\n");
		return 2;
	}
	why = open_machine(argv[1], lwip_ntohl(own.addr));
	if (why) {
		fprintf(stderr, "lwip-demo: %s\n", why);
		return 2;
	}
	if (strcmp(argv[3], "serve") == 0)
		serve();
	else
		fetch(argv[3]);
	while (end < 0)
		turn();
	printf("%u of %u bytes, %s\n", received, BYTES, end ? "not as they must be" : "well");
	pvrom_net_backend_close(backend);
	return end;
}
