/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Interrupts of the bus. Each is a vector of one CPU's, which Linux's own keeper of vectors (x86_vector_domain) hands
 * out and moves as it does for MSI; where MSI writes registers of the device the host is told by one call, which
 * is never half done, so that a vector moves at any time and not only in its own handler.
 */
#include "linux_bus.h"

#include <linux/cpu.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>

#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

static struct fwnode_handle *node;
static struct irq_domain *domain;
static DEFINE_MUTEX(lock);
static struct linux_vector *asking; /* under the lock: whose interrupt is made */

/* ---- what the host is told ----------------------------------------------------------------------------- */

static bool tell(const struct linux_vector *vector, u64 word)
{
	return pvrom_virtio_bus_interrupt(vector->bus, vector->queue, (u32)word, (u32)(word >> 32));
}

/* One that refuses goes on with the vector of before, which Linux keeps until the new one was used. */
static void settle(struct linux_vector *vector)
{
	lockdep_assert_held(&vector->lock);
	if (!vector->live || vector->told == vector->word)
		return;
	if (tell(vector, vector->word))
		vector->told = vector->word;
	else
		pr_warn_once("the host does not move an interrupt\n");
}

u64 linux_vector_word(struct linux_vector *vector)
{
	unsigned long flags;
	u64 word;

	raw_spin_lock_irqsave(&vector->lock, flags);
	word = vector->word;
	raw_spin_unlock_irqrestore(&vector->lock, flags);
	return word;
}

void linux_vector_go(struct linux_vector *vector, u64 told)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vector->lock, flags);
	vector->told = told;
	vector->live = true;
	settle(vector);
	raw_spin_unlock_irqrestore(&vector->lock, flags);
}

/* ---- what Linux does to an interrupt -------------------------------------------------------------------- */

static struct linux_vector *vector_of(struct irq_data *data)
{
	return irq_data_get_irq_chip_data(data);
}

/* After the domain above has chosen: with interrupts off, on any CPU. */
static int note(struct irq_data *data)
{
	unsigned int cpu = cpumask_first(irq_data_get_effective_affinity_mask(data));
	struct linux_vector *vector = vector_of(data);
	int vcpu = linux_cpus_vcpu(cpu);
	unsigned long flags;

	if (vcpu < 0)
		return -ENXIO;
	raw_spin_lock_irqsave(&vector->lock, flags);
	vector->word = irqd_cfg(data)->vector | (u64)vcpu << 32;
	settle(vector);
	raw_spin_unlock_irqrestore(&vector->lock, flags);
	return 0;
}

/* Only to CPUs whose number the host has said. Linux holds the descriptor's lock: one at a time on a CPU. */
static int set_affinity(struct irq_data *data, const struct cpumask *mask, bool force)
{
	static DEFINE_PER_CPU(struct cpumask, possible);
	struct cpumask *to = this_cpu_ptr(&possible);
	unsigned int cpu;
	int status;

	cpumask_clear(to);
	for_each_cpu(cpu, mask) if (linux_cpus_vcpu(cpu) >= 0) cpumask_set_cpu(cpu, to);
	status = irq_chip_set_affinity_parent(data, to, force);
	return status < 0 ? status : note(data) ?: status;
}

/*
 * There is nothing to mask: an interrupt that comes while Linux has it disabled is remembered and sent again. But
 * Linux calls both where it moves one in its handler.
 */
static void do_nothing(struct irq_data *data)
{
}

static struct irq_chip chip = {
	.name = "pvrom",
	.irq_ack = irq_chip_ack_parent,
	.irq_mask = do_nothing,
	.irq_unmask = do_nothing,
	.irq_set_affinity = set_affinity,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

/* ---- what the domain does ------------------------------------------------------------------------------- */

static int allocate(struct irq_domain *own, unsigned int irq, unsigned int count, void *argument)
{
	const struct irq_fwspec *which = argument;
	struct irq_alloc_info info = {};
	int status = irq_domain_alloc_irqs_parent(own, irq, count, &info);

	if (status)
		return status;
	irq_domain_set_info(own, irq, which->param[0], &chip, asking, handle_edge_irq, NULL,
			    "edge");
	irq_set_status_flags(irq, IRQ_MOVE_PCNTXT);
	return 0;
}

static int activate(struct irq_domain *own, struct irq_data *data, bool early)
{
	return early ? 0 : note(data);
}

/* Before the vector is anyone else's. */
static void deactivate(struct irq_domain *own, struct irq_data *data)
{
	struct linux_vector *vector = vector_of(data);
	unsigned long flags;

	raw_spin_lock_irqsave(&vector->lock, flags);
	if (vector->live)
		tell(vector, 0);
	vector->live = false;
	raw_spin_unlock_irqrestore(&vector->lock, flags);
}

static const struct irq_domain_ops domain_ops = {
	.alloc = allocate,
	.free = irq_domain_free_irqs_common,
	.activate = activate,
	.deactivate = deactivate,
};

int linux_vectors_start(void)
{
	node = irq_domain_alloc_named_fwnode("pvrom");
	if (!node)
		return -ENOMEM;
	domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, node, &domain_ops, NULL);
	if (domain)
		return 0;
	irq_domain_free_fwnode(node);
	return -ENOMEM;
}

void linux_vectors_stop(void)
{
	irq_domain_remove(domain);
	irq_domain_free_fwnode(node);
}

/* ---- for devices ---------------------------------------------------------------------------------------- */

/* Linux's number for it, 0: none. The way that all versions export to modules asks by a number in the domain. */
static unsigned int map(struct linux_vector *vector)
{
	struct irq_fwspec which = {
		.fwnode = node,
		.param_count = 1,
		.param[0] = vector->bus->device * 2 * PVROM_VIRTIO_BUS_QUEUES +
			    min(vector->queue, PVROM_VIRTIO_BUS_QUEUES),
	};
	unsigned int irq;

	mutex_lock(&lock);
	asking = vector;
	irq = irq_create_fwspec_mapping(&which);
	mutex_unlock(&lock);
	return irq;
}

int linux_vector_request(struct linux_vector *vector, irq_handler_t handler, const char *name,
			 void *argument)
{
	unsigned int irq;
	int status;

	raw_spin_lock_init(&vector->lock);
	vector->live = false;
	vector->argument = argument;
	irq = map(vector);
	if (!irq)
		return -ENOSPC;
	/* Not for a CPU that is just coming: it takes interrupts before the host has said its number. */
	cpus_read_lock();
	status = request_irq(irq, handler, 0, name, argument);
	cpus_read_unlock();
	if (status)
		irq_dispose_mapping(irq);
	else
		vector->irq = irq;
	return status;
}

void linux_vector_free(struct linux_vector *vector)
{
	if (!vector->irq)
		return;
	free_irq(vector->irq, vector->argument);
	irq_dispose_mapping(vector->irq);
	vector->irq = 0;
}
