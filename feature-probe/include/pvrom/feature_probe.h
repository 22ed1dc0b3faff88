/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a machine offers, what it withholds, and why: evidence in, verdicts out. Freestanding: the same core
 * stands behind the Linux command, the UEFI application and kernels at boot. Nothing is allocated, no global state,
 * no privileged instruction; every byte of evidence may be wrong, and is judged, not believed.
 *
 *	struct pvrom_probe_evidence *evidence;		some 16 KiB, the caller's
 *
 *	pvrom_probe_start(evidence);
 *	pvrom_probe_take_cpuid(evidence, cpuid);	and what else the face can find out
 *	pvrom_probe_judge(evidence, &verdict);
 *	pvrom_probe_report(&verdict, line, ctx);
 */
#ifndef PVROM_FEATURE_PROBE_H
#define PVROM_FEATURE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- evidence -------------------------------------------------------------------------------- */

#define PVROM_PROBE_LEAVES 192u
#define PVROM_PROBE_FACTS 48u
#define PVROM_PROBE_NAME 24u   /* bytes of a fact's name, with its end */
#define PVROM_PROBE_VALUE 160u /* of its value; longer ones are cut off */

struct pvrom_probe_leaf {
	uint32_t leaf, subleaf;
	uint32_t regs[4]; /* eax ebx ecx edx */
};

/*
 * Something that a face has found out beside CPUID, under one of these names:
 *
 *	kernel		the operating system and its version
 *	container	docker, lxc, ...: the probe runs in one
 *	dmi.vendor	who made the machine, by its firmware's tables
 *	dmi.product	what they call it
 *	xen		what /sys/hypervisor says: xen
 *	xen.guest	PV, PVH or HVM
 *	cc		sev, sev-es, sev-snp or tdx: this is a confidential guest
 *	vmx.ept		yes or no: the processor (or who plays it) has EPT
 *	rom.place	where firmware left the ROM: UEFI configuration table or PCI expansion ROM
 *	rom.expansion	which expansion ROMs were not read, and why
 *	rom.kernel	what this kernel's own shim said of the ROM, a verdict's words
 *	kvm		runs; absent; denied; fails, and why: whether this machine's KVM runs a guest, tried
 *	kvm.module	which part of KVM runs guests: kvm_amd, kvm_intel, kvm_pvm
 *	kvm.nested_paging	yes or no: whether that uses EPT or NPT
 *	kvm.apic	yes or no: whether it uses APICv or AVIC
 */
struct pvrom_probe_fact {
	char name[PVROM_PROBE_NAME];
	char value[PVROM_PROBE_VALUE];
};

/* Was the place of the ROM looked at? */
enum pvrom_probe_look {
	PVROM_PROBE_NOT_LOOKED, /* no permission, or no way to */
	PVROM_PROBE_LOOKED,	/* rom is what stands there, or NULL if nothing does */
};

struct pvrom_probe_evidence {
	char source[PVROM_PROBE_VALUE]; /* where it comes from, for people */
	struct pvrom_probe_leaf leaf[PVROM_PROBE_LEAVES];
	struct pvrom_probe_fact fact[PVROM_PROBE_FACTS];
	uint32_t leaves, facts;
	/*
	 * The ROM: a copy of the caller's own, for it is read more than once, and a host may change what it shows. rom
	 * has rom_room bytes, which the caller supplies for pvrom_probe_read().
	 */
	uint8_t *rom;
	size_t rom_size, rom_room;
	uint32_t rom_route; /* PVROM_ROUTE_x */
	uint32_t look;	    /* enum pvrom_probe_look */
	bool port_answers;  /* the live port does */
	bool two_roms;	    /* there is another one, of the same major: a kernel takes neither */
	/* A kernel that was asked about, by its ELF note; its name is the fact "wants". */
	bool has_wants;
	uint64_t wanted, required;
	/* What a host answered, if somebody could ask it. */
	bool has_offer;
	struct pvrom_offer offer;
	/* Features whose act was tried, and those of them whose effect was seen. */
	uint64_t tried, worked;
};

