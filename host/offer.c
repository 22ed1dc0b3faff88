/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the host offers, and why not more. */
#include "host_internal.h"

static const uint64_t dependencies[PVROM_FEATURE_COUNT] = {
#define FEATURE_LINE(NAME, bit, needs, name, text) [bit] = (needs),
	PVROM_FEATURE_TABLE(FEATURE_LINE)
};

static uint64_t bit(uint32_t number)
{
	return PVROM_FEATURE_BIT(number);
}

/* The half of a feature, NULL if the embedder has not named it. */
const struct pvrom_host_feature *pvrom_host_feature(const struct pvrom_host *host, uint32_t number)
{
	const struct pvrom_host_feature *const *list = host->config.features;

	while (*list && (*list)->number != number)
		list++;
	return *list;
}

/* Features the host has code for, whether it offers them or not. */
uint64_t pvrom_host_can(const struct pvrom_host *host)
{
	const struct pvrom_host_feature *const *list;
	uint64_t can = 0;

	for (list = host->config.features; *list; list++)
		if ((*list)->offer(host) != PVROM_REASON_NOT_SUPPORTED)
			can |= bit((*list)->number);
	return can;
}

/* Takes away features until each that is left has all it needs. */
uint64_t pvrom_host_close(uint64_t features)
{
	uint64_t before;
	uint32_t i;

	if (PVROM_BUG(NOT_CLOSED))
		return features;
	do {
		before = features;
		for (i = 0; i < PVROM_FEATURE_COUNT; i++)
			if (dependencies[i] & ~features)
				features &= ~bit(i);
	} while (features != before);
	return features;
}

/* Features that the hardware makes pointless. */
static uint64_t done_by_hardware(const struct pvrom_host *host)
{
	uint64_t features = 0;

	if (host->config.hardware & PVROM_HW_NESTED_PAGING)
		features |= bit(PVROM_FEATURE_MMU);
	if (host->config.hardware & PVROM_HW_APIC)
		features |= bit(PVROM_FEATURE_IRQ);
	return features;
}

#define WHY(reason) (1u << PVROM_REASON_##reason)

/*
 * Every guest asks for the paravirtual MMU, so its answer is exact even in a host that has no code
 * for it: nested paging and somebody else's ownership come before "not supported" in the table.
 */
static uint32_t mmu_reasons(const struct pvrom_host *host)
{
	uint32_t why = 0;

	if (host->config.hardware & PVROM_HW_NESTED_PAGING)
		why |= WHY(NESTED_PAGING);
	if (!(host->config.hardware & PVROM_HW_OWNS_MMU))
		why |= WHY(NOT_OWNED);
	return why;
}

/* All the reasons against a feature, taken by itself. */
static uint32_t own_reasons(const struct pvrom_host *host, uint32_t number)
{
	const struct pvrom_host_feature *half = pvrom_host_feature(host, number);
	uint32_t why = 0;

	if (PVROM_BUG(MMU_NESTED) && number == PVROM_FEATURE_MMU)
		return 0;
	if (host->config.operator_off & bit(number))
		why |= WHY(OPERATOR);
	if (number == PVROM_FEATURE_MMU)
		why |= mmu_reasons(host);
	else if (done_by_hardware(host) & bit(number))
		why |= WHY(HARDWARE);
	why |= half ? 1u << half->offer(host) : WHY(NOT_SUPPORTED);
	return why & ~WHY(NONE);
}

/* Fills in the first reason against each feature and returns what is offered. */
static uint64_t reasons(const struct pvrom_host *host, uint8_t reason[PVROM_FEATURE_MAX])
{
	uint32_t why[PVROM_FEATURE_COUNT];
	uint64_t offered = 0;
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++) {
		why[i] = own_reasons(host, i);
		if (!why[i])
			offered |= bit(i);
	}
	offered = pvrom_host_close(offered);
	for (i = 0; i < PVROM_FEATURE_COUNT; i++) {
		if (dependencies[i] & ~offered)
			why[i] |= WHY(DEPENDENCY);
		reason[i] = (uint8_t)(why[i] ? __builtin_ctz(why[i]) : PVROM_REASON_NONE);
	}
	for (; i < PVROM_FEATURE_MAX; i++)
		reason[i] = PVROM_REASON_NOT_SUPPORTED;
	return offered;
}

void pvrom_host_offer(const struct pvrom_host *host, struct pvrom_offer *offer)
{
	*offer = (struct pvrom_offer){
		.size = sizeof(*offer),
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.epoch = host->epoch,
		.can = pvrom_host_can(host),
		.hardware = done_by_hardware(host),
		.vcpus = host->config.vcpus,
		.tsc_hz = host->config.tsc_hz,
	};
	offer->offered = reasons(host, offer->reason);
	offer->advised = offer->offered;
}
