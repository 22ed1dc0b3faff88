/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The command line: words for the hypervisor, then "--", then the guest's own, as it is. */
#include "hv.h"

#define GUEST_MIB 256u
#define POOL_PAGES 4096u /* of which the reference kernel's suite uses a tenth */

/* Features without which a guest here has no interrupts at all, for there is no APIC. */
#define KEPT                                                                                       \
	(PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) | PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) |             \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM))

static size_t word_length(const char *word)
{
	size_t length = 0;

	while (word[length] && word[length] != ' ')
		length++;
	return length;
}

static bool is_word(const char *word, const char *name)
{
	return hv_begins(word, name) && word_length(word) == word_length(name);
}

/* The bit of the feature that the word names; 0 if there is none. */
static uint64_t feature_bit(const char *word)
{
#define FEATURE(NAME, number, needs, name, text)                                                   \
	(is_word(word, name) ? PVROM_FEATURE_BIT(number) : 0) |
	return PVROM_FEATURE_TABLE(FEATURE) 0;
#undef FEATURE
}

static bool read_off(const char *value, struct hv_options *options)
{
	uint64_t bit = feature_bit(value);

	if (bit & KEPT) {
		hv_print("hypervisor: %.*s cannot be switched off: a guest here has no APIC\n",
			 (int)word_length(value), value);
		return false;
	}
	options->features_off |= bit;
	return bit != 0;
}

static bool read_word(const char *word, struct hv_options *options)
{
	const struct {
		const char *name;
		uint32_t *value;
	} numbers[] = {
		{ "cpus=", &options->cpus },	   { "memory=", &options->memory_mib },
		{ "pool=", &options->pool },	   { "change=", &options->every[0] },
		{ "reload=", &options->every[1] }, { "most=", &options->most },
		{ "poll=", &options->poll },
	};

	static const char *const slots[] = { "slots=native", "slots=inline", "slots=call" };

	for (uint32_t i = 0; i < ARRAY_SIZE(slots); i++)
		if (hv_begins(word, slots[i])) {
			options->slots = PVROM_SLOTS_NATIVE + i;
			return true;
		}
	if (hv_begins(word, "off="))
		return read_off(word + 4, options);
	if (hv_begins(word, "npt=on") || hv_begins(word, "npt=off")) {
		options->nested = word[5] == 'n';
		return true;
	}
	if (hv_begins(word, "tsc-alone"))
		return options->tsc_alone = true;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (hv_begins(word, numbers[i].name)) {
			*numbers[i].value = hv_number(word);
			return true;
		}
	return false;
}

/* False, and said why, for a word that means nothing here. */
bool hv_options_read(const char *text, struct hv_options *options)
{
	*options = (struct hv_options){ .guest = "",
					.memory_mib = GUEST_MIB,
					.nested = true,
					.pool = POOL_PAGES,
					.most = UINT32_MAX };
	for (;; text += word_length(text)) {
		while (*text == ' ')
			text++;
		if (!*text)
			return true;
		if (is_word(text, "--")) {
			options->guest = text[2] ? text + 3 : text + 2;
			return true;
		}
		if (!read_word(text, options)) {
			hv_print("hypervisor: what is %.*s?\n", (int)word_length(text), text);
			return false;
		}
	}
}
