/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Locks, and requests to other CPUs. Interrupts are off while a lock is held, and whoever holds one
 * waits for no other CPU but one that runs its guest, which a kick always ends.
 */
#include "hv.h"

/* A word that is 0 while nobody has it; the type is that of the libraries' callbacks. */
void hv_lock_take(void *lock)
{
	/* Acquire: what the last holder wrote; partner: hv_lock_release(). */
	while (__atomic_exchange_n((uint32_t *)lock, 1, __ATOMIC_ACQUIRE))
		relax();
}

void hv_lock_release(void *lock)
{
	__atomic_store_n((uint32_t *)lock, 0, __ATOMIC_RELEASE);
}

/*
 * The request is there before the look at in_guest; the vCPU says in_guest before it looks at its
 * requests (hv_vcpu.c): with both in sequential order, one of the two sees the other.
 */
void hv_request(struct hv_vcpu *vcpu, uint32_t requests)
{
	__atomic_fetch_or(&vcpu->requests, requests, __ATOMIC_SEQ_CST);
	if (vcpu == hv_this_vcpu())
		return;
	hv_apic_send(vcpu->apic_id, KICK_VECTOR);
}

/* Returns when the vCPU cannot execute another instruction of the guest before what was asked is
 * done. */
void hv_wait_for(struct hv_vcpu *vcpu, uint32_t requests)
{
	while (__atomic_load_n(&vcpu->in_guest, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST) & requests)
		relax();
}
