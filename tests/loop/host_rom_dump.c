/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Writes a ROM image to a file, and a line for each slot to standard output, for the script that
 * disassembles the image:
 *
 *	host_rom_dump FILE SLOTS FLAGS TRANSPORT
 *	name TAB form TAB text TAB size TAB template TAB size TAB properties TAB native form
 */
#include <pvrom/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../host/bugs.h"

static uint8_t image[65536];

/* Callbacks that must be there and are never called. */
static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	(void)gpa;
	(void)len;
	return NULL;
}

static void op_lock(void *ctx)
{
	(void)ctx;
}

static uint64_t op_tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	return vcpu;
}

static uint32_t op_irq_route(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu)
{
	(void)ctx;
	(void)source;
	return vector + vcpu;
}

static uint32_t op_irq_mask(void *ctx, uint64_t source, bool masked)
{
	(void)ctx;
	(void)source;
	return masked;
}

static void op_vcpu(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
}

static uint32_t op_irq_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	(void)ctx;
	(void)mask;
	return vector + base;
}

static uint32_t op_smp_start(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *state)
{
	(void)ctx;
	(void)state;
	return vcpu;
}

static uint32_t op_smp_kick(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	return vcpu;
}

static uint32_t op_alarm_set(void *ctx, uint32_t vcpu, uint64_t tsc, uint8_t vector)
{
	(void)ctx;
	(void)tsc;
	return vcpu + vector;
}

static const struct pvrom_host_ops ops = {
	.translate = op_translate,
	.lock = op_lock,
	.unlock = op_lock,
	.tsc = op_tsc,
	.irq_route = op_irq_route,
	.irq_mask = op_irq_mask,
	.irq_eoi = op_vcpu,
	.irq_send = op_irq_send,
	.smp_start = op_smp_start,
	.smp_kick = op_smp_kick,
	.alarm_set = op_alarm_set,
	.alarm_cancel = op_vcpu,
};
static const struct pvrom_host_feature *const features[] = {
	&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, NULL,
};

static const struct {
	uint32_t number, properties;
	const char *insn;
} calls[] = {
#define LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, properties, #native[0] == 'I' ? insn : "" },
	PVROM_CALL_TABLE(LINE)
};

static void print_slot(const struct pvrom_slot *slot)
{
	uint32_t i = 0;

	while (calls[i].number != slot->call)
		i++;
	printf("%s\t%u\t%u\t%u\t%u\t%u\t%u\t%s\n", pvrom_host_call_name(slot->call), slot->form,
	       slot->text, slot->text_size, slot->template_offset, slot->template_size,
	       calls[i].properties, calls[i].insn);
}

static void print_slots(void)
{
	struct pvrom_rom_header header;
	struct pvrom_slot slot;
	uint32_t i;

	memcpy(&header, image, sizeof(header));
	for (i = 0; i < header.slot_count; i++) {
		memcpy(&slot, image + header.slot_offset + i * sizeof(slot), sizeof(slot));
		print_slot(&slot);
	}
}

static int write_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "wb");
	int bad = !file || fwrite(image, 1, size, file) != size;

	return (file && fclose(file)) || bad;
}

int main(int argc, char **argv)
{
	struct pvrom_host_config config = {
		.ops = &ops,
		.features = features,
		.vcpus = 1,
	};
	struct pvrom_host_vcpu vcpu;
	struct pvrom_host host;
	size_t size;

	if (argc != 5)
		return 2;
#ifdef PVROM_TEST
	if (getenv("PVROM_BUG"))
		pvrom_host_bug = pvrom_host_bug_number(getenv("PVROM_BUG"));
#endif
	config.slots = (uint32_t)strtoul(argv[2], NULL, 0);
	config.flags = (uint32_t)strtoul(argv[3], NULL, 0);
	config.transport = (uint16_t)strtoul(argv[4], NULL, 0);
	if (pvrom_host_init(&host, &config, &vcpu) ||
	    pvrom_host_build_rom(&host, image, sizeof(image), &size) || write_file(argv[1], size))
		return 1;
	print_slots();
	return 0;
}
