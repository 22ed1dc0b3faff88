/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A line of text for the host's log: bounded in length and number, and made harmless. */
#include "host_internal.h"

/* Only the printable characters of ASCII pass: what else a terminal obeys is too long a list. */
static char clean(char c)
{
	if (c < 0x20 || c >= 0x7f)
		return '?';
	return c;
}

/* Guests end their lines as they are used to; the embedder does it as he is used to. */
static uint32_t without_newline(const char *text, uint32_t len)
{
	return len && text[len - 1] == '\n' ? len - 1 : len;
}

/* One of the lines that the vCPU has left; refilled by other threads. */
static bool take_one(struct pvrom_host_vcpu *vcpu)
{
	uint32_t left = __atomic_load_n(&vcpu->log_left, __ATOMIC_RELAXED);

	while (left)
		if (__atomic_compare_exchange_n(&vcpu->log_left, &left, left - 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

static void hand_over(const struct pvrom_host_vcpu *vcpu, char *text, uint32_t len)
{
	const struct pvrom_host_config *config = &vcpu->host->config;
	uint32_t i;

	for (i = 0; i < len; i++)
		text[i] = clean(text[i]);
	if (config->ops->log)
		config->ops->log(config->ops_ctx, vcpu->id, text, len);
}

/* Argument 0: gpa of the text; argument 1: bytes, at most PVROM_LOG_MAX. */
uint32_t pvrom_base_log(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	char text[PVROM_LOG_MAX];
	uint32_t len;

	if (call->arg[1] > PVROM_LOG_MAX)
		return PVROM_STATUS_INVALID;
	len = (uint32_t)call->arg[1];
	if (pvrom_host_read(vcpu->host, (struct pvrom_gpa){ call->arg[0] }, text, len))
		return PVROM_STATUS_ADDRESS;
	if (!take_one(vcpu))
		return PVROM_STATUS_BUSY;
	hand_over(vcpu, text, without_newline(text, len));
	return PVROM_STATUS_OK;
}

void pvrom_host_refill_log(struct pvrom_host *host)
{
	uint32_t i;

	for (i = 0; i < host->config.vcpus; i++)
		__atomic_store_n(&host->vcpu[i].log_left, host->config.log_burst, __ATOMIC_RELAXED);
}
