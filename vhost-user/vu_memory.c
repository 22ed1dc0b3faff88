/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest memory: the regions that the front end shares, and what happens when it takes one away under us.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- SIGBUS ------------------------------------------------------------------------------------------ */

/*
 * A front end that shortens the file of a mapping makes the next access of ours a SIGBUS. The handler
 * puts zeros there and remembers which mapping it was; the server then ends that connection. The
 * table is one for the process, as signal handlers are, and is only written under the mutex.
 */
#define GUARDS 1024u
static struct guard {
	uintptr_t from, to; /* to 0: free */
	uintptr_t page;	    /* bytes: what can be mapped anew */
	uint32_t cut;
} guard[GUARDS];
static uint32_t cuts; /* how often any was cut: what is cheap to look at */
static pthread_mutex_t guard_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static bool installed;

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	const uintptr_t at = (uintptr_t)info->si_addr;
	uint32_t i;

	(void)number;
	(void)context;
	for (i = 0; i < GUARDS; i++) {
		uintptr_t from = __atomic_load_n(&guard[i].from, __ATOMIC_RELAXED);
		uintptr_t to = __atomic_load_n(&guard[i].to, __ATOMIC_ACQUIRE);
		uintptr_t page = at - (at - from) % (guard[i].page ? guard[i].page : 1);

		if (at < from || at >= to)
			continue;
		__atomic_store_n(&guard[i].cut, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&cuts, 1, __ATOMIC_RELEASE);
		if (mmap((void *)page, to - page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
			 0) != MAP_FAILED)
			return;
	}
	/* Not ours: die of it, as without us. */
	sigaction(SIGBUS, &before, NULL);
}

static int guard_add(const void *base, size_t length, uint64_t page)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	int result = -ENOSPC;
	uint32_t i;

	pthread_mutex_lock(&guard_mutex);
	if (!installed && !sigaction(SIGBUS, &action, &before))
		installed = true;
	for (i = 0; i < GUARDS && result; i++) {
		if (guard[i].to)
			continue;
		guard[i].cut = 0;
		guard[i].page = VU_SLIP(HUGE_PAGE) ? 4096 : page;
		__atomic_store_n(&guard[i].from, (uintptr_t)base, __ATOMIC_RELAXED);
		__atomic_store_n(&guard[i].to, (uintptr_t)base + length, __ATOMIC_RELEASE);
		result = 0;
	}
	pthread_mutex_unlock(&guard_mutex);
	return result;
}

static struct guard *guard_of(const void *base)
{
	uint32_t i;

	for (i = 0; i < GUARDS; i++)
		if (guard[i].to && guard[i].from == (uintptr_t)base)
			return &guard[i];
	return NULL;
}

static void guard_remove(const void *base)
{
	struct guard *g;

	pthread_mutex_lock(&guard_mutex);
	g = guard_of(base);
	if (g)
		__atomic_store_n(&g->to, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&guard_mutex);
}

/* The mutex is held. */
static bool was_cut(const void *base)
{
	struct guard *g = guard_of(base);

	return g && __atomic_exchange_n(&g->cut, 0, __ATOMIC_RELAXED);
}

bool vu_was_cut(struct pvrom_vu_server *server)
{
	const uint32_t now = __atomic_load_n(&cuts, __ATOMIC_ACQUIRE);
	bool cut = false;
	uint32_t i;

	if (now == server->cuts)
		return false;
	server->cuts = now;
	pthread_mutex_lock(&guard_mutex);
	for (i = 0; i < server->memory.count; i++)
		cut |= was_cut(server->memory.map[i].base);
	cut |= server->log.bits && was_cut(server->log.base);
	cut |= server->inflight.at && was_cut(server->inflight.base);
	pthread_mutex_unlock(&guard_mutex);
	return cut;
}

/* ---- mappings ------------------------------------------------------------------------------------------ */

/* Huge pages are mapped from a multiple of their size, which fstat calls the file's block. */
static uint64_t page_of(const struct stat *st)
{
	const uint64_t block = (uint64_t)st->st_blksize;

	return block > 4096 && block <= 1ull << 30 && !(block & (block - 1)) ? block : 4096;
}

