/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Writes the ROM that the host core builds to a file, for instance to be given to a machine as an
 * option ROM although no host stands behind it: rom-image [native|inline|call] FILE. The form is how
 * slots are served where there is a choice (inline: as many templates as there are).
 *
 * Transport and live port are those of pvrun, so that the guest has a port to ask and, on such a
 * machine, gets no answer.
 */
#include <pvrom/host.h>
#include <stdio.h>
#include <string.h>

#define TRANSPORT_PORT	0xe4
#define LIVE_PORT	0x5650
#define LIVE_KEY	0x70764c4bu

static uint8_t image[PVROM_ROM_SIZE_MAX];

/* There is no guest: nothing of this is called while an image is built. */
static void *no_memory(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	(void)gpa;
	(void)len;
	return NULL;
}

static void no_lock(void *ctx)
{
	(void)ctx;
}

static uint64_t no_time(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
	return 0;
}

static enum pvrom_host_result build(uint32_t slots, size_t *size)
{
	static const struct pvrom_host_ops ops = {
		.translate = no_memory, .lock = no_lock, .unlock = no_lock, .tsc = no_time,
	};
	static const struct pvrom_host_feature *const features[] = {
		&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, NULL,
	};
	static struct pvrom_host_vcpu vcpu;
	static struct pvrom_host host;
	const struct pvrom_host_config config = {
		.ops = &ops, .features = features, .vcpus = 1, .log_burst = 1,
		.transport = PVROM_TRANSPORT_PORT, .transport_port = TRANSPORT_PORT,
		.live_port = LIVE_PORT, .live_key = LIVE_KEY,
		.slots = slots,
	};
	enum pvrom_host_result result = pvrom_host_init(&host, &config, &vcpu);

	return result == PVROM_HOST_OK ?
	       pvrom_host_build_rom(&host, image, sizeof(image), size) : result;
}

/* PVROM_SLOTS_x, or 0 for a word that is none. */
static uint32_t slots_by_name(const char *name)
{
	static const char *const names[] = {
		[PVROM_SLOTS_NATIVE] = "native",
		[PVROM_SLOTS_INLINE] = "inline",
		[PVROM_SLOTS_CALL] = "call",
	};
	uint32_t form;

	for (form = PVROM_SLOTS_NATIVE; form <= PVROM_SLOTS_CALL; form++)
		if (strcmp(name, names[form]) == 0)
			return form;
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t slots = argc == 3 ? slots_by_name(argv[1]) : PVROM_SLOTS_INLINE;
	const char *file = argv[argc - 1];
	enum pvrom_host_result result;
	size_t size = 0;
	FILE *out;
	int bad;

	if (argc < 2 || argc > 3 || file[0] == '-' || !slots) {
		fprintf(stderr, "usage: rom-image [native|inline|call] FILE\n");
		return 2;
	}
	result = build(slots, &size);
	if (result != PVROM_HOST_OK) {
		fprintf(stderr, "rom-image: the host core refuses (result %d)\n", (int)result);
		return 1;
	}
	out = fopen(file, "wb");
	bad = !out || fwrite(image, 1, size, out) != size;
	if (out && fclose(out))
		bad = 1;
	if (bad)
		perror(file);
	return bad;
}
