/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Both halves in one process: the shim finds, loads and negotiates with the real host core over an array
 * of bytes, and patched sites run the host's ROM text. An `out` in ROM text faults in a process; the
 * handler below is the monitor that takes the call to the core.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <pvrom/guest.h>
#include <pvrom/host.h>

#include "../cunit_tap.h"
#include "guest_machine.h"

#define BIT(NAME) PVROM_FEATURE_BIT(PVROM_FEATURE_##NAME)
#define ALL (BIT(CPU) | BIT(IRQ) | BIT(SMP) | BIT(ALARM))
#define VCPUS 4
#define PORT 0x50
#define LIVE_PORT 0x510
#define NATIVE_STATUS 77

/* A virtual machine: the machine of guest_machine.h and a host core that serves it. */
struct both {
	struct machine *m;
	struct pvrom_host core;
	struct pvrom_host_vcpu vcpu[VCPUS];
	struct pvrom_host_ops ops;
	struct pvrom_host_config config;
	uint64_t tsc, alarm, eois, sent[3];
	uint8_t alarm_vector, events[VCPUS];
	uint32_t traps;
};

static struct both *b;

/* ---- the embedder -------------------------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct both *both = ctx;

	if (gpa.gpa >= MACHINE_SIZE)
		return NULL;
	if (*len > MACHINE_SIZE - gpa.gpa)
		*len = MACHINE_SIZE - gpa.gpa;
	return both->m->memory + gpa.gpa;
}

static void lock(void *ctx)
{
	(void)ctx;
}
static void unlock(void *ctx)
{
	(void)ctx;
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	(void)vcpu;
	return ((struct both *)ctx)->tsc;
}

static void event(void *ctx, uint32_t vcpu, uint8_t vector)
{
	((struct both *)ctx)->events[vcpu] = vector;
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
	((struct both *)ctx)->eois++;
}

static uint32_t irq_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	struct both *both = ctx;

	both->sent[0] = vector;
	both->sent[1] = base;
	both->sent[2] = mask;
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
	struct both *both = ctx;

	(void)vcpu;
	both->alarm = when;
	both->alarm_vector = vector;
	return PVROM_STATUS_OK;
}

static void alarm_cancel(void *ctx, uint32_t vcpu)
{
	(void)vcpu;
	((struct both *)ctx)->alarm = 0;
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

static void set_ops(struct pvrom_host_ops *ops)
{
	*ops = (struct pvrom_host_ops){
		.translate = translate,
		.lock = lock,
		.unlock = unlock,
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
}

/* ---- crossings ----------------------------------------------------------------------------------- */

/* A hypercall by the shim's own sequence. */
static uint32_t hypercall(struct machine *machine, uint32_t call, uint64_t arg[4], uint64_t *value)
{
	struct both *both = machine->host_data;
	struct pvrom_host_regs regs = { .call = call, .mode64 = 1 };

	memcpy(regs.arg, arg, sizeof(regs.arg));
	CU_ASSERT_EQUAL(machine->guest->transport, both->config.transport);
	if (pvrom_host_call(&both->vcpu[0], &regs) == PVROM_ACTION_VOID)
		return 0xdeadbeef; /* such a call answers nothing */
	*value = regs.value;
	return regs.status;
}

/* `out %eax,$port` at a site or in ROM text: the call that the registers hold. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *rip = (const uint8_t *)r[REG_RIP];
	struct pvrom_host_regs regs = {
		.call = (uint32_t)r[REG_RAX],
		.arg = { (uint64_t)r[REG_RDI], (uint64_t)r[REG_RSI], (uint64_t)r[REG_R8],
			 (uint64_t)r[REG_R9] },
		.mode64 = 1,
	};

	(void)number, (void)info;
	if (!b || (uint64_t)(rip - b->m->memory) >= MACHINE_SIZE || rip[0] != 0xe7 ||
	    rip[1] != PORT)
		_Exit(3);
	b->traps++;
	r[REG_RIP] += 2;
	if (pvrom_host_call(&b->vcpu[0], &regs) == PVROM_ACTION_VOID) {
		r[REG_RAX] = r[REG_RDX] = -1; /* undefined, so any */
		return;
	}
	r[REG_RAX] = regs.status;
	r[REG_RDX] = (greg_t)regs.value;
	r[REG_RDI] = (greg_t)regs.arg[0];
	r[REG_RSI] = (greg_t)regs.arg[1];
	r[REG_R8] = (greg_t)regs.arg[2];
	r[REG_R9] = (greg_t)regs.arg[3];
}

