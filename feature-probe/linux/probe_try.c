/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --try: features that Linux was granted do their act, and the effect is looked for. The clock goes on, by the
 * module's PTP clock or as Linux's clocksource; a device of the bus is in use by its driver, a disk gives a sector, a
 * network card that is up takes a frame, addressed to itself. Where a permission or the device is missing, the
 * feature is not tried.
 */
#include "probe_linux.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEVICES "/sys/devices/pvrom/virtio*/"
#define SECTOR 4096u /* what any disk reads with O_DIRECT */
#define DRIVER_OK 4u /* VIRTIO 1.2, 2.1 */
#define PATIENCE_MS 2000
#define EXPERIMENT 0x88b5 /* the Ethernet type for local experiments */

static void note(struct pvrom_probe_evidence *evidence, uint32_t feature, bool worked)
{
	evidence->tried |= PVROM_FEATURE_BIT(feature);
	if (worked)
		evidence->worked |= PVROM_FEATURE_BIT(feature);
}

static bool file_says(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (file == NULL)
		return false;
	got = fgets(text, (int)room, file) != NULL;
	fclose(file);
	if (got)
		text[strcspn(text, "\n")] = '\0';
	return got;
}

static void wait_ms(long ms)
{
	const struct timespec time = { 0, ms * 1000000 };

	nanosleep(&time, NULL);
}

/* ---- the clock --------------------------------------------------------------------------------------------- */

static bool goes_on(clockid_t clock)
{
	struct timespec first, second;

	if (clock_gettime(clock, &first) != 0)
		return false;
	wait_ms(1);
	return clock_gettime(clock, &second) == 0 &&
	       (second.tv_sec > first.tv_sec ||
		(second.tv_sec == first.tv_sec && second.tv_nsec > first.tv_nsec));
}

/* A clock of a file descriptor: the kernel's FD_TO_CLOCKID(). */
static clockid_t clock_of(int fd)
{
	return (clockid_t)(~(unsigned int)fd << 3 | 3);
}

static int open_ptp(void)
{
	char name[32], path[32];

	for (int i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "/sys/class/ptp/ptp%d/clock_name", i);
		if (!file_says(path, name, sizeof(name)) || strcmp(name, "pvrom") != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/ptp%d", i);
		return open(path, O_RDONLY | O_CLOEXEC);
	}
	return -1;
}

static void try_clock(struct pvrom_probe_evidence *evidence)
{
	static const char source[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	char name[32];
	int fd = open_ptp();

	if (fd >= 0) {
		note(evidence, PVROM_FEATURE_CLOCK, goes_on(clock_of(fd)));
		close(fd);
	} else if (file_says(source, name, sizeof(name)) && strcmp(name, "pvrom") == 0) {
		note(evidence, PVROM_FEATURE_CLOCK, goes_on(CLOCK_MONOTONIC));
	}
}

/* ---- devices ------------------------------------------------------------------------------------------------ */

/* The first of a kind; false if there is none. */
static bool first_of(const char *pattern, char path[PATH_MAX])
{
	glob_t found;
	bool any = glob(pattern, 0, NULL, &found) == 0;

	if (any) {
		snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]);
		globfree(&found);
	}
	return any;
}

static void try_device(struct pvrom_probe_evidence *evidence)
{
	char path[PATH_MAX], text[32];

	if (!first_of(DEVICES "status", path) || !file_says(path, text, sizeof(text)))
		return;
	note(evidence, PVROM_FEATURE_DEV, (strtoul(text, NULL, 0) & DRIVER_OK) != 0);
}

static void try_disk(struct pvrom_probe_evidence *evidence)
{
	char path[PATH_MAX], device[64];
	void *sector;
	int fd;

	if (!first_of(DEVICES "block/*", path))
		return;
	snprintf(device, sizeof(device), "/dev/%.50s", strrchr(path, '/') + 1);
	fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return;
	if (posix_memalign(&sector, SECTOR, SECTOR) == 0) {
		note(evidence, PVROM_FEATURE_BLK, pread(fd, sector, SECTOR, 0) > 0);
		free(sector);
	}
	close(fd);
}

static unsigned long sent_by(const char *device)
{
	char path[PATH_MAX + 32], text[32];

	snprintf(path, sizeof(path), "%s/statistics/tx_packets", device);
	return file_says(path, text, sizeof(text)) ? strtoul(text, NULL, 10) : 0;
}

/* Counted by the driver when the card has given the frame back. */
static bool is_sent(const char *device, unsigned long before)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
		if (sent_by(device) != before)
			return true;
		wait_ms(10);
	}
	return false;
}

static bool send_to_itself(int fd, const char *device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = __builtin_bswap16(EXPERIMENT),
				  .sll_halen = ETH_ALEN };
	unsigned char frame[ETH_ZLEN] = { 0 };
	char path[PATH_MAX + 32], text[32];
	struct ether_addr own;

	snprintf(path, sizeof(path), "%s/address", device);
	if (!file_says(path, text, sizeof(text)) || ether_aton_r(text, &own) == NULL)
		return false;
	memcpy(frame, &own, ETH_ALEN);
	memcpy(frame + ETH_ALEN, &own, ETH_ALEN);
	frame[12] = EXPERIMENT >> 8;
	frame[13] = EXPERIMENT & 0xff;
	to.sll_ifindex = (int)if_nametoindex(strrchr(device, '/') + 1);
	return sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) ==
	       sizeof(frame);
}

static void try_net(struct pvrom_probe_evidence *evidence)
{
	char device[PATH_MAX];
	unsigned long before;
	int fd;

	if (!first_of(DEVICES "net/*", device))
		return;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	before = sent_by(device);
	if (send_to_itself(fd, device))
		note(evidence, PVROM_FEATURE_NET, is_sent(device, before));
	close(fd);
}

void try_features(struct pvrom_probe_evidence *evidence)
{
	try_clock(evidence);
	try_device(evidence);
	try_disk(evidence);
	try_net(evidence);
}
