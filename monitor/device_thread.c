/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A device's own thread, and how other threads have something done by it. */
#include "device_thread.h"

/* io_uring wants to be opened by the thread that uses it. */
static void open_loop(struct device_thread *thread)
{
	int result = pvrom_loop_open(&thread->loop, 256);

	pthread_mutex_lock(&thread->lock);
	thread->opened = result;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
}

static struct device_task *take(struct device_thread *thread)
{
	struct device_task *task;

	pthread_mutex_lock(&thread->lock);
	task = thread->tasks;
	if (task != NULL)
		thread->tasks = task->next;
	pthread_mutex_unlock(&thread->lock);
	return task;
}

static void finish(struct device_thread *thread, struct device_task *task)
{
	pthread_mutex_lock(&thread->lock);
	task->done = true;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
}

static void do_tasks(struct device_thread *thread)
{
	struct device_task *task;

	while ((task = take(thread)) != NULL) {
		task->run(task->argument);
		finish(thread, task);
	}
}

static bool stopped(struct device_thread *thread)
{
	bool stop;

	pthread_mutex_lock(&thread->lock);
	stop = thread->stop;
	pthread_mutex_unlock(&thread->lock);
	return stop;
}

/* A wake that comes between the look at the tasks and the sleep is kept by its eventfd. */
static void *run_device(void *argument)
{
	struct device_thread *thread = argument;

	open_loop(thread);
	if (thread->opened < 0)
		return NULL;
	while (!stopped(thread)) {
		do_tasks(thread);
		pvrom_loop_sleep(&thread->loop, thread->work(thread->device));
		pvrom_loop_reap(&thread->loop);
	}
	pvrom_loop_close(&thread->loop);
	return NULL;
}

static int wait_until_open(struct device_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	while (thread->opened > 0)
		pthread_cond_wait(&thread->changed, &thread->lock);
	pthread_mutex_unlock(&thread->lock);
	return thread->opened;
}

int device_thread_start(struct device_thread *thread, uint64_t (*work)(void *device), void *device)
{
	int result;

	*thread = (struct device_thread){ .work = work, .device = device, .opened = 1 };
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->changed, NULL);
	result = -pthread_create(&thread->thread, NULL, run_device, thread);
	if (result == 0) {
		result = wait_until_open(thread);
		if (result < 0)
			pthread_join(thread->thread, NULL);
	}
	return result;
}

void device_thread_do(struct device_thread *thread, void (*run)(void *argument), void *argument)
{
	struct device_task task = { .run = run, .argument = argument }, **last;

	pthread_mutex_lock(&thread->lock);
	for (last = &thread->tasks; *last != NULL;)
		last = &(*last)->next;
	*last = &task;
	pvrom_loop_wake(&thread->loop);
	while (!task.done)
		pthread_cond_wait(&thread->changed, &thread->lock);
	pthread_mutex_unlock(&thread->lock);
}

void device_thread_wait(struct device_thread *thread)
{
	pvrom_loop_sleep(&thread->loop, UINT64_MAX);
	pvrom_loop_reap(&thread->loop);
}

void device_thread_stop(struct device_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pvrom_loop_wake(&thread->loop);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	pthread_mutex_destroy(&thread->lock);
	pthread_cond_destroy(&thread->changed);
}