/* Nothing is known yet. */
void pvrom_probe_start(struct pvrom_probe_evidence *evidence);

/* False: there is no room, or there is one already. */
bool pvrom_probe_add_leaf(struct pvrom_probe_evidence *evidence, uint32_t leaf, uint32_t subleaf,
			  const uint32_t regs[4]);
bool pvrom_probe_add_fact(struct pvrom_probe_evidence *evidence, const char *name,
			  const char *value);

/* The registers of a leaf, NULL if it was not recorded; a fact's value, NULL if it is not known. */
const uint32_t *pvrom_probe_leaf(const struct pvrom_probe_evidence *evidence, uint32_t leaf,
				 uint32_t subleaf);
const char *pvrom_probe_fact(const struct pvrom_probe_evidence *evidence, const char *name);
/* A bit of a register (0 to 3: eax to edx); false if the leaf was not recorded. */
bool pvrom_probe_bit(const struct pvrom_probe_evidence *evidence, uint32_t leaf, uint32_t reg,
		     uint32_t bit);

/* Records all leaves that the verdicts look at, and those around them. */
void pvrom_probe_take_cpuid(struct pvrom_probe_evidence *evidence,
			    void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]));

/* ---- recordings ------------------------------------------------------------------------------ */

/* One line of text, without its end. */
typedef void pvrom_probe_line_fn(void *ctx, const char *text);

/*
 * Writes the evidence as text, which pvrom_probe_read() takes back: one thing a line, its kind first. The first
 * line is "pvrom-evidence 1".
 */
void pvrom_probe_write(const struct pvrom_probe_evidence *evidence, pvrom_probe_line_fn *line,
		       void *ctx);

/* Reads such a text of size bytes, over what is there. 0, or the number of the first line that is wrong. */
uint32_t pvrom_probe_read(struct pvrom_probe_evidence *evidence, const char *text, size_t size);

/* Adds lines of such a text, without its first, to the evidence. The same result; a line before stays taken. */
uint32_t pvrom_probe_read_more(struct pvrom_probe_evidence *evidence, const char *text,
			       size_t size);

/* ---- verdicts -------------------------------------------------------------------------------- */

/* X(NAME, number, name, 12 bytes of CPUID): hypervisors, and the interfaces that are called after them. */
#define PVROM_PROBE_VMM_TABLE(X)                                                                   \
	X(NONE, 0, "none", "")                                                                     \
	X(VMWARE, 1, "VMware", "VMwareVMware")                                                     \
	X(XEN, 2, "Xen", "XenVMMXenVMM")                                                           \
	X(VIRTUALBOX, 3, "VirtualBox", "VBoxVBoxVBox")                                             \
	X(BHYVE, 4, "bhyve", "bhyve bhyve ")                                                       \
	X(TCG, 5, "QEMU's software CPU (TCG)", "TCGTCGTCGTCG")                                     \
	X(PARALLELS, 6, "Parallels", "prl hyperv  ")                                               \
	X(ACRN, 7, "ACRN", "ACRNACRNACRN")                                                         \
	X(OPENBSD, 8, "OpenBSD vmm", "OpenBSDVMM58")                                               \
	X(NVMM, 9, "NetBSD NVMM", "___ NVMM ___")                                                  \
	X(JAILHOUSE, 10, "Jailhouse", "Jailhouse\0\0\0")                                           \
	X(QNX, 11, "QNX", "QNXQVMBSQG\0\0")                                                        \
	X(KVM, 12, "KVM", "KVMKVMKVM\0\0\0")                                                       \
	X(HYPERV, 13, "Hyper-V", "Microsoft Hv")                                                   \
	X(PVROM, 14, "pvrom", "pvROM/pvROM/")                                                      \
	X(UNKNOWN, 15, "unknown", "")

