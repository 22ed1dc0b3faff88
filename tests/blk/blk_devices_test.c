/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Devices that lie to the block driver. A case that belongs to a check of the driver's is also run with that
 * check taken out, where it must go wrong. (What a device can do to the rings alone: tests/virtqueue.)
 */
#include "guest_world.h"

#include <string.h>

#include "../../pvblk/blk_guest_internal.h"
#include "../cunit_tap.h"

#define CHECK(name) PVROM_BLK_GUEST_CHECK_##name
#define NO_CHECK 0u

static const struct pvrom_blk_host_setup sized = { .size_max = 4096 };
/* What a false transport adds to the truth; the world's functions know nothing of it. */
static struct pvrom_blk_config lie, truth_mask;
static struct pvrom_virtio_ops honest;

/* ---- configurations -------------------------------------------------------------------------------- */

/* Bytes that truth_mask sets are those of the lie. */
static void false_config(struct pvrom_virtio *virtio, uint32_t offset, void *to, uint32_t len)
{
	const uint8_t *l = (const uint8_t *)&lie + offset,
		      *m = (const uint8_t *)&truth_mask + offset;
	uint8_t *bytes = to;
	uint32_t i;

	honest.config_read(virtio, offset, to, len);
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)((bytes[i] & ~m[i]) | (l[i] & m[i]));
}

static bool refuses_config(struct guest_world *w)
{
	honest = w->ops;
	w->ops.config_read = false_config;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_MALFORMED &&
	       (w->status & PVROM_VIRTIO_FAILED);
}

#define LIE(field, value)                                                                          \
	do {                                                                                       \
		memset(&truth_mask, 0, sizeof(truth_mask));                                        \
		memset(&truth_mask.field, 0xff, sizeof(truth_mask.field));                         \
		lie.field = value;                                                                 \
	} while (0)

static bool no_segments(struct guest_world *w)
{
	LIE(seg_max, 0);
	return refuses_config(w);
}
static bool segments_of_a_byte(struct guest_world *w)
{
	LIE(size_max, 1);
	return refuses_config(w);
}
/* QEMU's storage daemon: taken for no bound at all. */
static bool segments_of_nothing(struct guest_world *w)
{
	honest = w->ops;
	w->ops.config_read = false_config;
	LIE(size_max, 0);
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_OK &&
	       guest_world_one(w, PVROM_BLK_T_OUT, 0, 0, 4096) == PVROM_BLK_GUEST_OK;
}
static bool no_queues(struct guest_world *w)
{
	LIE(num_queues, 0);
	return refuses_config(w);
}
static bool more_sectors_than_bytes(struct guest_world *w)
{
	LIE(capacity, UINT64_MAX);
	return refuses_config(w);
}

static uint32_t restless(struct pvrom_virtio *virtio)
{
	return ++((struct guest_world *)virtio)->generation;
}
static bool configuration_never_holds_still(struct guest_world *w)
{
	w->ops.generation = restless;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_MALFORMED;
}
/* Many queues are promised; there are as many as there are. */
static bool queues_that_are_not_there(struct guest_world *w)
{
	honest = w->ops;
	w->ops.config_read = false_config;
	LIE(num_queues, 60000);
	return guest_world_begin(w, &(struct pvrom_blk_guest_config){ .queues = 60000 }) ==
	       PVROM_VIRTIO_MALFORMED;
}

/* ---- the beginning ----------------------------------------------------------------------------------- */

static uint32_t status_never_0(struct pvrom_virtio *virtio)
{
	return ((struct guest_world *)virtio)->status | 1;
}
static bool reset_that_never_ends(struct guest_world *w)
{
	w->ops.status = status_never_0;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_STUCK;
}
static uint32_t no_features_ok(struct pvrom_virtio *virtio)
{
	return ((struct guest_world *)virtio)->status & ~PVROM_VIRTIO_FEATURES_OK;
}
static bool features_refused(struct guest_world *w)
{
	w->ops.status = no_features_ok;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_FEATURES && !w->virtio.accepted &&
	       (w->status & PVROM_VIRTIO_FAILED);
}
static bool before_version_1(struct guest_world *w)
{
	w->ring_features = 0;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_FEATURES;
}
static bool addresses_of_its_own(struct guest_world *w)
{
	w->offered_too = PVROM_VIRTIO_F_ACCESS_PLATFORM;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_FEATURES;
}
static bool another_kind(struct guest_world *w)
{
	w->virtio.id = 1;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_NO_DEVICE && !w->status;
}
static bool queue_of_no_length(struct guest_world *w)
{
	w->longest = 0;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_MALFORMED;
}
/* Lengths that are none are cut to what is: no memory is asked for that the settings do not say. */
static bool queue_of_any_length(struct guest_world *w)
{
	struct pvrom_virtio_memory m;

	w->longest = 0xffffffff;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_OK &&
	       pvrom_blk_guest_memory(&w->blk, 0, &m) && m.size == 128;
}
static bool start_refused(struct pvrom_virtio *virtio, uint32_t queue,
			  const struct pvrom_virtio_queue *where)
{
	(void)virtio;
	(void)queue;
	(void)where;
	return false;
}
static bool queue_refused(struct guest_world *w)
{
	w->ops.queue_start = start_refused;
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_MALFORMED;
}