/* ---- a machine ----------------------------------------------------------------------------------- */

static void begin(void)
{
	b = calloc(1, sizeof(*b));
	b->m = machine_new();
	b->m->host = hypercall;
	b->m->host_data = b;
	b->tsc = 1000;
	set_ops(&b->ops);
	b->config = (struct pvrom_host_config){
		.ops = &b->ops,
		.ops_ctx = b,
		.features = features,
		.rom_gpa = MACHINE_HOST_ROM,
		.vcpus = VCPUS,
		.log_burst = 4,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = PORT,
		.flags = PVROM_HOST_POISON,
	};
}

/* Leaves as the core answers them. */
static void take_leaves(void)
{
	struct machine_leaves *l = &b->m->leaves[0];

	b->m->leaf_count = 1;
	b->m->hypervisor_bit = true;
	l->base = 0x40000000;
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE_FATAL(pvrom_host_cpuid(&b->core, l->base, l->base + i, l->regs[i]));
}

/* The core with the configuration as it is now, and its ROM in memory. */
static void power_on(void)
{
	size_t size;

	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&b->core, &b->config, b->vcpu), PVROM_HOST_OK);
	CU_ASSERT_EQUAL_FATAL(
		pvrom_host_build_rom(&b->core, b->m->memory + b->config.rom_gpa, 0x80000, &size),
		PVROM_HOST_OK);
	take_leaves();
}

static uint32_t start(void)
{
	power_on();
	return machine_start(b->m);
}

static void end(void)
{
	CU_ASSERT_EQUAL(b->m->maps, b->m->unmaps);
	CU_ASSERT_FALSE(b->m->written_outside);
	machine_free(b->m);
	free(b);
	b = NULL;
}

/* ---- the ROM of the host passes the checks of the guest ------------------------------------------- */

static void each_rom_that_the_host_builds_is_right(void)
{
	static const struct {
		uint16_t transport;
		uint8_t port;
	} transports[] = { { PVROM_TRANSPORT_VMCALL, 0 },
			   { PVROM_TRANSPORT_VMMCALL, 0 },
			   { PVROM_TRANSPORT_PORT, 0 },
			   { PVROM_TRANSPORT_PORT, 0xff } };

	for (uint32_t n = 0; n < 4 * 4 * 2 * 2; n++) {
		uint32_t verdict;

		begin();
		b->config.transport = transports[n % 4].transport;
		b->config.transport_port = transports[n % 4].port;
		b->config.slots = n / 4 % 4;
		b->config.flags = n / 16 % 2 ? PVROM_HOST_EOI_X2APIC : 0;
		b->config.live_port = n / 32 % 2 ? LIVE_PORT : 0;
		power_on();
		verdict = pvrom_rom_check(b->m->memory + MACHINE_HOST_ROM, 0x80000);
		CU_ASSERT_EQUAL(verdict, PVROM_VERDICT_READY);
		if (verdict)
			tap_note("transport %u, slots %u: %s", b->config.transport, b->config.slots,
				 pvrom_verdict_words(verdict));
		end();
	}
}

static void starts_with_each_transport(void)
{
	for (uint16_t transport = PVROM_TRANSPORT_VMCALL; transport < PVROM_TRANSPORT_COUNT;
	     transport++) {
		begin();
		machine_add_usual_sites(b->m);
		b->config.transport = transport;
		b->config.transport_port = transport == PVROM_TRANSPORT_PORT ? PORT : 0;
		CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(b->m->guest->granted, ALL);
		CU_ASSERT_EQUAL(b->core.sealed, ALL);
		CU_ASSERT_EQUAL(b->m->guest->epoch, b->core.epoch);
		CU_ASSERT_EQUAL(memcmp(b->m->guest->digest, b->core.rom_digest, 32), 0);
		CU_ASSERT_NOT_EQUAL(b->m->guest->patched, 0);
		pvrom_guest_unpatch(b->m->guest);
		CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
		end();
	}
}

/* NORMAL serves the cpu group natively; the forms for tests reach sites that have one. */
static void each_way_to_serve_slots(void)
{
	uint32_t patched[4];

	for (uint32_t slots = 0; slots < 4; slots++) {
		begin();
		machine_add_usual_sites(b->m);
		b->config.slots = slots;
		CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
		patched[slots] = b->m->guest->patched;
		pvrom_guest_unpatch(b->m->guest);
		CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
		end();
	}
	CU_ASSERT_EQUAL(patched[PVROM_SLOTS_NORMAL], 2); /* EOI and alarm cancel */
	CU_ASSERT_EQUAL(patched[PVROM_SLOTS_NATIVE], 0);
	CU_ASSERT_TRUE(patched[PVROM_SLOTS_INLINE] > 10);
	CU_ASSERT_TRUE(patched[PVROM_SLOTS_CALL] > 10);
}

