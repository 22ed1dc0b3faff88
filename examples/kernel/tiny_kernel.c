/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The smallest kernel that uses the shim: says what it got, and powers off. One CPU, no interrupts. */
#include <pvrom/guest.h>
#include <pvrom/kernel_api.h>
#include <pvrom/sites.h>

#define MAPPED 0x40000000u /* the boot code maps the first GiB one to one ... */
#define COPY 0x400000u	   /* ... in pages of 2 MiB; this one is kept for the copy of the ROM */

extern volatile uint64_t directory[512];
extern struct pvrom_site sites[], sites_end[];
void kernel_main(void);

/* tag::api[] */
const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	return gpa < MAPPED && size <= MAPPED - gpa ? (const void *)gpa : NULL;
}

void pvrom_os_unmap(void *os, const void *where, size_t size)
{
}

uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	return (uint64_t)where;
}

static void *protect_copy(uint64_t bits)
{
	directory[COPY >> 21] = COPY | bits;
	__asm__ volatile("invlpg (%0)" ::"r"((uint64_t)COPY) : "memory");
	return (void *)(uint64_t)COPY;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	return protect_copy(1ull << 63 | 0x83); /* no execute, large, writable, present */
}

void pvrom_os_text_free(void *os, void *where, size_t size)
{
}

bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	return protect_copy(0x81) == where; /* large, present */
}

bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	__builtin_memcpy(where, bytes, size); /* this kernel's text is writable */
	return true;
}

void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	act(argument); /* there is no other CPU */
	__asm__ volatile("xor %%eax, %%eax; cpuid" ::: "eax", "ebx", "ecx", "edx", "memory");
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	return false;
}
/* end::api[] */

static void say(const char *text)
{
	for (; *text; text++)
		pvrom_out8(0x3f8, (uint8_t)*text);
}

/* tag::main[] */
static const struct pvrom_policy policy = { .wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) };
static struct pvrom_guest guest;

void kernel_main(void)
{
	pvrom_guest_init(&guest, &policy, NULL);
	pvrom_guest_start(&guest, sites, (size_t)(sites_end - sites));
	say(pvrom_verdict_words(guest.verdict));
	say(guest.granted ? ": cpu granted\n" : ": running native\n");
	pvrom_call(&guest, PVROM_BASE_SHUTDOWN, PVROM_SHUTDOWN_OFF, 0, 0, 0, NULL);
	pvrom_out8(0xf4, 0); /* no host behind us: leave by the debug exit port */
	for (;;)
		pvrom_halt();
}
/* end::main[] */