/* ---- answers ------------------------------------------------------------------------------------------- */

static uint32_t finished;

static void note(struct pvrom_blk_guest_request *request)
{
	(void)request;
	finished++;
}

/* One request in flight, which the device does not see: the test is the device. */
struct one {
	struct pvrom_blk_guest_piece piece;
	struct pvrom_blk_guest_request request;
};

static bool send(struct guest_world *w, struct one *o, uint32_t type, uint8_t *at)
{
	o->piece = (struct pvrom_blk_guest_piece){ GW_DATA, at, 512, 0 };
	o->request = (struct pvrom_blk_guest_request){
		.type = type, .piece = &o->piece, .pieces = 1, .done = note
	};
	finished = 0;
	if (pvrom_blk_guest_submit(&w->queue[0], &o->request))
		return false;
	pvrom_blk_guest_kick(&w->queue[0]);
	return true;
}

/* Answers as the device of a split queue does: entry n of the used ring. */
static void use(struct guest_world *w, uint16_t n, uint32_t id, uint32_t len)
{
	struct pvrom_vq_used *used = w->queue[0].ring.config.device;

	used->ring[n] = (struct pvrom_vq_used_elem){ id, len };
	used->idx = (uint16_t)(n + 1);
}

static bool begun(struct guest_world *w)
{
	return guest_world_begin(w, NULL) == PVROM_VIRTIO_OK;
}

static bool answered(struct guest_world *w, uint32_t type, uint8_t status, uint32_t len,
		     enum pvrom_blk_guest_result wanted)
{
	bool broken = false;
	struct one o;

	if (!begun(w) || !send(w, &o, type, NULL))
		return false;
	w->queue[0].shared[0].status = status;
	use(w, 0, 0, len);
	return pvrom_blk_guest_poll(&w->queue[0], 9, &broken) == 1 && finished == 1 && !broken &&
	       o.request.result == wanted;
}

