/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the host offers and why not more; features from outside the core; configurations. */
#include "host_world.h"

static struct world w;
static struct pvrom_offer offer;

static uint32_t reason(uint32_t feature)
{
	return offer.reason[feature];
}

static void ask(void)
{
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_QUERY, 0x2000, sizeof(offer), 0),
			PVROM_STATUS_OK);
	memcpy(&offer, world_at(&w, 0x2000), sizeof(offer));
}

/* ---- reasons ----------------------------------------------------------------------------------- */

static void reason_if_and_only_if_withheld(void)
{
	uint32_t hardware, off, i;

	world_open(&w, 1);
	for (hardware = 0; hardware < 16; hardware++)
		for (off = 0; off < 1024; off++) {
			w.config.hardware = hardware;
			w.config.operator_off = off;
			pvrom_host_init(&w.host, &w.config, w.vcpu);
			pvrom_host_offer(&w.host, &offer);
			for (i = 0; i < PVROM_FEATURE_MAX; i++)
				if ((reason(i) == PVROM_REASON_NONE) != ((offer.offered >> i) & 1))
					CU_FAIL_FATAL("reason does not fit the offer");
			if (offer.offered & (off | ~ALL_FEATURES | ~offer.can))
				CU_FAIL_FATAL("offers what it must not");
			if ((offer.offered & FEATURE(ALARM)) && !(offer.offered & FEATURE(IRQ)))
				CU_FAIL_FATAL("not closed");
		}
	world_close(&w);
}

static void mmu_nested_paging(void)
{
	world_open(&w, 1);
	w.config.hardware = PVROM_HW_NESTED_PAGING;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NESTED_PAGING);
	CU_ASSERT_EQUAL(offer.hardware, FEATURE(MMU));
	w.config.hardware = PVROM_HW_NESTED_PAGING | PVROM_HW_OWNS_MMU;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NESTED_PAGING);
	world_close(&w);
}

static void mmu_not_owned(void)
{
	world_open(&w, 1);
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NOT_OWNED);
	CU_ASSERT_EQUAL(offer.hardware, 0);
	w.config.hardware = PVROM_HW_OWNS_MMU;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NOT_SUPPORTED);
	world_close(&w);
}

static void mmu_operator_comes_first(void)
{
	uint32_t hardware;

	world_open(&w, 1);
	w.config.operator_off = FEATURE(MMU);
	for (hardware = 0; hardware < 16; hardware++) {
		w.config.hardware = hardware;
		ask();
		CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_OPERATOR);
	}
	world_close(&w);
}

static void hardware_apic(void)
{
	world_open(&w, 1);
	w.config.hardware = PVROM_HW_APIC;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_IRQ), PVROM_REASON_HARDWARE);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_ALARM), PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU) | FEATURE(SMP));
	CU_ASSERT_EQUAL(offer.can, ALL_FEATURES);
	CU_ASSERT_EQUAL(offer.hardware, FEATURE(IRQ));
	w.config.operator_off = FEATURE(IRQ) | FEATURE(ALARM);
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_IRQ), PVROM_REASON_OPERATOR);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_ALARM), PVROM_REASON_OPERATOR);
	world_close(&w);
}

static void no_code_no_feature(void)
{
	world_open(&w, 1);
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_CLOCK), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_DEV), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_BLK), PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_NET), PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_COUNT), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(63), PVROM_REASON_NOT_SUPPORTED);
	world_close(&w);
}

/* A feature whose callbacks the embedder has not supplied. */
static void no_callbacks_no_feature(void)
{
	world_open(&w, 1);
	w.ops.irq_send = NULL;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_IRQ), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_ALARM), PVROM_REASON_DEPENDENCY);
	w.ops.smp_kick = NULL;
	w.ops.alarm_set = NULL;
	ask();
	CU_ASSERT_EQUAL(offer.can, FEATURE(CPU));
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU));
	world_close(&w);
}

/* ---- a feature from outside -------------------------------------------------------------------- */

static uint32_t extra_reason, extra_log;

static uint32_t extra_offer(const struct pvrom_host *host)
{
	(void)host;
	return extra_reason;
}

static void extra_start(struct pvrom_host *host)
{
	(void)host;
	extra_log = extra_log * 10 + 1;
}

