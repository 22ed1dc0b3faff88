/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about the network, where there is one: an address by DHCP, answers of the gateway, a page that is fetched and
 * one that is served, over TCP. The words net_peer=PORT (a server of tools/net-peer at the gateway) and net_serve
 * (somebody will fetch the page from port 80) ask for the last two.
 */
#include "boot_record.h"
#include "console.h"
#include "fact.h"
#include "kernel_net.h"
#include "probe.h"
#include "stack_page.h"
#include "time.h"

#define PATIENCE_US 20000000
#define TRY_US 1000000
#define TRIES 20
#define PING_HEADERS 28u /* of IPv4 and ICMP */

static bool have_address(void)
{
	const uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

	if (net->stack.address)
		return true;
	stack_dhcp(&net->stack);
	while (net->stack.dhcp.state != DHCP_BOUND && cpu_rdtsc() < end)
		if (!net_poll())
			return false;
	return net->stack.address;
}

/* An answer to an echo request of so many bytes, in some tries. */
static bool ping(uint16_t sequence, uint32_t len)
{
	for (unsigned i = 0; i < TRIES; i++) {
		const uint64_t wait = i ? TRY_US : TRY_US / 10;

		net->stack.ponged = false;
		stack_ping(&net->stack, net->stack.gateway, sequence, len);
		if (net_poll_until(&net->stack.ponged, wait) && net->stack.pong == sequence)
			return true;
	}
	return false;
}

FACT(net_address, "net.address", "RFC 2131",
     "a DHCP server gives an address, or the loader gave one")
{
	if (!net)
		return fact_without("network card");
	EXPECT(net->card.link_up, "no link");
	EXPECT(have_address(), "no address; DHCP is at step %u", net->stack.dhcp.state);
	EXPECT(net->stack.gateway, "no gateway");
	kprintf("# net: address %u.%u.%u.%u\n", net->stack.address >> 24,
		net->stack.address >> 16 & 255, net->stack.address >> 8 & 255,
		net->stack.address & 255);
	return FACT_PASS;
}

FACT(net_ping, "net.ping", "RFC 792",
     "the gateway answers echo requests of every length, unaltered")
{
	if (!net)
		return fact_without("network card");
	EXPECT(have_address(), "no address");
	for (uint32_t len = 0; len + PING_HEADERS <= net->stack.mtu; len += 92)
		EXPECT(ping((uint16_t)(len + 1), len), "%u bytes: no answer", len);
	EXPECT_EQ(net->stack.counters.bad, 0);
	return FACT_PASS;
}

FACT(net_pairs, "net.pairs", "VIRTIO 1.2, 5.1.6.5.6",
     "packets go out by every transmit queue, and the answers arrive")
{
	if (!net)
		return fact_without("network card");
	EXPECT(have_address(), "no address");
	for (unsigned i = 0; i < net->card.pairs; i++) {
		bool good;

		net->send_pair = i;
		good = ping((uint16_t)(3000 + i), 1000);
		net->send_pair = 0;
		EXPECT(good, "pair %u: no answer", i);
		EXPECT(net->queue[2 * i + 1].counters.frames, "pair %u: nothing was sent", i);
	}
	return FACT_PASS;
}

#define OFFLOADS (PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4)
#define COMMAND(call)                                                                              \
	do {                                                                                       \
		const enum pvrom_net_guest_result r = call;                                        \
		EXPECT(!r || r == PVROM_NET_GUEST_UNSUPPORTED, #call ": %s",                       \
		       pvrom_net_guest_result_text(r));                                            \
	} while (0)

/* Each that was negotiated is obeyed, and afterwards frames still come. */
FACT(net_commands, "net.commands", "VIRTIO 1.2, 5.1.6.5",
     "the card obeys the commands that it offers")
{
	static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct pvrom_net_guest *card;

	if (!net)
		return fact_without("network card");
	card = &net->card;
	if (card->control_number == PVROM_NET_GUEST_NO_QUEUE)
		return fact_without("control queue");
	COMMAND(pvrom_net_guest_receive_mode(card, PVROM_NET_CTRL_RX_PROMISC, true));
	COMMAND(pvrom_net_guest_receive_mode(card, PVROM_NET_CTRL_RX_PROMISC, false));
	COMMAND(pvrom_net_guest_receive_mode(card, PVROM_NET_CTRL_RX_ALLMULTI, true));
	COMMAND(pvrom_net_guest_mac_table(card, NULL, 0, &group, 1));
	COMMAND(pvrom_net_guest_vlan(card, 77, true));
	COMMAND(pvrom_net_guest_vlan(card, 77, false));
	if (card->offloads) { /* without any QEMU 7.2 refuses to hear of them */
		COMMAND(pvrom_net_guest_set_offloads(card, 0));
		COMMAND(pvrom_net_guest_set_offloads(card, card->features & OFFLOADS));
	}
	COMMAND(pvrom_net_guest_set_mac(card, card->mac));
	EXPECT(have_address() && ping(4000, 500), "no answer afterwards");
	return FACT_PASS;
}

