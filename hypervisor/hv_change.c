/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The machine changes under its running guest, as if it had been moved: from nested to shadow
 * paging and back, or its host core is saved, set up anew and loaded. All vCPUs stand still
 * meanwhile, between two runs and outside the core; the guest then finds its epoch raised.
 */
#include "hv.h"

#define IMAGE_ROOM 0x200000u /* a byte for each page of 4 GiB, and as much again */

static uint8_t image[IMAGE_ROOM];
static uint32_t stopped; /* 1: the world is, or is about to be */

/* ---- the world stands still ----------------------------------------------------------------- */

/* On a vCPU's own CPU, asked by REQUEST_PAUSE. */
void hv_change_wait(struct hv_vcpu *vcpu)
{
	do {
		__atomic_store_n(&vcpu->paused, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&stopped, __ATOMIC_SEQ_CST))
			sleep_until_interrupt();
		__atomic_store_n(&vcpu->paused, 0, __ATOMIC_SEQ_CST);
		/* Somebody may have stopped the world anew, and still have seen us paused. */
	} while (__atomic_load_n(&stopped, __ATOMIC_SEQ_CST));
}

static void ask_others(const struct hv_vcpu *self, uint32_t request)
{
	for (uint32_t i = 0; i < hv.cpus; i++)
		if (i != self->id)
			hv_request(&hv.vcpu[i], request);
}

/* The kick ends their sleep. */
static void resume(const struct hv_vcpu *self)
{
	__atomic_store_n(&stopped, 0, __ATOMIC_SEQ_CST);
	ask_others(self, REQUEST_KICK);
}

/*
 * Stops all but this one. False if another does so, or if another waits for this vCPU to stop or
 * flush, which goes before: try again later.
 */
static bool stop_others(struct hv_vcpu *self)
{
	if (__atomic_exchange_n(&stopped, 1, __ATOMIC_SEQ_CST))
		return false;
	ask_others(self, REQUEST_PAUSE);
	for (uint32_t i = 0; i < hv.cpus; i++)
		while (i != self->id && !__atomic_load_n(&hv.vcpu[i].paused, __ATOMIC_SEQ_CST)) {
			relax();
			if (__atomic_load_n(&self->requests, __ATOMIC_SEQ_CST) & REQUEST_STOP) {
				resume(self);
				return false;
			}
		}
	return true;
}

/* ---- changes -------------------------------------------------------------------------------- */

/* The control registers of all vCPUs that run, again, by the paging of now; false if one is not to
 * be had. */
static bool take_in_all(void)
{
	for (uint32_t i = 0; i < hv.cpus; i++) {
		struct hv_vcpu *vcpu = &hv.vcpu[i];
		struct pvrom_mmu_regs control = vcpu->control;

		if (vcpu->state == VCPU_RUNNING && !hv_control_set(vcpu, &control))
			return false;
		vcpu->vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
	}
	return true;
}

/* The engine forgets its shadows: with nested paging the guest's stores are seen by nobody. */
static void change_paging(void)
{
	for (uint32_t i = 0; i < hv.cpus; i++) {
		hv.vcpu[i].control = hv_control_of(&hv.vcpu[i]);
		pvrom_mmu_leave(hv.mmu, i);
	}
	pvrom_mmu_forget(hv.mmu);
	hv.nested = !hv.nested;
	if (!take_in_all()) {
		hv_print("hypervisor: a vCPU uses paging that cannot be shadowed: it stays "
			 "nested\n");
		hv.nested = true;
		take_in_all();
	}
	pvrom_host_set_hardware(&hv.host, hv_hardware_facts());
	hv.changes[0]++;
}

static void reload(void)
{
	enum pvrom_host_result result;
	size_t size;

	for (uint32_t i = 0; i < hv.cpus; i++) {
		hv_interrupts_look(&hv.vcpu[i], true);
		hv.vcpu[i].control = hv_control_of(&hv.vcpu[i]);
	}
	result = pvrom_host_save(&hv.host, image, sizeof(image), &size);
	hv_shadow_start();
	hv_pvrom_init();
	if (result == PVROM_HOST_OK)
		result = pvrom_host_load(&hv.host, image, size);
	if (result != PVROM_HOST_OK) {
		hv_print("hypervisor: the core's state cannot be saved or loaded: %u\n", result);
		hv_finish(HV_EXIT_LOST);
	}
	hv_clock_go_on();
	take_in_all();
	hv.changes[1]++;
}

/* For tests: at every so many calls and port accesses (a guest with nested paging makes few calls).
 */
void hv_change_count(void)
{
	uint32_t count = __atomic_add_fetch(&hv.calls, 1, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < ARRAY_SIZE(hv.options.every); i++)
		if (hv.options.every[i] && count % hv.options.every[i] == 0 &&
		    hv.changes[i] < hv.options.most)
			hv_change_want(1u << i);
}

/* From anywhere: what is wanted is done before any vCPU that notices runs on. */
void hv_change_want(uint32_t what)
{
	__atomic_fetch_or(&hv.wanted, what, __ATOMIC_SEQ_CST);
}

/* Before each run: does what is wanted. False if it could not be done yet. */
bool hv_change_now(struct hv_vcpu *vcpu)
{
	uint32_t wanted;

	if (!__atomic_load_n(&hv.wanted, __ATOMIC_SEQ_CST))
		return true;
	if (!stop_others(vcpu))
		return false;
	wanted = __atomic_exchange_n(&hv.wanted, 0, __ATOMIC_SEQ_CST);
	hv_lock_take(&hv.poll_lock);
	if (wanted & HV_WANT_RELOAD)
		reload();
	if (wanted & HV_WANT_PAGING)
		change_paging();
	hv_lock_release(&hv.poll_lock);
	resume(vcpu);
	return true;
}
