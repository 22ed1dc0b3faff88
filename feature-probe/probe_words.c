/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Words for people, from the tables of feature_probe.h and of abi/. */
#include "probe_internal.h"

const char *pvrom_probe_vmm_name(uint32_t vmm)
{
	switch (vmm) {
#define VMM_(NAME, number, name, signature)                                                        \
	case number: return name;
		PVROM_PROBE_VMM_TABLE(VMM_)
#undef VMM_
	default: return "?";
	}
}

#define WORDS_(NAME, number, words)                                                                \
	case number: return words;

const char *pvrom_probe_rom_words(uint32_t rom)
{
	switch (rom) {
		PVROM_PROBE_ROM_TABLE(WORDS_)
	default: return "?";
	}
}

const char *pvrom_probe_answer_words(uint32_t answer)
{
	switch (answer) {
		PVROM_PROBE_ANSWER_TABLE(WORDS_)
	default: return "?";
	}
}
#undef WORDS_

const char *pvrom_probe_why_words(uint32_t why)
{
	switch (why) {
#define WHY_(NAME, number, words, text)                                                            \
	case number: return words;
		PVROM_REASON_TABLE(WHY_)
		PVROM_PROBE_WHY_TABLE(WHY_)
#undef WHY_
	default: return "?";
	}
}

const char *pvrom_probe_why_text(uint32_t why)
{
	switch (why) {
#define WHY_(NAME, number, words, text)                                                            \
	case number: return text;
		PVROM_REASON_TABLE(WHY_)
		PVROM_PROBE_WHY_TABLE(WHY_)
#undef WHY_
	default: return "?";
	}
}
