/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The CPUID leaves of a guest: what KVM supports, with each CPU's own APIC id
 * and topology (one package, a core a CPU), KVM's leaves at 0x40000000 and
 * pvrom's at the next base.
 */
#include "kvm_device.h"
#include "guest_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define ENTRIES 256u
#define PVROM_BASE 0x40000100u

struct table {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entry[ENTRIES];
};

static void read_supported(int kvm, struct table *table)
{
	memset(table, 0, sizeof(*table));
	table->head.nent = ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &table->head) < 0)
		fail(EXIT_CANNOT_RUN, "KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
}

static struct kvm_cpuid_entry2 *find(struct table *table, uint32_t leaf)
{
	for (uint32_t i = 0; i < table->head.nent; i++)
		if (table->entry[i].function == leaf)
			return &table->entry[i];
	return NULL;
}

/* True if KVM can give a guest this bit of register `reg` (0 to 3: eax, ebx, ecx, edx). */
bool cpuid_supported_bit(int kvm, uint32_t leaf, unsigned int reg, unsigned int bit)
{
	struct table table;
	const struct kvm_cpuid_entry2 *entry;

	read_supported(kvm, &table);
	entry = find(&table, leaf);
	if (entry == NULL)
		return false;
	return (const uint32_t[]){ entry->eax, entry->ebx, entry->ecx, entry->edx }[reg] >> bit & 1;
}

static void add(struct table *table, struct kvm_cpuid_entry2 entry)
{
	if (table->head.nent == ENTRIES)
		fail(EXIT_CANNOT_RUN, "this KVM has too many CPUID leaves");
	table->entry[table->head.nent++] = entry;
}

static void drop(struct table *table, uint32_t leaf)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->head.nent; i++)
		if (table->entry[i].function != leaf)
			table->entry[kept++] = table->entry[i];
	table->head.nent = kept;
}

/* Bits of an APIC id that tell CPUs apart. */
static uint32_t id_bits(uint32_t cpus)
{
	uint32_t bits = 0;

	while (1u << bits < cpus)
		bits++;
	return bits;
}

/* Leaf 1: APIC id, CPUs a package, "runs under a hypervisor", the TSC-deadline timer. */
static void set_leaf_1(struct table *table, const struct vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *e = find(table, 1);
	uint32_t cpus = vcpu->vm->opt->cpus;

	if (e == NULL)
		return;
	e->ebx = (e->ebx & 0xffff) | vcpu->index << 24 | (1u << id_bits(cpus)) << 16;
	e->edx = (e->edx & ~(1u << 28)) | (cpus > 1 ? 1u << 28 : 0);
	e->ecx |= 1u << 31;
	if (kvm_extension(vcpu->vm->kvm, KVM_CAP_TSC_DEADLINE_TIMER))
		e->ecx |= 1u << 24;
}

/* Intel's leaf 4: the caches are not shared, the package is. */
static void set_leaf_4(struct table *table, uint32_t cpus)
{
	uint32_t cores = (1u << id_bits(cpus)) - 1;

	for (uint32_t i = 0; i < table->head.nent; i++)
		if (table->entry[i].function == 4 && (table->entry[i].eax & 0x1f) != 0)
			table->entry[i].eax = (table->entry[i].eax & 0x3fff) | cores << 26;
}

static void add_topology(struct table *table, uint32_t subleaf, uint32_t shift, uint32_t count,
			 uint32_t kind, uint32_t id)
{
	add(table, (struct kvm_cpuid_entry2){
			   .function = 0xb,
			   .index = subleaf,
			   .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			   .eax = shift,
			   .ebx = count,
			   .ecx = kind << 8 | subleaf,
			   .edx = id,
		   });
}

/* Leaf 0xb: one thread a core (kind 1), all cores in one package (kind 2), the end (0). */
static void set_leaf_b(struct table *table, const struct vcpu *vcpu)
{
	uint32_t cpus = vcpu->vm->opt->cpus;

	drop(table, 0xb);
	drop(table, 0x1f);
	if (find(table, 0) == NULL || find(table, 0)->eax < 0xb)
		return;
	add_topology(table, 0, 0, 1, 1, vcpu->index);
	add_topology(table, 1, id_bits(cpus), cpus, 2, vcpu->index);
	add_topology(table, 2, 0, 0, 0, vcpu->index);
}

