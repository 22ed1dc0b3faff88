/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The embedder of core_machine.h: four vCPUs over one array of bytes. */
#include "core_machine.h"

#include <stdlib.h>
#include <string.h>

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct core_machine *b = ctx;

	if (gpa.gpa >= MACHINE_SIZE)
		return NULL;
	if (*len > MACHINE_SIZE - gpa.gpa)
		*len = MACHINE_SIZE - gpa.gpa;
	return b->m->memory + gpa.gpa;
}

/* One thread: nothing to keep out. */
static void lock(void *ctx)
{
	(void)ctx;
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	return 1000 + vcpu;
}

static void event(void *ctx, uint32_t vcpu, uint8_t vector)
{
	((struct core_machine *)ctx)->events[vcpu] = vector;
}

static uint32_t irq_route(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu)
{
	(void)ctx, (void)vector, (void)vcpu;
	return source < 24 ? PVROM_STATUS_OK : PVROM_STATUS_INVALID;
}

static uint32_t irq_mask(void *ctx, uint64_t source, bool masked)
{
	(void)ctx, (void)masked;
	return source < 24 ? PVROM_STATUS_OK : PVROM_STATUS_INVALID;
}

static void irq_eoi(void *ctx, uint32_t vcpu)
{
	(void)vcpu;
	((struct core_machine *)ctx)->eois++;
}

static uint32_t irq_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	struct core_machine *b = ctx;

	b->sent[0] = vector;
	b->sent[1] = base;
	b->sent[2] = mask;
	return PVROM_STATUS_OK;
}

static uint32_t smp_start(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *state)
{
	(void)ctx, (void)vcpu, (void)state;
	return PVROM_STATUS_OK;
}

static uint32_t smp_kick(void *ctx, uint32_t vcpu)
{
	(void)ctx, (void)vcpu;
	return PVROM_STATUS_OK;
}

static uint32_t alarm_set(void *ctx, uint32_t vcpu, uint64_t when, uint8_t vector)
{
	struct core_machine *b = ctx;

	(void)vcpu;
	b->alarm = when;
	b->alarm_vector = vector;
	return PVROM_STATUS_OK;
}

static void alarm_cancel(void *ctx, uint32_t vcpu)
{
	(void)vcpu;
	((struct core_machine *)ctx)->alarm = 0;
}

static bool others_run(void *ctx, uint32_t vcpu)
{
	(void)ctx, (void)vcpu;
	return false;
}

static void park_others(void *ctx, uint32_t vcpu)
{
	(void)ctx, (void)vcpu;
}

static const struct pvrom_host_feature *const features[] = { &pvrom_host_cpu, &pvrom_host_irq,
							     &pvrom_host_smp, &pvrom_host_alarm,
							     NULL };

static const struct pvrom_host_ops core_ops = {
	.translate = translate,
	.lock = lock,
	.unlock = lock,
	.tsc = tsc,
	.event = event,
	.irq_route = irq_route,
	.irq_mask = irq_mask,
	.irq_eoi = irq_eoi,
	.irq_send = irq_send,
	.smp_start = smp_start,
	.smp_kick = smp_kick,
	.alarm_set = alarm_set,
	.alarm_cancel = alarm_cancel,
	.others_run = others_run,
	.park_others = park_others,
};

/* A hypercall by the shim's own sequence. */
static uint32_t hypercall(struct machine *machine, uint32_t call, uint64_t arg[4], uint64_t *value)
{
	struct core_machine *b = machine->host_data;
	struct pvrom_host_regs regs = { .call = call, .mode64 = 1 };

	memcpy(regs.arg, arg, sizeof(regs.arg));
	CU_ASSERT_EQUAL(machine->guest->transport, b->config.transport);
	if (pvrom_host_call(&b->vcpu[0], &regs) == PVROM_ACTION_VOID)
		return 0xdeadbeef; /* such a call answers nothing */
	*value = regs.value;
	return regs.status;
}

struct core_machine *core_machine_new(void)
{
	struct core_machine *b = calloc(1, sizeof(*b));

	b->m = machine_new();
	b->m->host = hypercall;
	b->m->host_data = b;
	b->ops = core_ops;
	b->config = (struct pvrom_host_config){
		.ops = &b->ops,
		.ops_ctx = b,
		.features = features,
		.rom_gpa = MACHINE_HOST_ROM,
		.vcpus = CORE_VCPUS,
		.log_burst = 4,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = CORE_PORT,
		.flags = PVROM_HOST_POISON,
	};
	return b;
}

/* Leaves as the core answers them. */
static void take_leaves(struct core_machine *b)
{
	struct machine_leaves *l = &b->m->leaves[0];

	b->m->leaf_count = 1;
	b->m->hypervisor_bit = true;
	l->base = CORE_LEAVES;
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE_FATAL(pvrom_host_cpuid(&b->core, l->base, l->base + i, l->regs[i]));
}

void core_machine_power_on(struct core_machine *b)
{
	size_t size;

	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&b->core, &b->config, b->vcpu), PVROM_HOST_OK);
	CU_ASSERT_EQUAL_FATAL(
		pvrom_host_build_rom(&b->core, b->m->memory + b->config.rom_gpa, 0x80000, &size),
		PVROM_HOST_OK);
	take_leaves(b);
}

uint32_t core_machine_start(struct core_machine *b)
{
	core_machine_power_on(b);
	return machine_start(b->m);
}

void core_machine_free(struct core_machine *b)
{
	CU_ASSERT_EQUAL(b->m->maps, b->m->unmaps);
	CU_ASSERT_FALSE(b->m->written_outside);
	machine_free(b->m);
	free(b);
}
