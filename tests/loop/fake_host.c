/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A host of a page, to be told how to misbehave.
 */
#include "fake_host.h"

#include <string.h>

#include "../cunit_tap.h"

#define NO_STATUS UINT32_MAX
#define USUAL_SET                                                                                  \
	(PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) |             \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) | PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM))

static uint32_t query(struct machine *machine, struct fake_host *host, const uint64_t *arg)
{
	struct pvrom_offer *offer = machine_at(machine, arg[0]);

	host->queries++;
	CU_ASSERT_EQUAL(arg[1], sizeof(*offer));
	*offer = (struct pvrom_offer){
		.size = sizeof(*offer),
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.epoch = host->epoch,
		.can = host->offered | PVROM_FEATURE_BIT(PVROM_FEATURE_MMU),
		.advised = host->advised,
		.hardware = PVROM_FEATURE_BIT(PVROM_FEATURE_MMU),
		.offered = host->offered,
		.vcpus = 1,
	};
	for (uint32_t i = 0; i < PVROM_FEATURE_MAX; i++)
		offer->reason[i] =
			host->offered >> i & 1 ? PVROM_REASON_NONE : PVROM_REASON_NOT_SUPPORTED;
	if (host->on_offer)
		host->on_offer(offer);
	return host->query_status == NO_STATUS ? PVROM_STATUS_OK : host->query_status;
}

static uint64_t close_set(uint64_t set)
{
	if (!(set & PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ)))
		set &= ~PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM);
	return set;
}

static uint32_t propose(struct fake_host *host, struct pvrom_negotiation *n)
{
	host->proposals++;
	CU_ASSERT_EQUAL(n->size, sizeof(*n));
	CU_ASSERT_EQUAL(n->required & ~n->wanted, 0);
	if (host->moves_before_propose) {
		host->moves_before_propose--;
		host->epoch++;
	}
	n->host_epoch = host->epoch;
	if (n->epoch != host->epoch)
		return PVROM_STATUS_STALE;
	n->rom_gpa = host->rom_gpa;
	n->rom_size = host->rom_size;
	n->rom_checksum = host->rom_checksum;
	n->granted = host->pending = close_set(n->wanted & host->offered);
	n->missing = n->required & ~n->granted;
	if (host->on_propose)
		host->on_propose(n);
	if (host->propose_status != NO_STATUS)
		return host->propose_status;
	return n->missing ? PVROM_STATUS_REFUSED : PVROM_STATUS_OK;
}

static uint32_t commit(struct fake_host *host, struct pvrom_negotiation *n)
{
	n->host_epoch = host->epoch;
	if (!n->granted) {
		host->empty_commits++;
		host->sealed = 0;
		return PVROM_STATUS_OK;
	}
	host->commits++;
	if (host->moves_before_commit) {
		host->moves_before_commit--;
		n->host_epoch = ++host->epoch;
	}
	if (n->epoch != host->epoch)
		return PVROM_STATUS_STALE;
	if (host->commit_status != NO_STATUS)
		return host->commit_status;
	if (n->granted != host->pending)
		return PVROM_STATUS_INVALID;
	host->sealed = n->granted;
	return PVROM_STATUS_OK;
}

static uint32_t answer(struct machine *machine, uint32_t call, uint64_t arg[4], uint64_t *value)
{
	struct fake_host *host = machine->host_data;

	switch (call) {
	case PVROM_BASE_VERSION:
		*value = (uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR;
		return PVROM_STATUS_OK;
	case PVROM_BASE_QUERY: return query(machine, host, arg);
	case PVROM_BASE_NEGOTIATE:
		return (arg[1] == PVROM_NEGOTIATE_COMMIT ? commit : propose)(
			host, machine_at(machine, arg[0]));
	case PVROM_BASE_VCPU_AREA: host->area = arg[0]; return PVROM_STATUS_OK;
	case PVROM_BASE_RESET: host->resets++; return host->reset_status;
	}
	host->others++;
	*value = 0x123456789a;
	return PVROM_STATUS_DENIED;
}

void fake_host_set_rom(struct machine *machine, struct fake_host *host, uint64_t gpa,
		       const uint8_t *image)
{
	const struct pvrom_rom_header *h = (const struct pvrom_rom_header *)image;

	machine_put_rom(machine, gpa, image);
	host->rom_gpa = gpa;
	host->rom_size = h->rom_size;
	host->rom_checksum = h->checksum;
}

void fake_host_attach(struct machine *machine, struct fake_host *host, const uint8_t *image)
{
	*host = (struct fake_host){
		.offered = USUAL_SET | machine->policy->wanted,
		.advised = USUAL_SET,
		.epoch = 1,
		.query_status = NO_STATUS,
		.propose_status = NO_STATUS,
		.commit_status = NO_STATUS,
	};
	fake_host_set_rom(machine, host, MACHINE_HOST_ROM, image);
	machine_name_rom(machine, 0x40000100, MACHINE_HOST_ROM, image);
	machine->host = answer;
	machine->host_data = host;
}