static void live_port_of_the_core(void)
{
	struct pvrom_host_vcpu *vcpu;

	begin();
	b->config.live_port = LIVE_PORT;
	b->config.live_key = 0x12345678;
	power_on();
	vcpu = &b->vcpu[0];
	CU_ASSERT_EQUAL(pvrom_host_live_read(vcpu), 0x12345678);
	pvrom_host_live_write(vcpu, 0x55);
	CU_ASSERT_EQUAL(pvrom_host_live_read(vcpu), 0x12345678 ^ 0x55);
	CU_ASSERT_EQUAL(pvrom_host_live_read(vcpu), 0x12345678);
	/* And the machine's port, which answers alike, makes the shim believe in it. */
	b->m->leaf_count = 0;
	b->m->hypervisor_bit = false;
	b->m->live_port = LIVE_PORT;
	b->m->live_key = 0x12345678;
	b->m->policy->loader_gpa = MACHINE_HOST_ROM;
	CU_ASSERT_EQUAL(machine_start(b->m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(b->m->guest->route, PVROM_ROUTE_LOADER);
	end();
}

/* ---- negotiation --------------------------------------------------------------------------------- */

static void operator_and_reasons(void)
{
	begin();
	machine_add_usual_sites(b->m);
	b->config.operator_off = BIT(IRQ);
	b->m->policy->required = BIT(ALARM);
	power_on();
	machine_expect_native(b->m, PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(b->m->guest->missing, BIT(ALARM));
	CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_IRQ], PVROM_REASON_OPERATOR);
	CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_ALARM], PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(b->core.sealed, 0);
	end();
}

static void mmu_is_withheld_with_its_reason(void)
{
	static const struct {
		uint32_t hardware;
		uint64_t off;
		uint8_t reason;
	} cases[] = {
		{ PVROM_HW_NESTED_PAGING, 0, PVROM_REASON_NESTED_PAGING },
		{ 0, 0, PVROM_REASON_NOT_OWNED },
		{ PVROM_HW_NESTED_PAGING, BIT(MMU), PVROM_REASON_OPERATOR },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		b->config.hardware = cases[i].hardware;
		b->config.operator_off = cases[i].off;
		b->m->policy->wanted |= BIT(MMU);
		CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(b->m->guest->granted, ALL);
		CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_MMU], cases[i].reason);
		end();
	}
}

static void epoch_reaches_the_area(void)
{
	begin();
	machine_add_usual_sites(b->m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(b->m->area->size, PVROM_VCPU_AREA_SIZE);
	CU_ASSERT_FALSE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	pvrom_host_set_hardware(&b->core, PVROM_HW_NESTED_PAGING);
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	CU_ASSERT_EQUAL(b->events[3], b->m->policy->epoch_vector);
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(b->m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_FALSE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_MMU], PVROM_REASON_NESTED_PAGING);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, NULL), PVROM_STATUS_OK);
	end();
}

