/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The user's terminal: raw while the guest runs, given back as it was however
 * pvrun ends; ctrl-a x leaves, ctrl-a ctrl-a is one ctrl-a for the guest.
 */
#include "pc_devices.h"
#include "machine_sleep.h"
#include "run_vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CTRL_A 0x01

static struct termios saved;
static bool is_raw; /* stdin is a terminal, and raw now */

/* The machine that gets the input; none between two lives. */
static pthread_mutex_t attach_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vm *attached;

/* Async-signal-safe. */
static void restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/* Restores the terminal, then lets the signal do what it always does. Async-signal-safe. */
void terminal_die(int number)
{
	sigset_t set;

	restore();
	sigemptyset(&set);
	sigaddset(&set, number);
	signal(number, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	_exit(EXIT_CANNOT_RUN); /* not reached */
}

static void on_fatal_signal(int number)
{
	number = last_words_signal(number);
	if (number != 0)
		terminal_die(number);
}

static void catch_fatal_signals(void)
{
	static const int fatal[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGALRM,
	};
	struct sigaction action = { .sa_handler = on_fatal_signal, .sa_flags = SA_NODEFER };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Keeps output processing, so that messages of pvrun still look right. */
static void make_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	raw = saved;
	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | ISTRIP | BRKINT);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	is_raw = true;
	atexit(restore);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void wait_a_little(void)
{
	const struct timespec ten_ms = { .tv_nsec = 10000000 };

	nanosleep(&ten_ms, NULL);
}

static bool try_to_give(uint8_t byte)
{
	bool taken;

	pthread_mutex_lock(&attach_lock);
	taken = attached != NULL && serial_receive(&attached->serial, byte);
	pthread_mutex_unlock(&attach_lock);
	return taken;
}

/*
 * Gives a byte to the machine. When it has no room, a pipe waits; what is typed
 * is lost, or ctrl-a x would wait behind it.
 */
static void give(uint8_t byte)
{
	while (!try_to_give(byte) && !is_raw)
		wait_a_little();
}

static void leave(void)
{
	pthread_mutex_lock(&attach_lock);
	if (attached != NULL)
		machine_finish(attached, ENDED, EXIT_POWEROFF);
	else
		machine_sleep_leave();
	pthread_mutex_unlock(&attach_lock);
}

/* One byte typed; `escaped` says that the last was ctrl-a. Returns it for the next. */
static bool typed(uint8_t byte, bool escaped)
{
	if (!is_raw || (escaped && byte == CTRL_A) || (!escaped && byte != CTRL_A)) {
		give(byte);
		return false;
	}
	if (escaped && (byte == 'x' || byte == 'X'))
		leave();
	return !escaped;
}

static void *reader(void *unused)
{
	bool escaped = false;
	uint8_t byte;
	ssize_t got;

	(void)unused;
	while ((got = read(STDIN_FILENO, &byte, 1)) == 1 || (got < 0 && errno == EINTR))
		if (got == 1)
			escaped = typed(byte, escaped);
	return NULL;
}

/* Takes the terminal, and reads it for as long as pvrun lives. */
void terminal_start(void)
{
	pthread_t thread;
	sigset_t all, before;

	catch_fatal_signals();
	make_raw();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, reader, NULL) != 0)
		fail(EXIT_CANNOT_RUN, "out of memory: no thread for the console");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_detach(thread);
}

/* Sends input to `vm` from now on. */
void terminal_attach(struct vm *vm)
{
	pthread_mutex_lock(&attach_lock);
	attached = vm;
	pthread_mutex_unlock(&attach_lock);
}

/* Sends input nowhere; it waits for the next machine. */
void terminal_detach(void)
{
	terminal_attach(NULL);
}
