/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ACPI tables of the machine (ACPI 6.4): the CPUs, the I/O APIC, COM1, the virtio-mmio devices, and
 * how to switch the machine off and reset it. The hardware-reduced model: there is no power
 * management hardware but those two registers; with --s3 the other one (acpi_sleep.c). Beside them what stands at
 * the reset vector.
 *
 *   0xf0000  RSDP, where a guest also finds it that was told nothing (5.2.5.1)
 *   0xf0040  FACS, which the guest writes to, with --s3
 *   behind   XSDT -> FADT -> DSDT, FACS
 *                 -> MADT
 *   0xffff0  the reset vector
 */
#include "guest_memory.h"
#include "machine_sleep.h"
#include "pc_devices.h"

#include <stddef.h>
#include <string.h>

#include "acpi_parts.h"

#define TABLES_END 0xfffc0u /* of that alignment, and below this */
#define RESET_VECTOR 0xffff0u
#define ALIGNMENT 64u
#define LOCAL_APIC 0xfee00000u
#define IO_APIC 0xfec00000u
#define RESET_CONTROL 0xcf9u
#define RESET_COLD 0x06u

/* FADT (5.2.9). */
#define FADT_RESET_REGISTER (1u << 10)
#define FADT_HARDWARE_REDUCED (1u << 20)
#define BOOT_LEGACY_DEVICES 0x1u /* COM1 */
#define BOOT_NO_VGA 0x4u

/* MADT (5.2.12). */
#define MADT_LOCAL_APIC 0u
#define MADT_IO_APIC 1u
#define MADT_OVERRIDE 2u
#define MADT_LOCAL_NMI 4u
#define CPU_ENABLED 1u

struct rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __attribute__((packed));

struct table_head {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct fadt {
	struct table_head head;
	uint32_t facs, dsdt;
	uint8_t reserved0;
	uint8_t profile;
	struct acpi_hardware hardware;
	uint8_t day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_address x_hardware[ACPI_BLOCKS];
	struct acpi_address sleep_control, sleep_status;
	char hypervisor[8];
} __attribute__((packed));
_Static_assert(offsetof(struct fadt, boot_flags) == 109, "ACPI 6.4, table 5.9");
_Static_assert(offsetof(struct fadt, reset) == 116, "ACPI 6.4, table 5.9");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "ACPI 6.4, table 5.9");
_Static_assert(sizeof(struct fadt) == 276, "ACPI 6.4, table 5.9");

struct madt_head {
	struct table_head head;
	uint32_t local_apic;
	uint32_t flags;
} __attribute__((packed));

struct madt_cpu {
	uint8_t type, length, processor, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_io_apic {
	uint8_t type, length, id, reserved;
	uint32_t at, first_line;
} __attribute__((packed));

struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t line;
	uint16_t flags;
} __attribute__((packed));

struct madt_nmi {
	uint8_t type, length, processor;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

/* Guest memory for tables, taken from below. */
struct tables {
	struct vm *vm;
	uint64_t next;
};

static void *take(struct tables *tables, uint64_t size, uint64_t *at)
{
	*at = tables->next;
	if (size > TABLES_END - tables->next)
		fail(EXIT_CANNOT_RUN, "the ACPI tables do not fit their 64 KiB");
	tables->next = (tables->next + size + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
	return memory_at(tables->vm, *at, size);
}

/* What all bytes lack to the sum 0. */
static uint8_t missing_sum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + byte[i]);
	return (uint8_t)-sum;
}

static void seal(struct table_head *head, const char *signature, uint8_t revision, size_t size)
{
	memcpy(head->signature, signature, sizeof(head->signature));
	memcpy(head->oem, "PVROM ", sizeof(head->oem));
	memcpy(head->oem_table, "PVRUN   ", sizeof(head->oem_table));
	memcpy(head->creator, "PVRN", sizeof(head->creator));
	head->length = (uint32_t)size;
	head->revision = revision;
	head->oem_revision = head->creator_revision = 1;
	head->checksum = 0;
	head->checksum = missing_sum(head, size);
}

/* ---- DSDT: the devices -------------------------------------------------------------------------- */

static void describe_com1(struct aml *aml)
{
	size_t device = aml_device_begin(aml, "COM1"), resources;

	aml_name_id(aml, "_HID", "PNP0501");
	resources = aml_resources_begin(aml);
	aml_ports(aml, COM1_PORT, 8);
	aml_interrupt(aml, COM1_IRQ);
	aml_resources_end(aml, resources);
	aml_end(aml, device);
}

static void describe_virtio(struct aml *aml, unsigned int number)
{
	char name[] = { 'V', 'I', 'O', (char)('0' + number), '\0' };
	size_t device = aml_device_begin(aml, name), resources;

	aml_name_string(aml, "_HID", "LNRO0005");
	aml_name_number(aml, "_UID", number);
	resources = aml_resources_begin(aml);
	aml_memory(aml, VIRTIO_MMIO_BASE + number * VIRTIO_MMIO_SIZE, VIRTIO_MMIO_SIZE);
	aml_interrupt(aml, VIRTIO_MMIO_LINE + number);
	aml_resources_end(aml, resources);
	aml_end(aml, device);
}

