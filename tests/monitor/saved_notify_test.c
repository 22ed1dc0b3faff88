/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrun's disk, saved and loaded at each moment between a request and its end: whatever was on its way between driver
 * and device, bell or interrupt, is lost with the old machine, and the loaded one makes up for it. The disk is the
 * real one, with its thread; of KVM there are the files for bells and interrupts only, at which the test sits.
 */
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
#include "../../monitor/virtio_device.h"
#include "../cunit_tap.h"

#include <pvrom/blk.h>
#include <pvrom/dev.h>
#include <pvrom/virtio_mmio.h>
#include <pvrom/virtqueue_driver.h>

#define RAM 0x40000u
#define SIZE 128u /* of the queue */
#define DESC 0x1000u
#define DRIVER 0x2000u
#define DEVICE 0x3000u
#define HEADER(i) (0x10000u + (i)*16u)
#define STATUS(i) (0x18000u + (i))
#define DATA(i) (0x20000u + (i)*512u)
#define VECTOR 0x41u
#define LOOKS 100000u /* of 100 us: what a busy machine may take */

static uint8_t ram[RAM] __attribute__((aligned(4096))), kept[RAM];
static struct vm vm;
static char path[] = "/tmp/pvrom-saved-notify.XXXXXX";
static struct options options = { .load = (char *)(uintptr_t) "file",
				  .save = (char *)(uintptr_t) "file",
				  .cpus = 2 };
static struct disk_arg arg = { .path = path, .queues = 1 };
static struct virtio_device *disk;

/* The driver, which knows nothing of all this. */
static uint64_t features;
static bool messages; /* its interrupts are, by the bus; else they are the line's */
static struct pvrom_vq_driver vq;
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

static void begin_life(void)
{
	memset(&vm, 0, sizeof(vm));
	vm.opt = &options;
	virtio_bus_offer(&vm);
	vm.virtio[0] = disk = disk_create(&vm, &arg, 0);
	vm.virtio_count = 1;
}

/* The CPUs stand; what they had done when the device came to rest may be put in before and after it. */
static void rest(void)
{
	saved_pause_virtio(&vm);
}

static void save_and_load(void)
{
	char *file = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&file, &size);

	memcpy(kept, ram, sizeof(ram));
	saved_put_virtio(&vm, stream);
	fclose(stream);
	disk_destroy(disk);
	memcpy(ram, kept, sizeof(ram));
	begin_life();
	stream = fmemopen(file, size, "r");
	saved_take_virtio(&vm, stream);
	fclose(stream);
	free(file);
	CU_ASSERT(!messages || vm.routes.message[MESSAGE_OF(0, 0)].vector == VECTOR);
}

/* ---- the driver ------------------------------------------------------------------------------------------------------ */

static void set(uint32_t reg, uint32_t value)
{
	CU_ASSERT(virtio_mmio_access(&vm, VIRTIO_MMIO_BASE + reg, &value, sizeof(value), true));
}

static uint32_t get(uint32_t reg)
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
	set(PVROM_MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		set(PVROM_MMIO_DRIVER_FEATURES_SEL, half);
		set(PVROM_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * half));
	}
	set(PVROM_MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	CU_ASSERT(get(PVROM_MMIO_STATUS) & VIRTIO_FEATURES_OK);
}

static void set_queue(void)
{
	const struct pvrom_vq_driver_config config = { .features = features,
						       .size = SIZE,
						       .desc = ram + DESC,
						       .driver = ram + DRIVER,
						       .device = ram + DEVICE,
						       .slots = slots };

	CU_ASSERT_EQUAL(pvrom_vq_driver_init(&vq, &config), PVROM_VQ_OK);
	set(PVROM_MMIO_QUEUE_SEL, 0);
	set(PVROM_MMIO_QUEUE_NUM, SIZE);
	set(PVROM_MMIO_QUEUE_DESC, DESC);
	set(PVROM_MMIO_QUEUE_DRIVER, DRIVER);
	set(PVROM_MMIO_QUEUE_DEVICE, DEVICE);
	set(PVROM_MMIO_QUEUE_READY, 1);
	if (!messages)
		return;
	ask_bus(PVROM_DEV_OP_QUEUE_INTERRUPT, VECTOR);
	ask_bus(PVROM_DEV_OP_CONFIG_INTERRUPT, VECTOR + 1);
}

