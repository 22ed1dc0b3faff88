/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs a target over its kept inputs, without a fuzzer and with any compiler; then once more for each
 * planted fault, which must be found.
 *
 *	replay TARGET CORPUS_DIRECTORY      TAP on standard output
 *	replay TARGET FILE                  that input alone, in this process
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

#define INPUT_MAX 0x110000
#define NAME_SIZE 512

static uint8_t bytes[INPUT_MAX];
/* Shared with the child, which may not live to tell. */
static char *current;
static int tests;

static bool read_file(const char *name, size_t *size)
{
	FILE *file = fopen(name, "rb");

	if (!file) {
		perror(name);
		return false;
	}
	*size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return true;
}

/* A copy of exactly that size, so that a sanitizer sees what is read behind it. */
static void run_file(const char *name)
{
	size_t size;
	uint8_t *copy;

	if (!read_file(name, &size))
		exit(2);
	copy = malloc(size ? size : 1);
	if (!copy)
		exit(2);
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_all(const char *directory, struct dirent **names, int count)
{
	int i, ran = 0;

	for (i = 0; i < count; i++) {
		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(current, NAME_SIZE, "%s/%s", directory, names[i]->d_name);
		run_file(current);
		ran++;
	}
	return ran;
}

/* In a child of its own: its wait status. What it says goes to the log only if it shall not fail. */
static int run_child(const char *fault, const char *directory, struct dirent **names, int count)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (fault && !freopen("/dev/null", "w", stderr))
			_exit(2);
		if (fault)
			hostile_plant(fault);
		run_all(directory, names, count);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

static void result(bool ok, const char *text, const char *more)
{
	printf("%sok %d - %s%s\n", ok ? "" : "not ", ++tests, text, more);
}

static int count_inputs(struct dirent **names, int count)
{
	int i, inputs = 0;

	for (i = 0; i < count; i++)
		inputs += names[i]->d_name[0] != '.';
	return inputs;
}

static void free_names(struct dirent **names, int count)
{
	while (count--)
		free(names[count]);
	free(names);
}

static void replay(const char *target, const char *directory, struct dirent **names, int count)
{
	int inputs = count_inputs(names, count);
	int status = run_child(NULL, directory, names, count);
	char text[128];

	snprintf(text, sizeof(text), "%s: %d kept inputs break nothing", target, inputs);
	result(status == 0 && inputs > 0, text, "");
	if (status)
		printf("# at %s, wait status 0x%x\n", current, status);
}

static void find_fault(const char *target, const char *fault, const char *directory,
		       struct dirent **names, int count)
{
	int status = run_child(fault, directory, names, count);
	bool died = WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 1);
	char text[128];

	snprintf(text, sizeof(text), "%s: the planted fault is found: ", target);
	result(died, text, fault);
}

int main(int argc, char **argv)
{
	struct dirent **names;
	struct stat stat_buffer;
	int i, count;

	if (argc != 3 || stat(argv[2], &stat_buffer)) {
		fprintf(stderr, "usage: replay TARGET CORPUS_DIRECTORY|FILE\n");
		return 2;
	}
	if (!S_ISDIR(stat_buffer.st_mode)) {
		run_file(argv[2]);
		return 0;
	}
	current = mmap(NULL, NAME_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	count = scandir(argv[2], &names, NULL, alphasort);
	if (current == MAP_FAILED || count < 0)
		return 2;
	replay(argv[1], argv[2], names, count);
	for (i = 0; hostile_faults[i]; i++)
		find_fault(argv[1], hostile_faults[i], argv[2], names, count);
	free_names(names, count);
	printf("1..%d\n", tests);
	return 0;
}