static bool status_that_is_none(struct guest_world *w)
{
	return answered(w, PVROM_BLK_T_OUT, 0x77, 1, PVROM_BLK_GUEST_FAILED) &&
	       w->queue[0].bad_status == 1;
}
static bool status_not_written(struct guest_world *w)
{
	return answered(w, PVROM_BLK_T_OUT, 0xff, 1, PVROM_BLK_GUEST_FAILED);
}
static bool read_of_nothing(struct guest_world *w)
{
	return answered(w, PVROM_BLK_T_IN, 0, 0, PVROM_BLK_GUEST_SHORT) && w->queue[0].shorts == 1;
}
static bool read_of_a_byte_less(struct guest_world *w)
{
	return answered(w, PVROM_BLK_T_IN, 0, 512, PVROM_BLK_GUEST_SHORT);
}
static bool read_of_more_than_there_is_room(struct guest_world *w)
{
	return answered(w, PVROM_BLK_T_IN, 0, 0xffffffff, PVROM_BLK_GUEST_OK);
}
/* Old bytes in the bounce buffer, of another request perhaps, do not reach the caller. */
static bool short_read_leaks_nothing(struct guest_world *w)
{
	const struct pvrom_blk_guest_config settings = { .bounce = 4096 };
	uint8_t data[512] = { 0 };
	bool broken = false;
	struct one o;

	if (guest_world_begin(w, &settings) || !send(w, &o, PVROM_BLK_T_IN, data))
		return false;
	memset(w->queue[0].bounce, 0x5a, 512);
	w->queue[0].shared[0].status = 0;
	use(w, 0, 0, 100);
	return pvrom_blk_guest_poll(&w->queue[0], 9, &broken) == 1 && !data[0] && !data[511];
}
/* The status changes after it was read. */
static bool status_changes_its_mind(struct guest_world *w)
{
	bool broken = false;
	struct one o;

	if (!begun(w) || !send(w, &o, PVROM_BLK_T_OUT, NULL))
		return false;
	w->queue[0].shared[0].status = PVROM_BLK_S_IOERR;
	use(w, 0, 0, 1);
	pvrom_blk_guest_poll(&w->queue[0], 9, &broken);
	w->queue[0].shared[0].status = 0;
	return o.request.result == PVROM_BLK_GUEST_FAILED && finished == 1;
}
static bool answered_twice(struct guest_world *w)
{
	bool broken = false;
	struct one o;

	if (!begun(w) || !send(w, &o, PVROM_BLK_T_OUT, NULL))
		return false;
	use(w, 0, 0, 1);
	use(w, 1, 0, 1);
	pvrom_blk_guest_poll(&w->queue[0], 9, &broken);
	return broken && finished <= 1 && w->queue[0].in_flight == 1 - finished;
}
/* The header and all else that the device can write: nothing of it is read back. */
static bool everything_shared_overwritten(struct guest_world *w)
{
	bool broken = false;
	struct one o;

	if (!begun(w) || !send(w, &o, PVROM_BLK_T_IN, NULL))
		return false;
	memset(w->memory, 0xff, GW_DATA);
	memset(w->queue[0].ring.config.device, 0, 64);
	w->queue[0].shared[0].status = 0;
	use(w, 0, 0, 513);
	return pvrom_blk_guest_poll(&w->queue[0], 9, &broken) == 1 && !broken &&
	       o.request.result == PVROM_BLK_GUEST_OK;
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static bool no_work_for_the_broken(struct guest_world *w)
{
	bool broken = false;
	struct one o, more;

	if (!begun(w) || !send(w, &o, PVROM_BLK_T_OUT, NULL))
		return false;
	use(w, 0, 7777, 1);
	pvrom_blk_guest_poll(&w->queue[0], 9, &broken);
	if (!broken || finished)
		return false;
	more = o;
	more.request.type = PVROM_BLK_T_DISCARD; /* says UNSUPPORTED of a device that is well */
	return pvrom_blk_guest_submit(&w->queue[0], &more.request) == PVROM_BLK_GUEST_BROKEN;
}
static bool broken_gives_everything_back(struct guest_world *w)
{
	bool broken = false;
	struct one o;

	if (!begun(w) || !send(w, &o, PVROM_BLK_T_OUT, NULL))
		return false;
	use(w, 0, 7777, 1);
	pvrom_blk_guest_poll(&w->queue[0], 9, &broken);
	return broken && pvrom_blk_guest_stop(&w->blk) == PVROM_VIRTIO_OK && finished == 1 &&
	       o.request.result == PVROM_BLK_GUEST_CANCELLED && !w->queue[0].in_flight &&
	       begun(w) && guest_world_one(w, PVROM_BLK_T_OUT, 0, 0, 512) == PVROM_BLK_GUEST_OK;
}
static bool never_answered(struct guest_world *w)
{
	bool broken = false;
	struct one o;

	return begun(w) && send(w, &o, PVROM_BLK_T_OUT, NULL) &&
	       !pvrom_blk_guest_poll(&w->queue[0], 9, &broken) && !broken &&
	       pvrom_blk_guest_stop(&w->blk) == PVROM_VIRTIO_OK && finished == 1;
}
static bool stuck_keeps_the_memory(struct guest_world *w)
{
	struct one o;

	if (!begun(w) || !send(w, &o, PVROM_BLK_T_IN, NULL))
		return false;
	w->ops.status = status_never_0;
	return pvrom_blk_guest_stop(&w->blk) == PVROM_VIRTIO_STUCK && finished == 1 &&
	       o.request.result == PVROM_BLK_GUEST_STUCK;
}
static bool wants_a_reset(struct guest_world *w)
{
	if (!begun(w))
		return false;
	w->status |= PVROM_VIRTIO_NEEDS_RESET;
	return pvrom_blk_guest_changed(&w->blk) == PVROM_BLK_GUEST_BROKEN;
}
static bool grows_beyond_measure(struct guest_world *w)
{
	if (!begun(w))
		return false;
	honest = w->ops;
	w->ops.config_read = false_config;
	LIE(capacity, UINT64_MAX);
	return pvrom_blk_guest_changed(&w->blk) == PVROM_BLK_GUEST_BROKEN &&
	       w->blk.sectors == GW_SECTORS;
}
static bool cache_that_cannot_be_switched(struct guest_world *w)
{
	if (!begun(w))
		return false;
	honest = w->ops;
	w->ops.config_read = false_config;
	LIE(writeback, 1);
	return pvrom_blk_guest_set_writeback(&w->blk, false) == PVROM_BLK_GUEST_FAILED &&
	       w->blk.writeback;
}

/* ---- running them ---------------------------------------------------------------------------------------- */

static const struct hostile {
	const char *name;
	bool (*run)(struct guest_world *w);
	uint32_t check;
} cases[] = {
#define CASE(run, check)                                                                           \
	{                                                                                          \
#run, run, check                                                                   \
	}
	CASE(no_segments, CHECK(CONFIG_SEGMENTS)),
	CASE(segments_of_a_byte, CHECK(CONFIG_BYTES)),
	CASE(segments_of_nothing, NO_CHECK),
	CASE(no_queues, CHECK(CONFIG_QUEUES)),
	CASE(more_sectors_than_bytes, CHECK(CONFIG_SECTORS)),
	CASE(configuration_never_holds_still, NO_CHECK),
	CASE(queues_that_are_not_there, NO_CHECK),
	CASE(reset_that_never_ends, NO_CHECK),
	CASE(features_refused, NO_CHECK),
	CASE(before_version_1, NO_CHECK),
	CASE(addresses_of_its_own, NO_CHECK),
	CASE(another_kind, NO_CHECK),
	CASE(queue_of_no_length, NO_CHECK),
	CASE(queue_of_any_length, NO_CHECK),
	CASE(queue_refused, NO_CHECK),
	CASE(status_that_is_none, CHECK(STATUS_VALUE)),
	CASE(status_not_written, CHECK(STATUS_VALUE)),
	CASE(read_of_nothing, CHECK(READ_SHORT)),
	CASE(read_of_a_byte_less, CHECK(READ_SHORT)),
	CASE(read_of_more_than_there_is_room, NO_CHECK),
	CASE(short_read_leaks_nothing, CHECK(READ_SHORT)),
	CASE(status_changes_its_mind, NO_CHECK),
	CASE(answered_twice, NO_CHECK),
	CASE(everything_shared_overwritten, NO_CHECK),
	CASE(no_work_for_the_broken, CHECK(BROKEN_SUBMIT)),
	CASE(broken_gives_everything_back, NO_CHECK),
	CASE(never_answered, NO_CHECK),
	CASE(stuck_keeps_the_memory, CHECK(STUCK_MEMORY)),
	CASE(wants_a_reset, CHECK(NEEDS_RESET)),
	CASE(grows_beyond_measure, CHECK(CONFIG_SECTORS)),
	CASE(cache_that_cannot_be_switched, NO_CHECK),
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static bool run_case(const struct hostile *h)
{
	struct guest_world w;
	bool good;

	guest_world_open(&w,
			 h->run == no_queues || h->run == queues_that_are_not_there
				 ? &(struct pvrom_blk_host_setup){ .queues = 2, .size_max = 4096 }
				 : &sized,
			 0);
	good = h->run(&w);
	guest_world_close(&w);
	return good;
}

static void every_device_is_survived(void)
{
	size_t i;

	for (i = 0; i < CASES; i++) {
		const bool good = run_case(&cases[i]);

		if (!good)
			tap_note("%s", cases[i].name);
		CU_ASSERT_TRUE(good);
	}
}

static void each_check_is_needed(void)
{
	bool noticed[32] = { false };
	size_t i;

	for (i = 0; i < CASES; i++) {
		if (!cases[i].check)
			continue;
		pvrom_blk_guest_check_off = cases[i].check;
		noticed[cases[i].check] = true;
		if (run_case(&cases[i])) {
			tap_note("%s passes without its check", cases[i].name);
			CU_FAIL("a case that proves nothing");
		}
	}
	pvrom_blk_guest_check_off = 0;
#define NOTICED(NAME, number, text) CU_ASSERT_TRUE(noticed[number]);
	PVROM_BLK_GUEST_CHECK_TABLE(NOTICED)
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "31 hostile devices", every_device_is_survived },
		{ "each check is needed", each_check_is_needed },
		{ 0 },
	};

	_Static_assert(CASES == 31, "as the name says");
	return tap_run("blk devices", tests);
}