static void begin(void)
{
	memset(ram, 0, sizeof(ram));
	begin_life();
	set_features();
	set_queue();
	set(PVROM_MMIO_STATUS,
	    VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static void end(void)
{
	disk_destroy(disk);
}

/* Shows a read to the device; true: it wants its bell. */
static bool show(uint32_t i)
{
	const struct pvrom_vq_buf buf[] = { { HEADER(i), 16, 0 },
					    { DATA(i), 512, 0 },
					    { STATUS(i), 1, 0 } };

	*(struct pvrom_blk_header *)(void *)(ram + HEADER(i)) =
		(struct pvrom_blk_header){ .sector = i };
	ram[STATUS(i)] = 0xff;
	number[i] = i;
	CU_ASSERT_EQUAL(pvrom_vq_driver_add(&vq, buf, 1, 2, &number[i]), PVROM_VQ_OK);
	return pvrom_vq_driver_publish(&vq);
}

static void ring(void)
{
	irqfd_raise(disk->queue[0].notified.fd);
}

static bool is_used(void)
{
	unsigned int looks = LOOKS;

	while (!pvrom_vq_driver_pending(&vq) && looks-- > 0)
		usleep(100);
	return pvrom_vq_driver_pending(&vq);
}

/* That request is done, and the next to be taken. */
static bool take(uint32_t i)
{
	struct pvrom_vq_done done;

	return is_used() && pvrom_vq_driver_get(&vq, &done) == PVROM_VQ_OK &&
	       done.token == &number[i] && ram[STATUS(i)] == PVROM_BLK_S_OK &&
	       ram[DATA(i)] == (uint8_t)(i + 1);
}

/* An interrupt by that file. */
static bool interrupted(int fd)
{
	unsigned int looks = LOOKS;
	uint64_t count;

	while (read(fd, &count, sizeof(count)) != sizeof(count))
		if (looks-- == 0)
			return false;
		else
			usleep(100);
	return true;
}

static int interrupt_file(void)
{
	return messages ? disk->queue[0].message_fd : disk->line_fd;
}

static void look_for_more(void *argument)
{
	*(bool *)argument = disk->queue[0].pending;
}

/* Until the device has looked, and found nothing more. */
static void settle(void)
{
	unsigned int looks = LOOKS;
	bool more = true;

	while (more && looks-- > 0)
		device_thread_do(&disk->thread, look_for_more, &more);
	CU_ASSERT(!more);
}

/* ---- moments ---------------------------------------------------------------------------------------------------------- */

static void look_at_ring(void *argument)
{
	*(uint32_t *)argument = pvrom_vq_device_in_flight(disk->kind->ring(disk, 0));
}

static uint32_t in_work(void)
{
	uint32_t n;

	device_thread_do(&disk->thread, look_at_ring, &n);
	return n;
}

static void switch_bell_off(void *argument)
{
	(void)argument;
	pvrom_vq_device_notifications_off(disk->kind->ring(disk, 0));
}

static void change(void *argument)
{
	(void)argument;
	virtio_changed(disk);
}

/* The CPU stopped between the ring and the bell. It rings when it goes on, which is once too often. */
static void shown(void)
{
	rest();
	show(0);
	save_and_load();
	CU_ASSERT(take(0));
	ring();
	settle();
	CU_ASSERT(!pvrom_vq_driver_pending(&vq));
}

/* The bell was rung and its thread had not yet looked. */
static void rung(void)
{
	rest();
	show(0);
	ring();
	save_and_load();
	CU_ASSERT(take(0));
}

/* Used, and the interrupt went to a local APIC that had been saved before. */
static void used(void)
{
	CU_ASSERT(!pvrom_vq_driver_interrupts_on(&vq, 1));
	show(0);
	ring();
	CU_ASSERT(is_used() && interrupted(interrupt_file()));
	rest();
	save_and_load();
	CU_ASSERT(interrupted(interrupt_file()));
	CU_ASSERT(messages || (get(PVROM_MMIO_INTERRUPT_STATUS) & 1));
	set(PVROM_MMIO_INTERRUPT_ACK, 1);
	CU_ASSERT_EQUAL(get(PVROM_MMIO_INTERRUPT_STATUS), 0);
	CU_ASSERT(take(0));
}

/* At a byte a second the next one waits for minutes, but is done because the machine is saved. */
static void held(void)
{
	CU_ASSERT(!pvrom_vq_driver_interrupts_on(&vq, 1));
	show(0);
	ring();
	CU_ASSERT(take(0) && interrupted(interrupt_file()));
	pvrom_vq_driver_interrupts_on(&vq, 1);
	set(PVROM_MMIO_INTERRUPT_ACK, 1);
	show(1);
	ring();
	for (unsigned int looks = LOOKS; in_work() == 0 && looks-- > 0;)
		usleep(100);
	CU_ASSERT(!pvrom_vq_driver_pending(&vq));
	rest();
	CU_ASSERT(pvrom_vq_driver_pending(&vq));
	save_and_load();
	CU_ASSERT(interrupted(interrupt_file()));
	CU_ASSERT(messages || (get(PVROM_MMIO_INTERRUPT_STATUS) & 1));
	CU_ASSERT(take(1));
}

/* The device had just begun to take buffers, its bell off: it is on again when the loaded one has found no more. */
static void bell_off(void)
{
	rest();
	device_thread_do(&disk->thread, switch_bell_off, NULL);
	save_and_load();
	settle();
	CU_ASSERT(show(0));
	ring();
	CU_ASSERT(take(0));
}

/* A change that was on its way to the driver. */
static void changed(void)
{
	const uint32_t generation = get(PVROM_MMIO_CONFIG_GENERATION);

	device_thread_do(&disk->thread, change, NULL);
	CU_ASSERT(interrupted(messages ? disk->message_fd : disk->line_fd));
	rest();
	save_and_load();
	CU_ASSERT(interrupted(messages ? disk->message_fd : disk->line_fd));
	CU_ASSERT(messages || (get(PVROM_MMIO_INTERRUPT_STATUS) & 2));
	CU_ASSERT(get(PVROM_MMIO_CONFIG_GENERATION) != generation);
}

/* Everything again and again, with bells when they are wanted and interrupts when they come. */
static void goes_on(void)
{
	for (uint32_t i = 0; i < 60; i++) {
		if (i % 20 == 10) {
			rest();
			save_and_load();
		}
		if (show(i))
			ring();
		while (!pvrom_vq_driver_interrupts_on(&vq, 1))
			CU_ASSERT_FATAL(interrupted(interrupt_file()));
		set(PVROM_MMIO_INTERRUPT_ACK, 3);
		CU_ASSERT(take(i));
	}
}

/* ---- for each kind of ring and of interrupt ----------------------------------------------------------------------------- */

static void each(void (*moment)(void))
{
	static const uint64_t forms[] = { 0, PVROM_VQ_F_EVENT_IDX, PVROM_VQ_F_RING_PACKED,
					  PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX };

	for (unsigned int i = 0; i < 8; i++) {
		features = PVROM_VQ_F_VERSION_1 | forms[i % 4];
		messages = i >= 4;
		begin();
		moment();
		end();
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
	arg.bps = 1;
	each(held);
	arg.bps = 0;
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

/* Sectors that can be told from each other. */
static bool make_disk(void)
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

	if (!make_disk())
		return 2;
	status = tap_run("monitor.saved_notify", tests);
	unlink(path);
	return status;
}