void *vu_map_shared(int fd, uint64_t offset, uint64_t size, void **base, size_t *length)
{
	struct stat st;
	uint64_t first, page;

	if (fstat(fd, &st))
		return NULL;
	if (!S_ISREG(st.st_mode) || !size || offset > INT64_MAX || size > INT64_MAX - offset ||
	    (uint64_t)st.st_size < offset + size) {
		errno = EINVAL;
		return NULL;
	}
	page = page_of(&st);
	first = offset & ~(page - 1);
	*length = (size_t)((offset - first + size + page - 1) & ~(page - 1));
	*base = mmap(NULL, *length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		     (off_t)first);
	if (*base == MAP_FAILED)
		return NULL;
	if (guard_add(*base, *length, page)) {
		munmap(*base, *length);
		errno = ENOSPC;
		return NULL;
	}
	madvise(*base, *length, MADV_DONTDUMP);
	return (uint8_t *)*base + (offset - first);
}

void vu_unmap_shared(void *base, size_t length)
{
	guard_remove(base);
	munmap(base, length);
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool region_is_valid(const struct vu_memory *memory, const struct vu_region *region)
{
	uint32_t i;

	if (!region->size || region->size > UINT64_MAX - region->gpa ||
	    region->size > UINT64_MAX - region->user || ((region->gpa | region->size) & 4095))
		return false;
	for (i = 0; i < memory->count; i++) {
		const struct vu_region *other = &memory->map[i].region;

		if (overlap(region->gpa, region->size, other->gpa, other->size) ||
		    overlap(region->user, region->size, other->user, other->size))
			return false;
	}
	return true;
}

static int map_region(struct vu_mapping *map, const struct vu_region *region, int fd)
{
	*map = (struct vu_mapping){ .region = *region, .uses = 1, .fd = fd };
	map->at =
		vu_map_shared(fd, region->offset, region->size, (void **)&map->base, &map->length);
	return map->at ? 0 : -errno;
}

static struct vu_mapping *find_region(struct vu_memory *memory, const struct vu_region *region)
{
	uint32_t i;

	for (i = 0; i < memory->count; i++) {
		const struct vu_region *r = &memory->map[i].region;

		if (r->gpa == region->gpa && r->user == region->user && r->size == region->size)
			return &memory->map[i];
	}
	return NULL;
}

/* QEMU 7.2 adds, and removes, each region once for every pair of a network card's queues. */
int vu_memory_add(struct vu_memory *memory, const struct vu_region *region, int fd)
{
	struct vu_mapping *same = find_region(memory, region);
	int result = -EINVAL;

	if (same && same->region.offset == region->offset) {
		same->uses += same->uses < UINT32_MAX;
		close(fd);
		return 0;
	}
	if (memory->count == PVROM_VU_REGIONS_MAX)
		result = -ENOSPC;
	else if (region_is_valid(memory, region))
		result = map_region(&memory->map[memory->count], region, fd);
	if (result)
		close(fd);
	else
		memory->count++;
	return result;
}

static void unmap(struct vu_mapping *map)
{
	vu_unmap_shared(map->base, map->length);
	close(map->fd);
}

bool vu_memory_remove(struct vu_memory *memory, const struct vu_region *region)
{
	struct vu_mapping *map = find_region(memory, region);

	if (!map)
		return false;
	if (--map->uses)
		return true;
	unmap(map);
	*map = memory->map[--memory->count];
	memory->last = 0;
	return true;
}

void vu_memory_clear(struct vu_memory *memory)
{
	while (memory->count)
		unmap(&memory->map[--memory->count]);
	memory->last = 0;
}

/* ---- look-ups ------------------------------------------------------------------------------------------- */

static void *within(const struct vu_mapping *map, uint64_t gpa, uint64_t *len)
{
	const uint64_t offset = gpa - map->region.gpa;

	if (gpa < map->region.gpa || offset >= map->region.size)
		return NULL;
	if (*len > map->region.size - offset)
		*len = map->region.size - offset;
	return map->at + offset;
}

void *vu_memory_at(struct vu_memory *memory, uint64_t gpa, uint64_t *len)
{
	void *at;
	uint32_t i;

	if (memory->last < memory->count) {
		at = within(&memory->map[memory->last], gpa, len);
		if (at)
			return at;
	}
	for (i = 0; i < memory->count && (!i || !VU_SLIP(REGIONS)); i++) {
		at = within(&memory->map[i], gpa, len);
		if (at) {
			memory->last = i;
			return at;
		}
	}
	return NULL;
}

bool vu_memory_gpa(const struct vu_memory *memory, uint64_t user, uint64_t *gpa)
{
	uint32_t i;

	for (i = 0; i < memory->count; i++) {
		const struct vu_region *r = &memory->map[i].region;

		if (user < r->user || user - r->user >= r->size)
			continue;
		*gpa = r->gpa + (user - r->user);
		return true;
	}
	return false;
}
