/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What KVM has no call for: to clear one bit of a local APIC. Its whole state is read, changed and written, and
 * whatever KVM itself sets there in between would be lost. So it is done while no CPU is in the guest, for
 * IPIs come from there; and what comes from elsewhere, from lines and from KVM's PIT, is sent again: it is then
 * an edge too many at worst.
 */
#include "interrupts.h"
#include "pc_devices.h"
#include "run_vcpu.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define APIC_ISR 0x100u
#define APIC_IRR 0x200u
#define PIT_LINE 0u
#define PIT_PIN 2u /* of the I/O APIC */
#define PIT_HZ 1193182
#define SECOND 1000000000ll
/* KVM's thread for that may be so late with a tick. */
#define PIT_LATE (SECOND / 1000)

static uint8_t *vector_byte(struct kvm_lapic_state *apic, unsigned int table, unsigned int vector)
{
	return (uint8_t *)&apic->regs[table + vector / 32 * 16 + vector % 32 / 8];
}

static bool clear_bit(struct kvm_lapic_state *apic, unsigned int table, unsigned int vector)
{
	uint8_t *byte = vector_byte(apic, table, vector), bit = (uint8_t)(1u << vector % 8);
	bool was_set = *byte & bit;

	*byte &= (uint8_t)~bit;
	return was_set;
}

/* ---- KVM's PIT --------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* When channel 0 came to its end last, or will the first time. Its clock is CLOCK_MONOTONIC (arch/x86/kvm/i8254.c). */
static int64_t pit_end(const struct kvm_pit_channel_state *channel, int64_t now)
{
	int64_t period = (int64_t)channel->count * SECOND / PIT_HZ;
	int64_t end = channel->count_load_time + period;
	bool again = channel->mode == 2 || channel->mode == 3;

	return again && period != 0 && now > end ? now - (now - end) % period : end;
}

static void pulse_pit_line(const struct vm *vm)
{
	struct kvm_irq_level high = { .irq = PIT_LINE, .level = 1 }, low = { .irq = PIT_LINE };

	ioctl(vm->fd, KVM_IRQ_LINE, &high);
	ioctl(vm->fd, KVM_IRQ_LINE, &low);
}

/* May it have sent an interrupt since then, by the clock? */
static bool pit_was_due(const struct vm *vm, int64_t since)
{
	struct kvm_pit_state2 pit;
	int64_t now = now_ns(), end;

	if (ioctl(vm->fd, KVM_GET_PIT2, &pit) < 0 || pit.channels[0].count == 0)
		return false;
	end = pit_end(&pit.channels[0], now);
	return end >= since - PIT_LATE && end <= now;
}

/*
 * Has the 8259 seen an edge of the PIT since this was asked last? It remembers one also where it is masked, which
 * means nothing to the guest then, and is forgotten here.
 */
static bool take_pit_edge(const struct vm *vm)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };

	if (ioctl(vm->fd, KVM_GET_IRQCHIP, &chip) < 0 || !(chip.chip.pic.imr & 1) ||
	    !(chip.chip.pic.irr & 1))
		return false;
	chip.chip.pic.irr &= 0xfe;
	return ioctl(vm->fd, KVM_SET_IRQCHIP, &chip) == 0;
}

/* ---- the state ----------------------------------------------------------------------------------- */

/* Does it ask for an interrupt by that vector? On the CPU's own thread. */
bool apic_requests(struct vcpu *vcpu, uint8_t vector)
{
	struct kvm_lapic_state apic;

	return ioctl(vcpu->fd, KVM_GET_LAPIC, &apic) == 0 && clear_bit(&apic, APIC_IRR, vector);
}

/* Clears the highest set bit from `vector` down to `least` in a table; true if there is one. */
static bool clear_highest(struct vcpu *vcpu, unsigned int table, unsigned int vector,
			  unsigned int least)
{
	struct kvm_lapic_state apic;
	bool cleared = false;

	/* Who sends from here waits meanwhile. */
	pthread_mutex_lock(&vcpu->apic);
	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &apic) == 0)
		for (vector++; vector-- > least && !cleared;)
			cleared = clear_bit(&apic, table, vector);
	if (cleared)
		ioctl(vcpu->fd, KVM_SET_LAPIC, &apic);
	pthread_mutex_unlock(&vcpu->apic);
	return cleared;
}

/* With no other CPU in the guest. */
static void change(struct vcpu *vcpu, unsigned int table, unsigned int vector, unsigned int least)
{
	struct vm *vm = vcpu->vm;
	int64_t since = now_ns();
	bool tick;

	take_pit_edge(vm);
	if (!clear_highest(vcpu, table, vector, least))
		return;
	/* Where a call has routed the PIT's line, no edge goes to the 8259. */
	tick = take_pit_edge(vm) || (vm->routes.pin[PIT_PIN].routed && pit_was_due(vm, since));
	serial_repeat_line(&vm->serial);
	virtio_interrupt_again(vm);
	if (tick)
		pulse_pit_line(vm);
}

/* Takes back a vector that was sent and is not yet in service; on the CPU's own thread, alone. */
void apic_withdraw(struct vcpu *vcpu, uint8_t vector)
{
	change(vcpu, APIC_IRR, vector, vector);
}

static void end_alone(struct vcpu *vcpu, void *unused)
{
	(void)unused;
	change(vcpu, APIC_ISR, 255, 0);
}

/* Ends the highest vector in service; edge-triggered ones only. On the CPU's own thread, no lock held. */
void apic_end(struct vcpu *vcpu)
{
	vcpu_alone(vcpu, end_alone, NULL);
}
