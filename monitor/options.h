/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the command line asks for. */
#ifndef PVRUN_OPTIONS_H
#define PVRUN_OPTIONS_H

#include "basics.h"

#define MAX_VCPUS 64   /* the size of a CPU set's one word */
#define MAX_MODULES 16 /* fits the boot area */
#define LEAST_MEMORY MIB(4)

enum stats_form { STATS_NONE, STATS_TEXT, STATS_JSON };
enum boot_method { BOOT_AUTO, BOOT_PVH, BOOT_MULTIBOOT };
enum rom_mode { ROM_ON, ROM_OFF, ROM_FILE };
/* Where a guest can find the ROM: the leaves, a copy in the option ROM window, or an address it is told. */
enum rom_route { FIND_CPUID, FIND_WINDOW, FIND_TOLD };

/* A file handed to the guest beside the kernel. */
struct module_arg {
	const char *path;
	const char *cmdline; /* "" if none */
};

/* A file that is a disk of the guest. */
struct disk_arg {
	const char *path;
	bool read_only;
	bool direct;   /* past the host's page cache */
	uint64_t iops; /* 0: as many as it does */
	uint64_t bps;  /* bytes a second; 0 the same */
	unsigned int queues;
};

/* A network card of the guest, and what is behind it. */
struct net_arg {
	char *backend;	    /* user, tap=NAME or port=SWITCH, and the words that are for it */
	const char *pcap;   /* a file for every frame, or NULL */
	uint8_t mac[6];	    /* all zero: one is made up */
	unsigned int pairs; /* of queues */
	unsigned int poll;  /* microseconds; for how long it looks for more before it sleeps */
};

#define MAX_DEVICES 8u /* disks and cards together: lines 16 to 23 of the I/O APIC */

/* What the command line asked for. */
struct options {
	const char *kernel;
	const char *append;
	const char *initrd;
	const char *rom_file;
	const char *stats_file;
	const char *save; /* where the machine goes at SIGUSR2, or NULL */
	const char *load; /* from where it goes on, or NULL */
	struct module_arg modules[MAX_MODULES];
	unsigned int module_count;
	struct disk_arg disks[MAX_DEVICES];
	unsigned int disk_count;
	struct net_arg nets[MAX_DEVICES];
	unsigned int net_count;
	unsigned int cpus;
	uint64_t memory; /* bytes, a multiple of the page size */
	enum boot_method boot;
	enum rom_mode rom;
	enum rom_route find;
	enum stats_form stats;
	bool no_reboot;
	bool quiet;
	bool tsc_alone;	       /* monotonic time follows nothing but the TSC */
	bool vmclock;	       /* a VMClock page in the last page of low memory */
	bool s3;	       /* the guest can suspend to memory */
	uint64_t features_off; /* bit n: feature n switched off by the operator */
	uint32_t slots;	       /* PVROM_SLOTS_x */
};

/* options.c */
void options_parse(struct options *opt, int argc, char **argv);
unsigned int options_devices(const struct options *opt);

/* net_options.c */
#define MAX_PAIRS 8u
struct argp_state;
void net_option(struct argp_state *state, struct options *opt, char *text);
void net_option_mac(struct argp_state *state, struct options *opt, const char *text);
void net_option_pcap(struct argp_state *state, struct options *opt, const char *path);
void net_options_finish(struct options *opt);

#endif
