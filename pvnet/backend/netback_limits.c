/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Limits by words, of one card or of a group of them.
 */
#define _GNU_SOURCE
#include "netback.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct netback_limits {
	struct netback_limits *next;
	char *group; /* NULL: one card's own */
	uint32_t users;
	pthread_mutex_t mutex;
	bool has_out, has_in;
	struct pvrom_limit out, in;
};

static struct netback_limits *groups;
static pthread_mutex_t groups_mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void *mutex)
{
	pthread_mutex_lock(mutex);
}

static void unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static uint64_t now(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- making one ---------------------------------------------------------------------------------------- */

static bool set_up(struct pvrom_limit *limit, pthread_mutex_t *mutex, const struct netback_rates *r,
		   const char *name, char *message)
{
	limit->lock = lock;
	limit->unlock = unlock;
	limit->ctx = mutex;
	return pvrom_limit_set(limit, &r->bytes, &r->frames, now(NULL)) ||
	       netback_complain(message,
				"%s-bps, %s-pps: a burst needs a rate, which its own is not below",
				name, name);
}

static struct netback_limits *make(const struct netback_words *w, char *message)
{
	struct netback_limits *l = calloc(1, sizeof(*l));

	if (!l) {
		netback_complain(message, "no memory");
		return NULL;
	}
	pthread_mutex_init(&l->mutex, NULL);
	l->has_out = w->out.bytes.rate || w->out.frames.rate;
	l->has_in = w->in.bytes.rate || w->in.frames.rate;
	l->group = w->group ? strdup(w->group) : NULL;
	if (set_up(&l->out, &l->mutex, &w->out, "out", message) &&
	    set_up(&l->in, &l->mutex, &w->in, "in", message))
		return l;
	free(l->group);
	free(l);
	return NULL;
}

static struct netback_limits *find(const char *group)
{
	struct netback_limits *l;

	for (l = groups; l && group; l = l->next)
		if (l->group && !strcmp(l->group, group))
			return l;
	return NULL;
}

static bool any(const struct netback_words *w)
{
	static const struct netback_rates none;

	return w->group || memcmp(&w->out, &none, sizeof(none)) ||
	       memcmp(&w->in, &none, sizeof(none));
}

bool netback_limits_open(const struct netback_words *w, struct netback_limits **limits,
			 char *message)
{
	*limits = NULL;
	if (!any(w))
		return true;
	pthread_mutex_lock(&groups_mutex);
	*limits = find(w->group);
	if (!*limits) {
		*limits = make(w, message);
		if (*limits) {
			(*limits)->next = groups;
			groups = *limits;
		}
	}
	if (*limits)
		(*limits)->users++;
	pthread_mutex_unlock(&groups_mutex);
	return *limits;
}

/* ---- using and leaving it ------------------------------------------------------------------------------ */

void netback_limits_set(struct netback_limits *l, struct pvrom_net_host_setup *setup)
{
	setup->send_limit = l->has_out ? &l->out : NULL;
	setup->receive_limit = l->has_in ? &l->in : NULL;
	setup->now = now;
}

static void unlink_one(const struct netback_limits *l)
{
	struct netback_limits **at = &groups;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
}

void netback_limits_close(struct netback_limits *l)
{
	bool last;

	if (!l)
		return;
	pthread_mutex_lock(&groups_mutex);
	last = !--l->users;
	if (last)
		unlink_one(l);
	pthread_mutex_unlock(&groups_mutex);
	if (!last)
		return;
	pthread_mutex_destroy(&l->mutex);
	free(l->group);
	free(l);
}