#define PVROM_PROBE_CONSTANT_(NAME, number, ...) PVROM_PROBE_VMM_##NAME = number,
enum pvrom_probe_vmm { PVROM_PROBE_VMM_TABLE(PVROM_PROBE_CONSTANT_) PVROM_PROBE_VMM_COUNT };

/* X(NAME, number, words) */
#define PVROM_PROBE_ROM_TABLE(X)                                                                   \
	X(NONE, 0, "none")                                                                         \
	X(NOT_READ, 1, "named by CPUID, not read")                                                 \
	X(NOT_LOOKED, 2, "none by CPUID; physical memory was not looked at")                       \
	X(VALID, 3, "valid, with a live host")                                                     \
	X(NOT_LIVE, 4, "valid, but nothing shows a live host behind it")                           \
	X(REFUSED, 5, "refused")

#define PVROM_PROBE_ROM_CONSTANT_(NAME, number, words) PVROM_PROBE_ROM_##NAME = number,
enum pvrom_probe_rom { PVROM_PROBE_ROM_TABLE(PVROM_PROBE_ROM_CONSTANT_) PVROM_PROBE_ROM_COUNT };

/* X(NAME, number, words) */
#define PVROM_PROBE_ANSWER_TABLE(X)                                                                \
	X(UNKNOWN, 0, "?")                                                                         \
	X(NO, 1, "no")                                                                             \
	X(YES, 2, "yes")                                                                           \
	X(NOT_TRIED, 3, "not tried")

#define PVROM_PROBE_ANSWER_CONSTANT_(NAME, number, words) PVROM_PROBE_##NAME = number,
enum pvrom_probe_answer {
	PVROM_PROBE_ANSWER_TABLE(PVROM_PROBE_ANSWER_CONSTANT_) PVROM_PROBE_ANSWER_COUNT
};

/*
 * Why the answer about a feature is not yes: X(NAME, number, words, explanation). The first ones are the
 * host's own, PVROM_REASON_x, and have its words.
 */
#define PVROM_PROBE_WHY_TABLE(X)                                                                   \
	X(NO_ROM, 16, "no ROM here",                                                               \
	  "Nobody on this machine offers pvrom: neither CPUID nor any place where a ROM may lie "  \
	  "names one. A kernel runs native.")                                                      \
	X(NOT_LOOKED, 17, "physical memory could not be read",                                     \
	  "CPUID names no ROM, but one may lie where only a privileged reader can look (the "      \
	  "option ROM window, say). Run the probe as root, where there is a /dev/mem.")            \
	X(ROM_REFUSED, 18, "the ROM is refused",                                                   \
	  "There is a ROM, and a kernel would not use it: it is damaged, or of another version. "  \
	  "A kernel runs native.")                                                                 \
	X(NOT_LIVE, 19, "no live host",                                                            \
	  "The ROM is whole, but neither CPUID nor its port answers for it: a copy without its "   \
	  "host, which a kernel does not use.")                                                    \
	X(NOT_ASKED, 20, "the host was not asked",                                                 \
	  "What a host offers it says to a kernel that asks, by a call that user mode cannot "     \
	  "make. Where Linux has pvrom's module loaded, that has asked.")                          \
	X(NOT_WANTED, 21, "the kernel does not want it",                                           \
	  "The kernel that was asked about does not name the feature among those that it has "     \
	  "code for: in the note of its file, or when it asked the host.")                         \
	X(REQUIRED_MISSING, 22, "the kernel would refuse the host",                                \
	  "The kernel that was asked about cannot do without a feature that the host does not "    \
	  "offer. It takes none, then, and runs native.")                                          \
	X(NOT_SEEN, 23, "tried, and no effect was seen",                                           \
	  "The feature was granted and its act was tried, but what it should have changed did "    \
	  "not change.")