/*
 * Leaf 0x15: the TSC's rate. The "crystal" is what KVM's APIC timer counts, 10^9 Hz, for Linux takes its
 * rate from there; the ratio makes the TSC's out of it. A maximum leaf that is lower is raised: the leaves
 * between are zero.
 */
static void set_leaf_15(struct table *table, uint64_t tsc_khz)
{
	struct kvm_cpuid_entry2 *first;

	drop(table, 0x15);
	first = find(table, 0);
	if (first == NULL || tsc_khz == 0 || tsc_khz > UINT32_MAX)
		return;
	if (first->eax < 0x15)
		first->eax = 0x15;
	add(table, (struct kvm_cpuid_entry2){
			   .function = 0x15,
			   .eax = 1000000,
			   .ebx = (uint32_t)tsc_khz,
			   .ecx = 1000000000,
		   });
}

/* AMD's leaves: cores a package, and the extended APIC id. */
static void set_amd(struct table *table, const struct vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *sizes = find(table, 0x80000008);
	struct kvm_cpuid_entry2 *ids = find(table, 0x8000001e);
	uint32_t cpus = vcpu->vm->opt->cpus;

	if (sizes != NULL)
		sizes->ecx = (sizes->ecx & ~0xf0ffu) | (cpus - 1) | id_bits(cpus) << 12;
	if (ids != NULL) {
		ids->eax = vcpu->index;
		ids->ebx = vcpu->index;
		ids->ecx = 0;
	}
}

/* With --rom FILE the leaves name what the image's header says, so that a guest looks at it. */
static void name_file(const struct vm *vm, uint32_t r[4])
{
	struct pvrom_rom_header header;

	memcpy(&header, memory_at(vm, vm->rom_gpa, sizeof(header)), sizeof(header));
	r[0] = (uint32_t)header.major << 16 | header.minor;
	r[2] = header.rom_size;
	r[3] = header.checksum;
}

/* pvrom's leaves, as the host core answers them; none without a ROM, or if they are not the way to it. */
static void add_pvrom(struct table *table, const struct vm *vm)
{
	if (vm->rom_size == 0 || vm->opt->find != FIND_CPUID)
		return;
	for (uint32_t leaf = PVROM_BASE;; leaf++) {
		uint32_t r[4];

		if (!pvrom_host_cpuid(&vm->pvrom.host, PVROM_BASE, leaf, r))
			return;
		if (leaf == PVROM_BASE + 1 && vm->opt->rom == ROM_FILE)
			name_file(vm, r);
		add(table, (struct kvm_cpuid_entry2){
				   .function = leaf,
				   .eax = r[0],
				   .ebx = r[1],
				   .ecx = r[2],
				   .edx = r[3],
			   });
	}
}

static void check_long_mode(struct table *table)
{
	const struct kvm_cpuid_entry2 *e = find(table, 0x80000001);

	if (e == NULL || !(e->edx >> 29 & 1))
		fail(EXIT_CANNOT_RUN, "this KVM cannot run the guest: it has no 64-bit mode");
}

/* Gives a CPU its leaves, before it runs for the first time. */
void cpuid_set(struct vcpu *vcpu)
{
	struct table table;

	read_supported(vcpu->vm->kvm, &table);
	check_long_mode(&table);
	set_leaf_1(&table, vcpu);
	set_leaf_4(&table, vcpu->vm->opt->cpus);
	set_leaf_b(&table, vcpu);
	set_leaf_15(&table, vcpu->vm->tsc_khz);
	set_amd(&table, vcpu);
	add_pvrom(&table, vcpu->vm);
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, &table.head) < 0)
		fail(EXIT_CANNOT_RUN,
		     "this KVM cannot run the guest: it refuses its CPUID leaves: %s",
		     strerror(errno));
}
