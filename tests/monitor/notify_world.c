/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What saved_notify_test.c is played in: the disk is pvrun's, with its thread; of the rest of pvrun there is as much as
 * that needs, of KVM the files for bells and interrupts only, at which the driver sits.
 */
#include "notify_world.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../monitor/disk.h"
#include "../../monitor/guest_memory.h"
#include "../../monitor/interrupts.h"
#include "../../monitor/pc_devices.h"
#include "../../monitor/pvrom_glue.h"
#include "../../monitor/saved_machine.h"
#include "../cunit_tap.h"

#include <pvrom/blk.h>
#include <pvrom/dev.h>
#include <pvrom/virtio_mmio.h>

#define RAM 0x40000u
#define SIZE 128u /* of the queue */
#define DESC 0x1000u
#define DRIVER 0x2000u
#define DEVICE 0x3000u
#define HEADER(i) (0x10000u + (i)*16u)
#define STATUS(i) (0x18000u + (i))
#define DATA(i) (0x20000u + (i)*512u)
#define VECTOR 0x41u

static uint8_t ram[RAM] __attribute__((aligned(4096))), kept[RAM];
static struct vm vm;
static char path[] = "/tmp/pvrom-saved-notify.XXXXXX";
static struct options options = { .load = (char *)(uintptr_t) "file",
				  .save = (char *)(uintptr_t) "file",
				  .cpus = 2 };
static struct disk_arg arg = { .path = path, .queues = 1 };
struct notify_world world;
static struct pvrom_vq_driver_slot slots[SIZE];
static uint32_t number[SIZE];

/* ---- what the rest of pvrun does, and KVM ------------------------------------------------------------------------- */

void *memory_span(const struct vm *machine, uint64_t gpa, uint64_t *len)
{
	(void)machine;
	if (gpa >= RAM)
		return NULL;
	if (*len > RAM - gpa)
		*len = RAM - gpa;
	return ram + gpa;
}

