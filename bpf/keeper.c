// SPDX-License-Identifier: GPL-2.0-or-later
/* keeper.c: see keeper.h. The kernel switches statistics off when its process ends. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/keeper.h"
#include "bpf/message.h"

enum wish { STATS_OFF, STATS_ON, CPU_CLOCK, TRACEPOINT };

struct request {
	u32 wish, cpu, hz;
	u64 tracepoint;
};

static int sock = -1;
static pid_t child;

/* ---- the process ---- */

static int open_stats(void)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.enable_stats.type = BPF_STATS_RUN_TIME;
	fd = (int)syscall(__NR_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static int open_event(const struct request *r)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .sample_type = PERF_SAMPLE_RAW };
	int fd;

	if (r->wish == CPU_CLOCK) {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
		attr.freq = 1;
		attr.sample_freq = r->hz;
	} else {
		attr.type = PERF_TYPE_TRACEPOINT;
		attr.config = r->tracepoint;
		attr.sample_period = 1;
		attr.wakeup_events = 1;
	}
	/* a tracepoint with a program fires everywhere, whatever CPU its event is on */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, r->cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int serve(const struct request *r, int *stats)
{
	if (r->wish == STATS_OFF) {
		if (*stats >= 0)
			close(*stats);
		*stats = -1;
		return 0;
	}
	if (r->wish == STATS_ON) {
		if (*stats < 0)
			*stats = open_stats();
		return *stats < 0 ? *stats : 0;
	}
	return open_event(r);
}

static void keeper_main(int fd)
{
	struct request r;
	int stats = -1, got;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "ottop-keeper");
	signal(SIGINT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	while (message_receive(fd, &r, sizeof(r), &got, 0) == sizeof(r)) {
		int answer = serve(&r, &stats);
		int pass = r.wish >= CPU_CLOCK && answer >= 0 ? answer : -1;

		if (message_send(fd, &answer, sizeof(answer), pass, 0))
			break;
		if (pass >= 0)
			close(pass);
	}
	_exit(0);
}

int keeper_start(void)
{
	int fds[2];

	if (sock >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
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

void keeper_stop(void)
{
	if (sock < 0)
		return;
	close(sock);
	sock = -1;
	waitpid(child, NULL, 0);
}

/* ---- ottop's side ---- */

static int ask(const struct request *r, int *ret_fd)
{
	int answer, err;

	*ret_fd = -1;
	if (sock < 0)
		return -ENOENT;
	err = message_send(sock, r, sizeof(*r), -1, 0);
	if (err)
		return err;
	if (message_receive(sock, &answer, sizeof(answer), ret_fd, 0) != sizeof(answer))
		return -EPIPE;
	return answer < 0 ? answer : 0;
}

static int ask_fd(const struct request *r)
{
	int fd, err = ask(r, &fd);

	return err ? err : fd < 0 ? -EPIPE : fd;
}

int keeper_stats(bool on)
{
	struct request r = { .wish = on ? STATS_ON : STATS_OFF };
	int fd;

	return ask(&r, &fd);
}

int keeper_cpu_clock(u32 cpu, u32 hz)
{
	return ask_fd(&(struct request){ .wish = CPU_CLOCK, .cpu = cpu, .hz = hz });
}

/* Documentation/trace/events.rst: each event has its number in the file "id". */
static int tracepoint_id(const char *category, const char *name, u64 *ret)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[160], buf[32];

	for (u32 i = 0; i < ARRAY_SIZE(roots); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/events/%s/%s/id", roots[i], category, name);
		f = fopen(path, "re");
		if (!f)
			continue;
		*ret = fgets(buf, sizeof(buf), f) ? strtoull(buf, NULL, 10) : 0;
		fclose(f);
		return *ret ? 0 : -EINVAL;
	}
	return -ENOENT;
}

int keeper_tracepoint(const char *category, const char *name)
{
	struct request r = { .wish = TRACEPOINT };
	int err = tracepoint_id(category, name, &r.tracepoint);

	return err ? err : ask_fd(&r);
}
