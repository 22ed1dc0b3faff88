/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The next kernel: kexec_linux now|panic LINUX INITRD COMMAND_LINE loads it by kexec_file_load(2), and starts it
 * now, as kexec-tools' -e does, or leaves that to a panic.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kexec.h>
#include <linux/reboot.h>

static int load(const char *linux_file, const char *initrd_file, const char *line, long flags)
{
	const int kernel = open(linux_file, O_RDONLY | O_CLOEXEC);
	const int initrd = open(initrd_file, O_RDONLY | O_CLOEXEC);

	if (kernel < 0 || initrd < 0)
		return errno;
	return syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, flags) ? errno
											   : 0;
}

int main(int argc, char **argv)
{
	int failed;

	if (argc != 5)
		return 2;
	failed =
		load(argv[2], argv[3], argv[4], strcmp(argv[1], "panic") ? 0 : KEXEC_FILE_ON_CRASH);
	printf("KEXEC %s\n", failed ? strerror(failed) : "loaded");
	fflush(stdout);
	if (!failed && strcmp(argv[1], "panic") != 0)
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
	return failed != 0;
}
