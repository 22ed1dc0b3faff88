/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* vCPUs that negotiate, set alarms and register areas at the same time, under epochs that move. */
#include "host_world.h"

static struct world w;

#define RACE_ROUNDS 4000

struct racer {
	uint32_t vcpu;
	uint64_t wanted;
	uint64_t gpa;
	uint32_t bad;
	uint32_t committed;
};

static uint32_t call(const struct racer *r, uint32_t number, uint64_t a, uint64_t b)
{
	struct pvrom_host_regs regs = { .call = number, .mode64 = 1, .arg = { a, b } };

	pvrom_host_call(&w.vcpu[r->vcpu], &regs);
	return regs.status;
}

/* One of these answers. */
static void expect(struct racer *r, uint32_t status, uint32_t one, uint32_t other, uint32_t third)
{
	r->bad += status != one && status != other && status != third;
}

/* For the epoch that the last answer told. True if it was granted. */
static bool propose(struct racer *r)
{
	struct pvrom_negotiation *n = world_at(&w, r->gpa);
	uint32_t status;

	*n = (struct pvrom_negotiation){ .size = sizeof(*n),
					 .major = PVROM_MAJOR,
					 .alarm_vector = 0x40,
					 .epoch = n->host_epoch,
					 .wanted = r->wanted };
	status = call(r, PVROM_BASE_NEGOTIATE, r->gpa, PVROM_NEGOTIATE_PROPOSE);
	expect(r, status, PVROM_STATUS_OK, PVROM_STATUS_STALE, PVROM_STATUS_STALE);
	r->bad += status == PVROM_STATUS_OK && n->granted != r->wanted;
	return status == PVROM_STATUS_OK;
}

static void commit(struct racer *r)
{
	uint32_t status = call(r, PVROM_BASE_NEGOTIATE, r->gpa, PVROM_NEGOTIATE_COMMIT);

	r->committed += status == PVROM_STATUS_OK;
	expect(r, status, PVROM_STATUS_OK, PVROM_STATUS_STALE, PVROM_STATUS_INVALID);
}

/* Whatever the others do, each answer must be one of those that the interface allows. */
static void *race(void *argument)
{
	struct racer *r = argument;
	uint32_t i;

	for (i = 0; i < RACE_ROUNDS; i++) {
		if (!propose(r))
			continue;
		commit(r);
		expect(r, call(r, PVROM_CLOCK_ALARM_SET, 0, 0), PVROM_STATUS_OK,
		       PVROM_STATUS_DENIED, PVROM_STATUS_DENIED);
		expect(r, call(r, PVROM_BASE_VCPU_AREA, 0x8000 + (i & 1) * 0x800, 0x800),
		       PVROM_STATUS_OK, PVROM_STATUS_BUSY, PVROM_STATUS_BUSY);
	}
	return NULL;
}

static void two_vcpus_race(void)
{
	struct racer racer[2] = {
		{ .vcpu = 0, .wanted = ALL_FEATURES, .gpa = 0x1000 },
		{ .vcpu = 1, .wanted = FEATURE(CPU), .gpa = 0x2000 },
	};
	pthread_t thread[2];
	uint32_t i;

	world_open(&w, 2);
	w.racing = true;
	world_proposal(&w, 0x1000, 0, 0)->host_epoch = 1;
	world_proposal(&w, 0x2000, 0, 0)->host_epoch = 1;
	for (i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, race, &racer[i]), 0);
	for (i = 0; i < 200; i++)
		pvrom_host_raise_epoch(&w.host);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	CU_ASSERT_EQUAL(racer[0].bad, 0);
	CU_ASSERT_EQUAL(racer[1].bad, 0);
	CU_ASSERT_TRUE(racer[0].committed + racer[1].committed > 0);
	CU_ASSERT_EQUAL(w.host.epoch, 201);
	CU_ASSERT_EQUAL(w.host.started, w.host.sealed);
	/* Without the feature no alarm is left, with it the alarms are those of the vCPUs. */
	if (!(w.host.sealed & FEATURE(ALARM)))
		CU_ASSERT_FALSE(w.alarm[0] || w.alarm[1]);
	CU_ASSERT_TRUE(w.vcpu[0].area_gpa != w.vcpu[1].area_gpa ||
		       w.vcpu[0].area_gpa == PVROM_VCPU_AREA_NONE);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "two vCPUs negotiate at the same time [PVROM-CALL-14]", two_vcpus_race }, { 0 }
};

int main(void)
{
	return world_main("host_race", tests);
}
