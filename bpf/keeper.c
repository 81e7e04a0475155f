// SPDX-License-Identifier: GPL-2.0-or-later
/* keeper.c: see keeper.h. The kernel switches statistics off when its process ends. */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/keeper.h"

static int sock = -1;
static pid_t child;

static int enable_stats(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.enable_stats.type = BPF_STATS_RUN_TIME;
	return (int)syscall(__NR_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr));
}

static void keeper_main(int fd)
{
	int stats = -1;
	u8 want, answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "ottop-keeper");
	signal(SIGINT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	while (read(fd, &want, 1) == 1) {
		answer = 0;
		if (want && stats < 0) {
			stats = enable_stats();
			answer = stats < 0 ? (u8)errno : 0;
		} else if (!want && stats >= 0) {
			close(stats);
			stats = -1;
		}
		if (write(fd, &answer, 1) != 1)
			break;
	}
	_exit(0);
}

int keeper_start(void)
{
	int fds[2];

	if (sock >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	child = fork();
	if (child < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	if (!child) {
		/* keep nothing of the parent's: a held pipe end would never see EOF */
		dup2(fds[1], 3);
		close_range(4, ~0u, 0);
		close_range(0, 2, 0);
		keeper_main(3);
	}
	close(fds[1]);
	sock = fds[0];
	return 0;
}

int keeper_stats(bool on)
{
	u8 byte = on;

	if (sock < 0)
		return -ENOENT;
	if (send(sock, &byte, 1, MSG_NOSIGNAL) != 1 || read(sock, &byte, 1) != 1)
		return -EPIPE;
	return -(int)byte;
}

void keeper_stop(void)
{
	if (sock < 0)
		return;
	close(sock);
	sock = -1;
	waitpid(child, NULL, 0);
}