/* Saved here, loaded there: a host with another ROM, so the guest patches anew. */
static void moved_to_another_host(void)
{
	static uint8_t image[0x4000];
	const uint8_t *old_copy;
	size_t size;

	begin();
	machine_add_usual_sites(b->m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_host_save(&b->core, image, sizeof(image), &size), PVROM_HOST_OK);
	old_copy = b->m->guest->copy;
	b->config.rom_gpa = 0x280000;
	b->config.slots = PVROM_SLOTS_CALL;
	power_on();
	CU_ASSERT_EQUAL_FATAL(pvrom_host_load(&b->core, image, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(b->m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_PTR_NOT_EQUAL(b->m->guest->copy, old_copy);
	CU_ASSERT_EQUAL(b->m->guest->rom_gpa, 0x280000);
	CU_ASSERT_TRUE(b->m->guest->patched > 10);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	pvrom_guest_unpatch(b->m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
	end();
}

static void stop_and_start_again(void)
{
	begin();
	machine_add_usual_sites(b->m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_guest_stop(b->m->guest, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(b->core.sealed, 0);
	CU_ASSERT_EQUAL(b->vcpu[0].area_gpa, PVROM_VCPU_AREA_NONE);
	CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
	CU_ASSERT_EQUAL(machine_start(b->m), PVROM_VERDICT_READY); /* the next kernel, say */
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	end();
}

static void calls_outside_the_sealed_set(void)
{
	begin();
	b->m->policy->wanted = BIT(CPU);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, PVROM_CLOCK_ALARM_SET, 5000, 0, 0, 0, NULL),
			PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, 0x7f00, 0, 0, 0, 0, NULL),
			PVROM_STATUS_NOT_SUPPORTED);
	end();
}

/* A host that leaves in the registers what it had there: nothing of it reaches the kernel. */
static uint32_t careless_host(struct machine *m, uint32_t call, uint64_t arg[4], uint64_t *value)
{
	(void)m;
	(void)call;
	(void)arg;
	*value = 0xdeaddeaddead0001;
	return 0xbadbad;
}

static void void_calls_answer_nothing(void)
{
	uint64_t value = 1;

	begin();
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	b->m->host = careless_host;
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, PVROM_IRQ_EOI, 0, 0, 0, 0, &value),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(value, 0);
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, &value), 0xbadbad);
	CU_ASSERT_EQUAL(value, 0xdeaddeaddead0001);
	b->m->host = hypercall;
	end();
}

/* What a new epoch does to memory that once was an area; true if it has changed. */
static bool epoch_writes_old_area(void)
{
	uint8_t *memory = (uint8_t *)b->m->area;
	bool written = false;

	memset(memory, 0x5a, PVROM_VCPU_AREA_SIZE);
	pvrom_host_raise_epoch(&b->core);
	for (size_t i = 0; i < PVROM_VCPU_AREA_SIZE; i++)
		written |= memory[i] != 0x5a;
	return written;
}

static void area_is_released_before_its_memory_is_used(void)
{
	begin();
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(epoch_writes_old_area()); /* so much for a kernel that does not release it */
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, NULL), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(epoch_writes_old_area());
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_guest_stop(b->m->guest, 0), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(epoch_writes_old_area());
	end();
}

/* ---- sites that run ROM text --------------------------------------------------------------------- */

/* A function of one site: a native one returns NATIVE_STATUS (mov $77,%eax; ret). */
static void *add_call_site(uint32_t call)
{
	uint8_t *native = machine_add_text(b->m, "\xb8\x4d\x00\x00\x00\xc3", 6);
	uint8_t code[5] = { 0xe8 };
	struct pvrom_site *site;
	int32_t rel = -(6 + 5); /* from the end of the site back to the native function */

	(void)native;
	memcpy(code + 1, &rel, 4);
	site = machine_add_site(b->m, call, code, 5);
	b->m->text_used--;
	machine_add_text(b->m, "\xc3", 1);
	return machine_site_text(site);
}

