/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The virtio devices of a saved machine (monitor/saved_virtio.c), loaded from a file of which any byte may be another:
 * it is refused, or taken whole, and never believed. With the sanitizers a truth value that is none would show.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../monitor/interrupts.h"
#include "../../monitor/saved_machine.h"
#include "../../monitor/virtio_device.h"
#include "../cunit_tap.h"

#include <pvrom/virtqueue_device.h>

#define MEMORY 0x10000u
#define QUEUES 3u
#define KIND_BYTES 8u

static uint8_t memory[MEMORY] __attribute__((aligned(4096)));
static struct vm vm;
static struct options options = { .load = (char *)(uintptr_t) "file",
				  .save = (char *)(uintptr_t) "file",
				  .cpus = 2 };
static struct virtio_device device;
static struct pvrom_vq_device ring[QUEUES];
static struct pvrom_vq_device_slot slots[QUEUES][256];
static jmp_buf refused;
static unsigned int routes;

/* ---- what the file is about -------------------------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	if (gpa.gpa >= MEMORY)
		return NULL;
	if (*len > MEMORY - gpa.gpa)
		*len = MEMORY - gpa.gpa;
	return memory + gpa.gpa;
}

static bool take_features(struct virtio_device *d, uint64_t features)
{
	(void)d;
	return features & PVROM_VQ_F_VERSION_1;
}

static bool queue_start(struct virtio_device *d, struct virtio_queue *queue)
{
	static const struct pvrom_vq_device_ops ops = { .translate = translate };
	const struct pvrom_vq_device_config config = { .ops = &ops,
						       .features = d->features,
						       .size = queue->size,
						       .desc = { queue->desc_gpa },
						       .driver = { queue->driver_gpa },
						       .device = { queue->device_gpa },
						       .slots = slots[queue->index] };

	return queue->size && queue->size <= 256 &&
	       pvrom_vq_device_init(&ring[queue->index], &config) == PVROM_VQ_OK;
}

static void queue_stop(struct virtio_device *d, struct virtio_queue *queue)
{
	(void)d;
	(void)queue;
}

static struct pvrom_vq_device *ring_of(struct virtio_device *d, unsigned int index)
{
	(void)d;
	return &ring[index];
}

static size_t save(struct virtio_device *d, void *buffer, size_t room)
{
	(void)d;
	memset(buffer, 7, room < KIND_BYTES ? room : KIND_BYTES);
	return KIND_BYTES;
}

static bool load(struct virtio_device *d, const void *buffer, size_t size)
{
	static const uint8_t same[KIND_BYTES] = { 7, 7, 7, 7, 7, 7, 7, 7 };

	(void)d;
	return size == KIND_BYTES && !memcmp(buffer, same, KIND_BYTES);
}

static const struct virtio_kind kind = { .id = 1,
					 .accept = take_features,
					 .queue_start = queue_start,
					 .queue_stop = queue_stop,
					 .ring = ring_of,
					 .save = save,
					 .load = load };

/* ---- what the rest of pvrun does ----------------------------------------------------------------------------- */

uint64_t virtio_offered(struct virtio_device *d)
{
	(void)d;
	return PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_EVENT_IDX;
}

void virtio_used(struct virtio_device *d)
{
	(void)d;
}

bool virtio_queue_used(struct virtio_queue *queue)
{
	(void)queue;
	return true;
}

void virtio_changed(struct virtio_device *d)
{
	(void)d;
}

void device_thread_do(struct device_thread *thread, void (*run)(void *argument), void *argument)
{
	(void)thread;
	run(argument);
}

void interrupts_message(struct vm *machine, unsigned int message, uint8_t vector, uint32_t vcpu)
{
	(void)machine;
	(void)message;
	(void)vector;
	CU_ASSERT(vcpu < options.cpus);
	routes++;
}

void fail(int status, const char *format, ...)
{
	CU_ASSERT_EQUAL(status, EXIT_CANNOT_RUN);
	(void)format;
	longjmp(refused, 1);
}

/* ---- the cases ------------------------------------------------------------------------------------------------- */

static void fresh_device(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(&device, 0, sizeof(device));
	vm.opt = &options;
	vm.virtio_count = 1;
	vm.virtio[0] = &device;
	device.kind = &kind;
	device.vm = &vm;
	device.queues = QUEUES;
	for (uint32_t i = 0; i < QUEUES; i++)
		device.queue[i] = (struct virtio_queue){ .device = &device, .index = i };
}

/* A device at work: two queues of three, one with a message of its own. */
static void work(void)
{
	fresh_device();
	device.features = PVROM_VQ_F_VERSION_1;
	device.status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	for (uint32_t i = 0; i < 2; i++) {
		struct virtio_queue *q = &device.queue[i];

		q->size = 16;
		q->desc_gpa = 0x4000ull * i;
		q->driver_gpa = q->desc_gpa + 0x1000;
		q->device_gpa = q->desc_gpa + 0x2000;
		q->ready = q->started = queue_start(&device, q);
	}
	device.queue[1].has_vector = true;
	device.on_bus = true;
	vm.routes.message[MESSAGE_OF(0, 1)] = (struct route){ true, false, 0x41, 1 };
}

