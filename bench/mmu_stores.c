/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Makes one kind of change to a page-table entry N times, for callgrind to count the instructions of:
 *
 *	mmu_stores KIND N
 *
 * Only what happens inside measured() is to be counted (--toggle-collect=measured*). The host is one that
 * has read everything when it is asked.
 */
#include <pvrom/mmu.h>
#include <pvrom/mmu_guest.h>
#include <pvrom/sites.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 256

static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t map[4096];
static uint64_t ring[(PVROM_MMU_RING_WORDS + SLOTS * 8) / 8] __attribute__((aligned(64)));
static struct pvrom_guest guest;
static struct pvrom_mmu_guest mmu;
static struct pvrom_mmu_cpu cpu;

struct pvrom_mmu_cpu *pvrom_os_mmu_cpu(void)
{
	return &cpu;
}

uint32_t pvrom_call(const struct pvrom_guest *unused, uint32_t call, uint64_t a, uint64_t b,
		    uint64_t c, uint64_t d, uint64_t *value)
{
	struct pvrom_mmu_ring *r = (struct pvrom_mmu_ring *)(void *)ring;

	(void)unused, (void)call, (void)a, (void)b, (void)c, (void)d, (void)value;
	r->retired = r->done;
	return PVROM_STATUS_OK;
}

/* ---- the kinds ---------------------------------------------------------------------------------------- */

static void plain(uint64_t i)
{
	__asm__ volatile("mov %1,(%0)" : : "D"(&table[i % 512]), "S"(i) : "memory");
}

static void site(uint64_t i)
{
	pvrom_set_entry(&table[i % 512], i);
}

/* What the site becomes where the feature is granted. */
static void patched(uint64_t i)
{
	__asm__ volatile("call pvrom_mmu_set_entry_call"
			 :
			 : "D"(&table[i % 512]), "S"(i)
			 : "memory", "cc");
}

static void lazy(uint64_t i)
{
	if (i % 512 == 0)
		pvrom_mmu_lazy_begin();
	patched(i);
	if (i % 512 == 511)
		pvrom_mmu_lazy_end();
}

static void announced(uint64_t i)
{
	if (i % 512 == 0)
		pvrom_mmu_change_begin(table, 512);
	plain(i);
	if (i % 512 == 511)
		pvrom_mmu_change_end();
}

static void both(uint64_t i)
{
	(void)i;
	pvrom_mmu_register(&mmu, table, 1, PVROM_MMU_ZEROED, NULL);
	pvrom_mmu_release(&mmu, table);
}

static const struct kind {
	const char *name;
	void (*act)(uint64_t i);
	bool granted;
} kinds[] = {
	{ "plain", plain, false },    { "site", site, false }, { "map", both, false },
	{ "patched", patched, true }, { "lazy", lazy, true },  { "announced", announced, true },
	{ "registered", both, true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void set_up(bool granted)
{
	guest.granted = granted ? PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) : 0;
	pvrom_mmu_guest_init(&mmu, &guest, (uint64_t)table, 40, true);
	pvrom_mmu_guest_map(&mmu, map, 0, 0, sizeof(map));
	pvrom_mmu_guest_start(&mmu);
	if (granted &&
	    (pvrom_mmu_cpu_start(&mmu, &cpu, ring, SLOTS, 0, 0, 0, 0) || pvrom_mmu_guest_use(&mmu)))
		exit(1);
}

void measured(const struct kind *kind, uint64_t n);
__attribute__((noinline)) void measured(const struct kind *kind, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		kind->act(i);
}

int main(int argc, char **argv)
{
	if (argc == 1)
		for (size_t i = 0; i < KINDS; i++)
			puts(kinds[i].name);
	if (argc != 3)
		return argc != 1;
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(argv[1], kinds[i].name)) {
			set_up(kinds[i].granted);
			measured(&kinds[i], strtoull(argv[2], NULL, 10));
			return 0;
		}
	return 2;
}
