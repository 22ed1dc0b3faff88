/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A KVM that lacks something: kvm_without REQUEST ARGUMENT|- ERRNO COMMAND... runs a command for which the
 * ioctl REQUEST (hexadecimal), with that ARGUMENT (decimal) if one is given, fails with ERRNO, or returns 0
 * if that is 0, and never reaches the kernel.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The low half of an argument of the system call. */
#define LOAD(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: kvm_without REQUEST ARGUMENT|- ERRNO COMMAND...\n");
		return 2;
	}

	const unsigned char any = strcmp(argv[2], "-") == 0;
	const unsigned int request = (unsigned int)strtoul(argv[1], NULL, 16);
	const unsigned int argument = (unsigned int)strtoul(argv[2], NULL, 10);
	const unsigned int answer = SECCOMP_RET_ERRNO | (unsigned int)strtoul(argv[3], NULL, 10);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		UNLESS(SYS_ioctl, 5),
		LOAD(1),
		UNLESS(request, 3),
		LOAD(2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, any ? 0 : 1),
		RETURN(answer),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		fprintf(stderr, "kvm_without: no filter: %s\n", strerror(errno));
		return 126;
	}
	execv(argv[4], argv + 4);
	fprintf(stderr, "kvm_without: %s: %s\n", argv[4], strerror(errno));
	return 127;
}