static size_t write_file(uint8_t **bytes)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	work();
	saved_put_virtio(&vm, file);
	fclose(file);
	*bytes = (uint8_t *)text;
	return size;
}

/* false: it is refused. */
static bool read_file(uint8_t *bytes, size_t size)
{
	FILE *volatile file = fmemopen(bytes, size, "r");
	volatile bool taken = false;

	fresh_device();
	routes = 0;
	if (!setjmp(refused)) {
		saved_take_virtio(&vm, file);
		taken = true;
	}
	fclose(file);
	return taken;
}

static void comes_back_as_it_was(void)
{
	uint8_t *bytes;
	const size_t size = write_file(&bytes);

	CU_ASSERT(read_file(bytes, size));
	CU_ASSERT(device.queue[0].started && device.queue[1].started && !device.queue[2].started);
	CU_ASSERT(device.queue[1].has_vector && !device.queue[0].has_vector && routes == 1);
	CU_ASSERT(device.on_bus);
	CU_ASSERT_EQUAL(device.queue[1].driver_gpa, 0x5000);
	CU_ASSERT(!read_file(bytes, size - 1));
	free(bytes);
}

/* Every byte, to each of some values; whatever is taken has queues that can be. */
static void any_byte_may_be_another(void)
{
	static const uint8_t values[] = { 0, 1, 2, 0x55, 0x80, 0xff };
	uint32_t taken = 0, not_taken = 0;
	uint8_t *bytes, before;
	const size_t size = write_file(&bytes);

	for (size_t i = 0; i < size; i++) {
		for (size_t v = 0; v < sizeof(values); v++) {
			before = bytes[i];
			bytes[i] = values[v];
			if (read_file(bytes, size))
				taken++;
			else
				not_taken++;
			bytes[i] = before;
		}
	}
	tap_note("%u taken, %u refused", taken, not_taken);
	CU_ASSERT(not_taken > 200);
	free(bytes);
}

/* One truth value turned round, as it is saved. */
static bool turn(unsigned int which)
{
	struct route *const route = vm.routes.message;

	switch (which) {
	case 0: device.has_vector = !device.has_vector; return true;
	case 1: device.queue[0].ready = !device.queue[0].ready; return true;
	case 2: device.queue[2].ready = !device.queue[2].ready; return true;
	case 3: device.queue[0].has_vector = !device.queue[0].has_vector; return true;
	case 4: route[MESSAGE_OF(0, 0)].routed = true; return true;
	case 5: route[MESSAGE_OF(0, 2)].masked = true; return true;
	case 6: route[MESSAGE_OF(0, VIRTIO_QUEUES)].routed = true; return true;
	case 7: ring[1].avail_wrap = !ring[1].avail_wrap; return true;
	case 8: ring[1].used_wrap = !ring[1].used_wrap; return true;
	case 9: device.on_bus = !device.on_bus; return true;
	default: return false;
	}
}

static size_t write_turned(uint8_t **bytes, unsigned int which)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	work();
	turn(which);
	saved_put_virtio(&vm, file);
	fclose(file);
	*bytes = (uint8_t *)text;
	return size;
}

/* The byte in which two files differ; -1: there is none, or several. */
static long differs_at(const uint8_t *a, const uint8_t *b, size_t size)
{
	long at = -1;

	for (size_t i = 0; i < size; i++) {
		if (a[i] == b[i])
			continue;
		if (at >= 0)
			return -1;
		at = (long)i;
	}
	return at;
}

static void a_truth_value_is_0_or_1(void)
{
	uint8_t *bytes, *turned;
	const size_t size = write_file(&bytes);

	for (unsigned int which = 0; turn(which); which++) {
		write_turned(&turned, which);
		const long at = differs_at(bytes, turned, size);

		CU_ASSERT_FATAL(at >= 0);
		turned[at] = 2;
		CU_ASSERT(!read_file(turned, size));
		free(turned);
	}
	free(bytes);
}

/* A CPU that there is not gets no message. */
static void messages_go_to_cpus_that_there_are(void)
{
	uint8_t *bytes;
	size_t size;

	options.cpus = 1;
	size = write_file(&bytes);
	CU_ASSERT(!read_file(bytes, size));
	options.cpus = 2;
	CU_ASSERT(read_file(bytes, size));
	free(bytes);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(comes_back_as_it_was),
		TAP_TEST(any_byte_may_be_another),
		TAP_TEST(a_truth_value_is_0_or_1),
		TAP_TEST(messages_go_to_cpus_that_there_are),
		{ 0 },
	};

	return tap_run("monitor.saved_virtio", tests);
}