static uint64_t put_dsdt(struct tables *tables)
{
	uint8_t text[2048];
	struct aml aml = { .data = text, .room = sizeof(text) };
	size_t scope, size;
	uint8_t *table;
	uint64_t at;

	acpi_sleep_type(&aml, "_S5_", SLEEP_OFF);
	if (tables->vm->opt->s3)
		acpi_sleep_type(&aml, "_S3_", SLEEP_S3);
	scope = aml_scope_begin(&aml, "_SB_");
	describe_com1(&aml);
	for (unsigned int i = 0; i < options_devices(tables->vm->opt); i++)
		describe_virtio(&aml, i);
	aml_end(&aml, scope);
	if (aml.overflow)
		fail(EXIT_CANNOT_RUN, "too many devices for the ACPI tables");
	size = sizeof(struct table_head) + aml.size;
	table = take(tables, size, &at);
	memcpy(table + sizeof(struct table_head), text, aml.size);
	seal((struct table_head *)table, "DSDT", 2, size);
	return at;
}

/* ---- FADT, MADT --------------------------------------------------------------------------------- */

static struct acpi_address port_at(uint16_t port)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_PORT, .bits = 8, .access = 1, .at = port
	};
}

static void choose_model(struct fadt *fadt, bool s3)
{
	if (s3) {
		fadt->flags |= acpi_sleep_flags();
		fadt->facs = ACPI_FACS;
		acpi_sleep_describe(&fadt->hardware, fadt->x_hardware);
	} else {
		fadt->flags |= FADT_HARDWARE_REDUCED;
		fadt->sleep_control = port_at(SLEEP_CONTROL_PORT);
		fadt->sleep_status = port_at(SLEEP_STATUS_PORT);
	}
}

static uint64_t put_fadt(struct tables *tables, uint64_t dsdt)
{
	uint64_t at;
	struct fadt *fadt = take(tables, sizeof(*fadt), &at);

	*fadt = (struct fadt){
		.dsdt = (uint32_t)dsdt,
		.x_dsdt = dsdt,
		.minor = 4,
		.boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA,
		.flags = FADT_RESET_REGISTER,
		.reset = port_at(RESET_CONTROL),
		.reset_value = RESET_COLD,
	};
	choose_model(fadt, tables->vm->opt->s3);
	seal(&fadt->head, "FACP", 6, sizeof(*fadt));
	return at;
}

static void put_cpus(struct madt_cpu *cpu, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		cpu[i] = (struct madt_cpu){ MADT_LOCAL_APIC, sizeof(*cpu), (uint8_t)i, (uint8_t)i,
					    CPU_ENABLED };
}

/* The CPUs, the I/O APIC, the PIT's line on pin 2, and NMI on LINT1 of every CPU. */
static uint64_t put_madt(struct tables *tables)
{
	struct {
		struct madt_io_apic io_apic;
		struct madt_override pit;
		struct madt_nmi nmi;
	} __attribute__((packed)) rest = {
		{ MADT_IO_APIC, sizeof(struct madt_io_apic), 0, 0, IO_APIC, 0 },
		{ MADT_OVERRIDE, sizeof(struct madt_override), 0, 0, 2, 0 },
		{ MADT_LOCAL_NMI, sizeof(struct madt_nmi), 0xff, 0, 1 },
	};
	unsigned int cpus = tables->vm->opt->cpus;
	size_t cpu_bytes = cpus * sizeof(struct madt_cpu);
	size_t size = sizeof(struct madt_head) + cpu_bytes + sizeof(rest);
	uint64_t at;
	uint8_t *table = take(tables, size, &at);
	struct madt_head *head = (struct madt_head *)table;

	head->local_apic = LOCAL_APIC;
	head->flags = 0;
	put_cpus((struct madt_cpu *)(table + sizeof(*head)), cpus);
	memcpy(table + sizeof(*head) + cpu_bytes, &rest, sizeof(rest));
	seal(&head->head, "APIC", 5, size);
	return at;
}

static uint64_t put_xsdt(struct tables *tables, uint64_t fadt, uint64_t madt)
{
	struct {
		struct table_head head;
		uint64_t table[2];
	} __attribute__((packed)) * xsdt;
	uint64_t at;

	xsdt = take(tables, sizeof(*xsdt), &at);
	xsdt->table[0] = fadt;
	xsdt->table[1] = madt;
	seal(&xsdt->head, "XSDT", 1, sizeof(*xsdt));
	return at;
}

/*
 * Where firmware would begin. Linux restarts a machine of this model by a call of EFI's, and without
 * EFI by a jump there in real mode: it never tries the reset register or the keyboard controller.
 */
static void put_reset_vector(struct vm *vm)
{
	/* mov al, 6; mov dx, 0xcf9; out dx, al; hlt; jmp to the hlt */
	static const uint8_t code[] = {
		0xb0, RESET_COLD, 0xba, RESET_CONTROL & 0xff, RESET_CONTROL >> 8, 0xee,
		0xf4, 0xeb,	  0xfd
	};

	memcpy(memory_at(vm, RESET_VECTOR, sizeof(code)), code, sizeof(code));
}

/* Puts the tables into the machine's memory, before its kernel is loaded. */
void acpi_tables_create(struct vm *vm)
{
	struct tables tables = { vm, ACPI_RSDP };
	uint64_t at, fadt;
	struct rsdp *rsdp = take(&tables, sizeof(*rsdp), &at);

	*rsdp = (struct rsdp){
		.signature = "RSD PTR ", .oem = "PVROM ", .revision = 2, .length = sizeof(*rsdp)
	};
	if (vm->opt->s3)
		acpi_sleep_facs(take(&tables, ACPI_FACS_BYTES, &at));
	fadt = put_fadt(&tables, put_dsdt(&tables));
	rsdp->xsdt = put_xsdt(&tables, fadt, put_madt(&tables));
	rsdp->checksum = missing_sum(rsdp, offsetof(struct rsdp, length));
	rsdp->checksum_all = missing_sum(rsdp, sizeof(*rsdp));
	put_reset_vector(vm);
}