/* Calls a site as an asm statement does; kept: do registers that it must keep hold what they held? */
static uint32_t call_site(void *site, uint64_t rdi, uint64_t rsi, uint64_t rdx, bool *kept)
{
	uint64_t rax;
	uint64_t rbx = 0xb0b0, r12 = 0x1212, r13 = 0x1313, r14 = 0x1414, r15 = 0x1515;
	register uint64_t b12 __asm__("r12") = r12;
	register uint64_t b13 __asm__("r13") = r13;
	register uint64_t b14 __asm__("r14") = r14;
	register uint64_t b15 __asm__("r15") = r15;

	__asm__ volatile("call *%%rax"
			 : "=a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(b12),
			   "+r"(b13), "+r"(b14), "+r"(b15)
			 : "0"(site)
			 : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
	*kept = rbx == 0xb0b0 && b12 == 0x1212 && b13 == 0x1313 && b14 == 0x1414 && b15 == 0x1515;
	return (uint32_t)rax;
}

static void patched_alarm_reaches_the_core(void)
{
	void *set, *cancel;
	bool kept;

	begin();
	set = add_call_site(PVROM_CLOCK_ALARM_SET);
	cancel = add_call_site(PVROM_CLOCK_ALARM_CANCEL);
	machine_seal_text(b->m);
	CU_ASSERT_EQUAL(call_site(set, 5000, 0, 0, &kept), NATIVE_STATUS);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(call_site(set, 5000, 0, 0, &kept), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(kept);
	CU_ASSERT_EQUAL(b->alarm, 5000);
	CU_ASSERT_EQUAL(b->alarm_vector, b->m->policy->alarm_vector);
	CU_ASSERT_EQUAL(call_site(cancel, 0, 0, 0, &kept), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(kept);
	CU_ASSERT_EQUAL(b->alarm, 0);
	CU_ASSERT_EQUAL(b->traps, 2);
	pvrom_guest_unpatch(b->m->guest);
	CU_ASSERT_EQUAL(call_site(set, 5000, 0, 0, &kept), NATIVE_STATUS);
	CU_ASSERT_EQUAL(b->traps, 2);
	end();
}

/* Three arguments: rdx of System V becomes r8 of the hypercall. */
static void patched_send_reaches_the_core(void)
{
	void *send;
	bool kept;

	begin();
	send = add_call_site(PVROM_IRQ_SEND);
	machine_seal_text(b->m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(call_site(send, 0x55, 1, 0x5, &kept), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(kept);
	CU_ASSERT_EQUAL(b->sent[0], 0x55);
	CU_ASSERT_EQUAL(b->sent[1], 1);
	CU_ASSERT_EQUAL(b->sent[2], 0x5);
	CU_ASSERT_EQUAL(call_site(send, 0x55, 1, 0x100, &kept), PVROM_STATUS_INVALID);
	end();
}

/* EOI through the vCPU area, found through rbx: with the word set there is no crossing. */
static void patched_eoi_skips_the_crossing(void)
{
	void *eoi;

	begin();
	eoi = add_call_site(PVROM_IRQ_EOI);
	machine_seal_text(b->m);
	b->m->policy->percpu = PVROM_PERCPU_REGISTER;
	b->m->policy->percpu_offset = 3;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	for (uint32_t idle = 0; idle < 2; idle++) {
		b->m->area->eoi = idle;
		b->traps = 0;
		b->eois = 0;
		__asm__ volatile("call *%0"
				 :
				 : "r"(eoi), "b"(b->m->area)
				 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
				   "memory", "cc");
		CU_ASSERT_EQUAL(b->m->area->eoi, 0);
		CU_ASSERT_EQUAL(b->traps, 1 - idle);
		CU_ASSERT_EQUAL(b->eois, 1 - idle);
	}
	end();
}

/* A process cannot run most instructions of the cpu group, but cpuid it can: as template and as text. */
static void call_cpuid(void *site, uint32_t regs[4])
{
	__asm__ volatile("call *%4"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "r"(site), "0"(0), "2"(0)
			 : "memory", "cc");
}

static void patched_instruction_runs(void)
{
	static const uint32_t ways[] = { PVROM_SLOTS_INLINE, PVROM_SLOTS_CALL };

	for (size_t i = 0; i < 2; i++) {
		uint32_t native[4], patched[4];
		struct pvrom_site *site;

		begin();
		site = machine_add_site(b->m, PVROM_CPU_CPUID, "\x2e\x2e\x2e\x0f\xa2", 5);
		b->m->text_used--;
		machine_add_text(b->m, "\xc3", 1);
		machine_seal_text(b->m);
		call_cpuid(machine_site_text(site), native);
		b->config.slots = ways[i];
		CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(b->m->guest->patched, 1);
		call_cpuid(machine_site_text(site), patched);
		CU_ASSERT_EQUAL(memcmp(native, patched, sizeof(native)), 0);
		end();
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(each_rom_that_the_host_builds_is_right),
		TAP_TEST(starts_with_each_transport),
		TAP_TEST(each_way_to_serve_slots),
		TAP_TEST(live_port_of_the_core),
		TAP_TEST(operator_and_reasons),
		TAP_TEST(mmu_is_withheld_with_its_reason),
		TAP_TEST(epoch_reaches_the_area),
		TAP_TEST(moved_to_another_host),
		TAP_TEST(stop_and_start_again),
		TAP_TEST(calls_outside_the_sealed_set),
		{ "void_calls_answer_nothing [PVROM-CALL-23]", void_calls_answer_nothing },
		{ "area_is_released_before_its_memory_is_used [PVROM-VCPU-6]",
		  area_is_released_before_its_memory_is_used },
		{ "patched_alarm_reaches_the_core [PVROM-SITE-4 PVROM-CALL-3]",
		  patched_alarm_reaches_the_core },
		TAP_TEST(patched_send_reaches_the_core),
		{ "patched_eoi_skips_the_crossing [PVROM-VCPU-8]", patched_eoi_skips_the_crossing },
		TAP_TEST(patched_instruction_runs),
		{ 0 },
	};
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	return tap_run("guest_core", tests);
}
