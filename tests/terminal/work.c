// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * work.c: programs whose behaviour a person is to find on the screen.
 *
 *	work busy NAME			burns a CPU and calls getppid without end
 *	work slow NAME			writes to a pipe that is read three times a second
 *	work hung NAME FIFO		reads from a FIFO to which nobody writes
 *	work name COMM [ARG...]		calls itself COMM and its arguments as given; 1000 getppid/s
 *
 * COMM may hold any bytes; it is what the name of the process becomes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void be_called(const char *name)
{
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(0);
}

static void busy(void)
{
	volatile unsigned long n = 0;

	for (;;) {
		for (int i = 0; i < 20000; i++)
			n += (unsigned long)i;
		getppid();
	}
}

static void slow_reader(int fd)
{
	char page[4096];

	for (;;) {
		usleep(300 * 1000);
		if (read(fd, page, sizeof(page)) <= 0)
			_exit(0);
	}
}

static int slow(void)
{
	static char page[4096];
	int fds[2];

	if (pipe(fds))
		return 1;
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	if (!fork()) {
		close(fds[1]);
		be_called("ot-reader");
		slow_reader(fds[0]);
	}
	close(fds[0]);
	for (;;)
		if (write(fds[1], page, sizeof(page)) < 0)
			return 1;
}

static int hung(const char *fifo)
{
	char byte;
	int fd = open(fifo, O_RDWR);	/* both ends: read waits instead of returning */

	return fd < 0 || read(fd, &byte, 1) < 0;
}

static void named(void)
{
	for (;;) {
		for (int i = 0; i < 50; i++)
			getppid();
		usleep(50 * 1000);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	be_called(argv[2]);
	if (!strcmp(argv[1], "busy"))
		busy();
	if (!strcmp(argv[1], "slow"))
		return slow();
	if (!strcmp(argv[1], "hung") && argc == 4)
		return hung(argv[3]);
	if (!strcmp(argv[1], "name"))
		named();
	return 2;
}