/* An echo request, and its answer by interrupt. */
static bool pong_by_interrupt(uint16_t sequence)
{
	const uint64_t before = probe_irqs(0, NET_VECTOR);
	bool there = false, came;

	for (unsigned i = 0; i < net->card.pairs; i++)
		there |= pvrom_net_guest_interrupts(&net->queue[2 * i], 1);
	if (there) { /* something else came meanwhile */
		net_poll();
		return true;
	}
	stack_ping(&net->stack, net->stack.gateway, sequence, 100);
	came = probe_wait_irq(0, NET_VECTOR, before + 1, PATIENCE_US);
	if (net->way.entry == PVROM_VIRTIO_NO_VECTOR)
		net->card.virtio->ops->interrupt(net->card.virtio);
	net_poll_until(&net->stack.ponged, PATIENCE_US);
	return came;
}

FACT(net_interrupt, "net.interrupt", "VIRTIO 1.2, 2.7.7",
     "a frame is announced by an interrupt if that was asked for")
{
	bool good = true;

	if (!net)
		return fact_without("network card");
	/* Which line a PCI function has only firmware knows. */
	if (net->way.entry == PVROM_VIRTIO_NO_VECTOR && lib_starts(net->way.name, "virtio-pci"))
		return fact_without("MSI-X");
	EXPECT(have_address() && ping(5000, 10), "no answer");
	EXPECT(net_interrupts(true), "its interrupts cannot be routed");
	for (uint16_t i = 0; i < 10 && good; i++)
		good = pong_by_interrupt((uint16_t)(5001 + i));
	for (unsigned i = 0; i < net->card.pairs; i++)
		pvrom_net_guest_interrupts(&net->queue[2 * i], 0);
	EXPECT(net_interrupts(false), "its interrupts cannot be masked");
	EXPECT(good, "no interrupt");
	return FACT_PASS;
}

FACT(net_fetch, "net.fetch", "RFC 9293",
     "a page is fetched over TCP, and each byte is as it must be")
{
	static struct page_fetch fetch;
	const char *port = boot_option("net_peer=");

	if (!net)
		return fact_without("network card");
	if (!port)
		return fact_without("server of pages");
	EXPECT(have_address() && ping(6000, 10), "no answer of the gateway");
	EXPECT(page_fetch(&net->stack, &fetch, net->stack.gateway, (uint16_t)lib_number(port)),
	       "no connection");
	net_poll_until(&fetch.done, 2 * PATIENCE_US);
	EXPECT(fetch.good, "ended %u, status %u, %u bytes, byte %u is wrong", fetch.how,
	       fetch.status, fetch.bytes, fetch.first_wrong);
	kprintf("# net: fetched %u bytes, %lu frames in several buffers\n", fetch.bytes,
		net->received_long);
	return FACT_PASS;
}

FACT(net_serve, "net.serve", "RFC 9293",
     "a page is served over TCP until its last byte is acknowledged")
{
	static struct page_service service;
	const uint64_t end = cpu_rdtsc() + time_us(2 * PATIENCE_US);

	if (!net)
		return fact_without("network card");
	if (!boot_option("net_serve"))
		return fact_without("client for a page");
	EXPECT(have_address() && ping(7000, 10), "no answer of the gateway");
	page_serve(&net->stack, &service, 80);
	kprintf("# net: serving\n");
	while (!service.served && cpu_rdtsc() < end)
		if (!net_poll())
			return fact_fail("the card broke the rules");
	net_linger();
	EXPECT(service.served, "asked %u times, served none", service.asked);
	kprintf("# net: served, %lu sent again\n", net->stack.counters.resent);
	return FACT_PASS;
}

FACT(net_restart, "net.restart", "VIRTIO 1.2, 2.1",
     "a card that was reset works again, and nothing was lost by it")
{
	if (!net)
		return fact_without("network card");
	EXPECT(have_address() && ping(8000, 10), "no answer before");
	for (uint16_t i = 0; i < 3; i++) {
		EXPECT(net_restart(), "reset %u: it did not begin again", i);
		EXPECT(ping((uint16_t)(8001 + i), 1000), "reset %u: no answer", i);
	}
	return FACT_PASS;
}