#define PVROM_PROBE_WHY_CONSTANT_(NAME, number, words, text) PVROM_PROBE_WHY_##NAME = number,
enum pvrom_probe_why { PVROM_PROBE_WHY_TABLE(PVROM_PROBE_WHY_CONSTANT_) };

/* What is known of one feature: enum pvrom_probe_answer each, and a reason. */
struct pvrom_probe_feature {
	uint8_t can;	  /* the host has code for it */
	uint8_t advised;  /* the host advises it to this guest */
	uint8_t hardware; /* the hardware makes it pointless */
	uint8_t offered;  /* the host grants it to who wants it */
	uint8_t granted; /* it would be granted to the kernel that was asked about, or to who wants all */
	uint8_t works; /* its effect was seen */
	uint8_t why; /* PVROM_REASON_x or enum pvrom_probe_why; PVROM_REASON_NONE: nothing to explain */
	uint8_t reserved;
};

struct pvrom_probe_verdict {
	/* Who runs this machine, as far as it shows: enum pvrom_probe_vmm. */
	uint32_t vmm;
	/* Bit n: the interface of hypervisor n is there. Several at once are usual. */
	uint32_t interfaces;
	bool hypervisor_bit; /* CPUID says that there is a hypervisor */
	bool hidden;	     /* it does not, or names nobody, but the firmware's tables tell */
	bool root;	     /* Hyper-V's own root partition, or Xen's dom0 */
	bool nested_guest;   /* hypervisors can run here: VMX or SVM is there */
	bool invariant_tsc, x2apic, tsc_deadline;
	bool amd;	       /* or Hygon; else Intel, or another */
	bool host;	       /* by pvrom_probe_judge_host() */
	uint8_t nested_paging; /* enum pvrom_probe_answer: EPT or NPT for guests of this machine */
	uint8_t apic;	       /* the same of APICv and AVIC */
	const char *container; /* NULL: none; else as the evidence says */
	const char *kvm;       /* the fact of that name */
	const char *kvm_module;
	const char *cc;
	uint32_t rom;	      /* enum pvrom_probe_rom */
	uint32_t rom_verdict; /* PVROM_VERDICT_x: what a kernel would say of it */
	uint32_t route;	      /* PVROM_ROUTE_x */
	uint16_t rom_major, rom_minor;
	struct pvrom_probe_feature feature[PVROM_FEATURE_COUNT];
};

/* verdict points into evidence for its texts. */
void pvrom_probe_judge(const struct pvrom_probe_evidence *evidence,
		       struct pvrom_probe_verdict *verdict);

/*
 * The same of a host that could be built here: evidence->offer is what it would offer, and the verdict's
 * features are judged as if a guest had found it alive.
 */
void pvrom_probe_judge_host(const struct pvrom_probe_evidence *evidence,
			    struct pvrom_probe_verdict *verdict);

/* The exit status of a quiet probe: 0 present and valid, 1 none, 3 present but refused, 4 not readable. */
uint32_t pvrom_probe_status(const struct pvrom_probe_verdict *verdict);

/* Words of the tables above; "?" for other numbers. */
const char *pvrom_probe_vmm_name(uint32_t vmm);
const char *pvrom_probe_rom_words(uint32_t rom);
const char *pvrom_probe_answer_words(uint32_t answer);
const char *pvrom_probe_why_words(uint32_t why);
const char *pvrom_probe_why_text(uint32_t why);

/* The verdict for people, 80 columns; the same as JSON (schema: pvrom-probe(1)); and the evidence that led to
 * it, a sentence a line. */
void pvrom_probe_report(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
			void *ctx);
void pvrom_probe_json(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		      void *ctx);
/* The same as a picture, for Graphviz. */
void pvrom_probe_dot(const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		     void *ctx);
void pvrom_probe_chain(const struct pvrom_probe_evidence *evidence,
		       const struct pvrom_probe_verdict *verdict, pvrom_probe_line_fn *line,
		       void *ctx);

#ifdef __cplusplus
}
#endif

#endif