int irqfd_open(const struct vm *machine, uint32_t gsi)
{
	(void)machine;
	(void)gsi;
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int doorbell_open(const struct vm *machine, const struct doorbell *doorbell)
{
	(void)doorbell;
	return irqfd_open(machine, 0);
}

void doorbell_attach(const struct vm *machine, const struct doorbell *doorbell, int fd)
{
	(void)machine;
	(void)doorbell;
	(void)fd;
}

uint64_t doorbell_rung(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

void irqfd_raise(int fd)
{
	const uint64_t one = 1;

	CU_ASSERT_EQUAL(write(fd, &one, sizeof(one)), sizeof(one));
}

void interrupts_message(struct vm *machine, unsigned int message, uint8_t vector, uint32_t vcpu)
{
	machine->routes.message[message] = (struct route){ vector != 0, false, vector, vcpu };
}

unsigned int options_devices(const struct options *opt)
{
	(void)opt;
	return 1;
}

uint64_t bus_bug_kind(uint32_t device, uint64_t kind)
{
	(void)device;
	return kind;
}

uint64_t bus_bug_value(uint32_t device, uint32_t op, uint64_t value)
{
	(void)device;
	(void)op;
	return value;
}

void fail(int status, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	exit(status);
}

/* ---- lives of the machine ------------------------------------------------------------------------------------------- */

/* Sectors that can be told from each other. */
bool world_open(void)
{
	uint8_t sector[512];
	const int fd = mkstemp(path);
	bool made = fd >= 0;

	for (unsigned int i = 0; i < SIZE && made; i++) {
		memset(sector, (int)i + 1, sizeof(sector));
		made = write(fd, sector, sizeof(sector)) == sizeof(sector);
	}
	close(fd);
	return made;
}

void world_close(void)
{
	unlink(path);
}

static void begin_life(void)
{
	memset(&vm, 0, sizeof(vm));
	vm.opt = &options;
	virtio_bus_offer(&vm);
	vm.virtio[0] = world.disk = disk_create(&vm, &arg, 0);
	vm.virtio_count = 1;
}

void world_rest(void)
{
	saved_pause_virtio(&vm);
}

void world_reload(void)
{
	char *file = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&file, &size);

	memcpy(kept, ram, sizeof(ram));
	saved_put_virtio(&vm, stream);
	fclose(stream);
	disk_destroy(world.disk);
	memcpy(ram, kept, sizeof(ram));
	begin_life();
	stream = fmemopen(file, size, "r");
	saved_take_virtio(&vm, stream);
	fclose(stream);
	free(file);
	CU_ASSERT(!world.messages || vm.routes.message[MESSAGE_OF(0, 0)].vector == VECTOR);
}

/* ---- the driver ------------------------------------------------------------------------------------------------------ */

void driver_set(uint32_t reg, uint32_t value)
{
	CU_ASSERT(virtio_mmio_access(&vm, VIRTIO_MMIO_BASE + reg, &value, sizeof(value), true));
}

uint32_t driver_get(uint32_t reg)
{
	uint32_t value = 0;

	CU_ASSERT(virtio_mmio_access(&vm, VIRTIO_MMIO_BASE + reg, &value, sizeof(value), false));
	return value;
}

static void ask_bus(uint32_t op, uint64_t word)
{
	uint64_t value;

	CU_ASSERT_EQUAL(vm.bus.ops->configure(&vm, 0, op, 0, word, &value), PVROM_STATUS_OK);
}

static void set_features(void)
{
	driver_set(PVROM_MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		driver_set(PVROM_MMIO_DRIVER_FEATURES_SEL, half);
		driver_set(PVROM_MMIO_DRIVER_FEATURES, (uint32_t)(world.features >> 32 * half));
	}
	driver_set(PVROM_MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	CU_ASSERT(driver_get(PVROM_MMIO_STATUS) & VIRTIO_FEATURES_OK);
}

static void set_queue(void)
{
	const struct pvrom_vq_driver_config config = { .features = world.features,
						       .size = SIZE,
						       .desc = ram + DESC,
						       .driver = ram + DRIVER,
						       .device = ram + DEVICE,
						       .slots = slots };

	CU_ASSERT_EQUAL(pvrom_vq_driver_init(&world.vq, &config), PVROM_VQ_OK);
	driver_set(PVROM_MMIO_QUEUE_SEL, 0);
	driver_set(PVROM_MMIO_QUEUE_NUM, SIZE);
	driver_set(PVROM_MMIO_QUEUE_DESC, DESC);
	driver_set(PVROM_MMIO_QUEUE_DRIVER, DRIVER);
	driver_set(PVROM_MMIO_QUEUE_DEVICE, DEVICE);
	driver_set(PVROM_MMIO_QUEUE_READY, 1);
	if (!world.messages)
		return;
	ask_bus(PVROM_DEV_OP_QUEUE_INTERRUPT, VECTOR);
	ask_bus(PVROM_DEV_OP_CONFIG_INTERRUPT, VECTOR + 1);
}

void world_begin(uint64_t features, bool messages)
{
	world.features = features;
	world.messages = messages;
	memset(ram, 0, sizeof(ram));
	begin_life();
	set_features();
	set_queue();
	driver_set(PVROM_MMIO_STATUS,
		   VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

void world_end(void)
{
	disk_destroy(world.disk);
}

void world_limit(uint64_t bps)
{
	arg.bps = bps;
}

bool driver_show(uint32_t i)
{
	const struct pvrom_vq_buf buf[] = { { HEADER(i), 16, 0 },
					    { DATA(i), 512, 0 },
					    { STATUS(i), 1, 0 } };

	*(struct pvrom_blk_header *)(void *)(ram + HEADER(i)) =
		(struct pvrom_blk_header){ .sector = i };
	ram[STATUS(i)] = 0xff;
	number[i] = i;
	CU_ASSERT_EQUAL(pvrom_vq_driver_add(&world.vq, buf, 1, 2, &number[i]), PVROM_VQ_OK);
	return pvrom_vq_driver_publish(&world.vq);
}

void driver_ring(void)
{
	irqfd_raise(world.disk->queue[0].notified.fd);
}

bool driver_sees_used(void)
{
	unsigned int looks = WORLD_LOOKS;

	while (!pvrom_vq_driver_pending(&world.vq) && looks-- > 0)
		usleep(100);
	return pvrom_vq_driver_pending(&world.vq);
}

bool driver_take(uint32_t i)
{
	struct pvrom_vq_done done;

	return driver_sees_used() && pvrom_vq_driver_get(&world.vq, &done) == PVROM_VQ_OK &&
	       done.token == &number[i] && ram[STATUS(i)] == PVROM_BLK_S_OK &&
	       ram[DATA(i)] == (uint8_t)(i + 1);
}

static bool interrupted(int fd)
{
	unsigned int looks = WORLD_LOOKS;
	uint64_t count;

	while (read(fd, &count, sizeof(count)) != sizeof(count))
		if (looks-- == 0)
			return false;
		else
			usleep(100);
	return true;
}

bool driver_interrupted(void)
{
	return interrupted(world.messages ? world.disk->queue[0].message_fd : world.disk->line_fd);
}

bool driver_interrupted_by_change(void)
{
	return interrupted(world.messages ? world.disk->message_fd : world.disk->line_fd);
}

static void look_for_more(void *argument)
{
	*(bool *)argument = world.disk->queue[0].pending;
}

void world_settle(void)
{
	unsigned int looks = WORLD_LOOKS;
	bool more = true;

	while (more && looks-- > 0)
		device_thread_do(&world.disk->thread, look_for_more, &more);
	CU_ASSERT(!more);
}