static void extra_stop(struct pvrom_host *host)
{
	(void)host;
	extra_log = extra_log * 10 + 2;
}

static const struct pvrom_host_feature extra = {
	.number = PVROM_FEATURE_MEM,
	.group = PVROM_GROUP_COUNT,
	.offer = extra_offer,
	.start = extra_start,
	.stop = extra_stop,
};

static void feature_starts_and_stops(void)
{
	static const struct pvrom_host_feature *const list[] = { &pvrom_host_cpu, &extra, NULL };

	world_open(&w, 1);
	w.config.features = list;
	extra_reason = PVROM_REASON_NONE;
	extra_log = 0;
	ask();
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU) | FEATURE(MEM));
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(MEM)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(MEM) | FEATURE(CPU)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(CPU)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 12);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(MEM)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_RESET, 0, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 1212);
	extra_reason = PVROM_REASON_NOT_OWNED;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MEM), PVROM_REASON_NOT_OWNED);
	CU_ASSERT_EQUAL(offer.can, FEATURE(CPU) | FEATURE(MEM));
	world_close(&w);
}

/* ---- configurations ---------------------------------------------------------------------------- */

#define BAD(change)                                                                                \
	do {                                                                                       \
		struct world *v = &w;                                                              \
		world_open(v, 2);                                                                  \
		change;                                                                            \
		CU_ASSERT_EQUAL(pvrom_host_init(&v->host, &v->config, v->vcpu),                    \
				PVROM_HOST_BAD_CONFIG);                                            \
		world_close(v);                                                                    \
	} while (0)

static void bad_configurations(void)
{
	static const struct pvrom_host_feature *const twice[] = { &pvrom_host_cpu, &pvrom_host_cpu,
								  NULL };
	static const struct pvrom_host_feature far = { .number = PVROM_FEATURE_COUNT,
						       .group = PVROM_GROUP_COUNT,
						       .offer = extra_offer };
	static const struct pvrom_host_feature mute = { .number = 5,
							.group = PVROM_GROUP_MMU,
							.offer = extra_offer };
	static const struct pvrom_host_feature *const fars[] = { &far, NULL };
	static const struct pvrom_host_feature *const mutes[] = { &mute, NULL };

	BAD(v->config.ops = NULL);
	BAD(v->ops.translate = NULL);
	BAD(v->ops.lock = NULL);
	BAD(v->ops.unlock = NULL);
	BAD(v->ops.tsc = NULL);
	BAD(v->config.features = NULL);
	BAD(v->config.features = twice);
	BAD(v->config.features = fars);
	BAD(v->config.features = mutes);
	BAD(v->config.vcpus = 0);
	BAD(v->config.vcpus = 4097);
	BAD(v->config.transport = PVROM_TRANSPORT_NONE);
	BAD(v->config.transport = PVROM_TRANSPORT_COUNT);
	BAD(v->config.transport = PVROM_TRANSPORT_VMCALL); /* which has no port */
	BAD(v->config.slots = 4);
	BAD(v->config.flags = 4);
	BAD(v->config.hardware = 16);
	BAD(v->config.rom_gpa = 0xa0800);
	BAD(v->config.rom_gpa = ~0xfffull);
	BAD(v->config.epoch_before = UINT64_MAX);
}

static const struct tap_test tests[] = {
	{ "a reason if and only if withheld [PVROM-NEG-1 PVROM-NEG-7 PVROM-NEG-8]",
	  reason_if_and_only_if_withheld },
	{ "mmu: nested paging present [PVROM-NEG-4]", mmu_nested_paging },
	{ "mmu: not owned, or no code [PVROM-NEG-5]", mmu_not_owned },
	{ "mmu: the operator comes first [PVROM-NEG-2]", mmu_operator_comes_first },
	{ "irq: the hardware does it better [PVROM-NEG-2]", hardware_apic },
	{ "features without code", no_code_no_feature },
	{ "features without callbacks", no_callbacks_no_feature },
	{ "a feature from outside the core starts and stops", feature_starts_and_stops },
	{ "bad configurations are refused", bad_configurations },
	{ 0 }
};

int main(void)
{
	return world_main("host_offer", tests);
}
