/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrun's disk, saved and loaded at each moment between a request and its end: whatever was on its way between driver
 * and device, bell or interrupt, is lost with the old machine, and the loaded one makes up for it. The disk is the
 * real one (notify_world.c).
 */
#include "notify_world.h"

#include <unistd.h>

#include "../cunit_tap.h"

#include <pvrom/virtio_mmio.h>

/* ---- moments ---------------------------------------------------------------------------------------------------------- */

static void look_at_ring(void *argument)
{
	*(uint32_t *)argument = pvrom_vq_device_in_flight(world.disk->kind->ring(world.disk, 0));
}

static uint32_t in_work(void)
{
	uint32_t n;

	device_thread_do(&world.disk->thread, look_at_ring, &n);
	return n;
}

static void switch_bell_off(void *argument)
{
	(void)argument;
	pvrom_vq_device_notifications_off(world.disk->kind->ring(world.disk, 0));
}

static void change(void *argument)
{
	(void)argument;
	virtio_changed(world.disk);
}

/* The CPU stopped between the ring and the bell. It rings when it goes on, which is once too often. */
static void shown(void)
{
	world_rest();
	driver_show(0);
	world_reload();
	CU_ASSERT(driver_take(0));
	driver_ring();
	world_settle();
	CU_ASSERT(!pvrom_vq_driver_pending(&world.vq));
}

/* The bell was rung and its thread had not yet looked. */
static void rung(void)
{
	world_rest();
	driver_show(0);
	driver_ring();
	world_reload();
	CU_ASSERT(driver_take(0));
}

/* Used, and the interrupt went to a local APIC that had been saved before. */
static void used(void)
{
	CU_ASSERT(!pvrom_vq_driver_interrupts_on(&world.vq, 1));
	driver_show(0);
	driver_ring();
	CU_ASSERT(driver_sees_used() && driver_interrupted());
	world_rest();
	world_reload();
	CU_ASSERT(driver_interrupted());
	CU_ASSERT(world.messages || (driver_get(PVROM_MMIO_INTERRUPT_STATUS) & 1));
	driver_set(PVROM_MMIO_INTERRUPT_ACK, 1);
	CU_ASSERT_EQUAL(driver_get(PVROM_MMIO_INTERRUPT_STATUS), 0);
	CU_ASSERT(driver_take(0));
}

/* At a byte a second the next one waits for minutes, but is done because the machine is saved. */
static void held(void)
{
	CU_ASSERT(!pvrom_vq_driver_interrupts_on(&world.vq, 1));
	driver_show(0);
	driver_ring();
	CU_ASSERT(driver_take(0) && driver_interrupted());
	pvrom_vq_driver_interrupts_on(&world.vq, 1);
	driver_set(PVROM_MMIO_INTERRUPT_ACK, 1);
	driver_show(1);
	driver_ring();
	for (unsigned int looks = WORLD_LOOKS; in_work() == 0 && looks-- > 0;)
		usleep(100);
	CU_ASSERT(!pvrom_vq_driver_pending(&world.vq));
	world_rest();
	CU_ASSERT(pvrom_vq_driver_pending(&world.vq));
	world_reload();
	CU_ASSERT(driver_interrupted());
	CU_ASSERT(world.messages || (driver_get(PVROM_MMIO_INTERRUPT_STATUS) & 1));
	CU_ASSERT(driver_take(1));
}

/* The device had just begun to take buffers, its bell off: it is on again when the loaded one has found no more. */
static void bell_off(void)
{
	world_rest();
	device_thread_do(&world.disk->thread, switch_bell_off, NULL);
	world_reload();
	world_settle();
	CU_ASSERT(driver_show(0));
	driver_ring();
	CU_ASSERT(driver_take(0));
}

/* A change that was on its way to the driver. */
static void changed(void)
{
	const uint32_t generation = driver_get(PVROM_MMIO_CONFIG_GENERATION);

	device_thread_do(&world.disk->thread, change, NULL);
	CU_ASSERT(driver_interrupted_by_change());
	world_rest();
	world_reload();
	CU_ASSERT(driver_interrupted_by_change());
	CU_ASSERT(world.messages || (driver_get(PVROM_MMIO_INTERRUPT_STATUS) & 2));
	CU_ASSERT(driver_get(PVROM_MMIO_CONFIG_GENERATION) != generation);
}

/* Everything again and again, with bells when they are wanted and interrupts when they come. */
static void goes_on(void)
{
	for (uint32_t i = 0; i < 60; i++) {
		if (i % 20 == 10) {
			world_rest();
			world_reload();
		}
		if (driver_show(i))
			driver_ring();
		while (!pvrom_vq_driver_interrupts_on(&world.vq, 1))
			CU_ASSERT_FATAL(driver_interrupted());
		driver_set(PVROM_MMIO_INTERRUPT_ACK, 3);
		CU_ASSERT(driver_take(i));
	}
}

/* ---- for each kind of ring and of interrupt ----------------------------------------------------------------------------- */

static void each(void (*moment)(void))
{
	static const uint64_t forms[] = { 0, PVROM_VQ_F_EVENT_IDX, PVROM_VQ_F_RING_PACKED,
					  PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX };

	for (unsigned int i = 0; i < 8; i++) {
		world_begin(PVROM_VQ_F_VERSION_1 | forms[i % 4], i >= 4);
		moment();
		world_end();
	}
}

static void a_request_that_was_shown(void)
{
	each(shown);
}

static void a_bell_that_nobody_heard(void)
{
	each(rung);
}

static void an_interrupt_that_went_nowhere(void)
{
	each(used);
}

static void a_request_that_a_limit_holds(void)
{
	world_limit(1);
	each(held);
	world_limit(0);
}

static void a_bell_that_is_off(void)
{
	each(bell_off);
}

static void a_change_that_nobody_was_told_of(void)
{
	each(changed);
}

static void sixty_requests_and_three_machines(void)
{
	each(goes_on);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "a request that was shown, its bell not yet rung [PVROM-BLK-14]",
		  a_request_that_was_shown },
		{ "a bell that nobody heard [PVROM-BLK-14]", a_bell_that_nobody_heard },
		{ "an interrupt that went nowhere [PVROM-BLK-14]", an_interrupt_that_went_nowhere },
		{ "a request that a limit holds [PVROM-BLK-14]", a_request_that_a_limit_holds },
		{ "a bell that is off", a_bell_that_is_off },
		{ "a change that nobody was told of", a_change_that_nobody_was_told_of },
		{ "sixty requests and three machines", sixty_requests_and_three_machines },
		{ 0 },
	};
	int status;

	if (!world_open())
		return 2;
	status = tap_run("monitor.saved_notify", tests);
	world_close();
	return status;
}
