// SPDX-License-Identifier: GPL-2.0-or-later
/* admin.c: see admin.h. The kernel switches statistics off when its process ends. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/helpers/admin.h"
#include "bpf/helpers/launch.h"
#include "bpf/helpers/message.h"

enum wish { STATS_OFF, STATS_ON, CPU_CLOCK, TRACEPOINT, NETNS_DEV, NETNS_ITER, UPROBE, URETPROBE };

struct request {
	u32 seq;	/* counts up from 1 */
	u32 wish, cpu, hz;
	u32 inum;	/* of the namespace that the file should be */
	u64 offset;	/* of a uprobe, in the file that comes with the request */
	char name[ADMIN_PATH];	/* of a tracepoint: category/event; of a namespace: its file */
};

/* A time limit for its work: what hangs that long never answers. */
#define CPU_SECONDS 5
#define STUCK_SECONDS 20

struct answer {
	u32 seq;	/* of the request */
	s32 result;	/* 0 or more, or -errno */
};

static struct helper admin = HELPER_NONE;

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

/* A tracefs that only we see, for a machine where it is not mounted. */
static int mount_tracefs(void)
{
	int fs = fsopen("tracefs", FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	close(fs);
	return fd;
}

/* The folder of tracefs; -1: it cannot be had. It stays open, and is asked for once. */
static int tracefs(void)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	static int fd = -2;

	if (fd != -2)
		return fd;
	for (u32 i = 0; i < ARRAY_SIZE(roots); i++) {
		fd = open(roots[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !faccessat(fd, "events", F_OK, AT_EACCESS))
			return fd;
		file_close(fd);
	}
	return fd = mount_tracefs();
}

/* Documentation/trace/events.rst: each event has its number in the file "id". */
static int tracepoint_id(const char *event, u64 *ret)
{
	char path[ADMIN_PATH + 16], buf[32] = "";
	int dir = tracefs(), fd;

	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = dir < 0 ? -1 : openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	*ret = read(fd, buf, sizeof(buf) - 1) > 0 ? strtoull(buf, NULL, 10) : 0;
	close(fd);
	return *ret ? 0 : -EINVAL;
}

static int open_event(const struct request *r)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .sample_type = PERF_SAMPLE_RAW };
	u64 id = 0;
	int fd, err;

	if (r->wish == CPU_CLOCK) {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
		attr.freq = 1;
		attr.sample_freq = r->hz;
	} else {
		err = tracepoint_id(r->name, &id);
		if (err)
			return err;
		attr.type = PERF_TYPE_TRACEPOINT;
		attr.config = id;
		attr.sample_period = 1;
		attr.wakeup_events = 1;
	}
	/* a tracepoint with a program fires everywhere, whatever CPU its event is on */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, r->cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Dynamic sources of events have numbers, and so has the bit that says "where it returns". */
static u64 number_of_file(const char *path)
{
	char buf[64] = "", *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	u64 n;

	if (fd < 0)
		return UINT64_MAX;
	n = read(fd, buf, sizeof(buf) - 1) > 0 ? 1 : 0;
	close(fd);
	p = strchr(buf, ':');	/* "config:0" */
	return n ? strtoull(p ? p + 1 : buf, NULL, 10) : UINT64_MAX;
}

/* Documentation/ABI/testing/sysfs-bus-event_source-devices-format */
static int open_uprobe(const struct request *r, int file)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	u64 type = number_of_file("/sys/bus/event_source/devices/uprobe/type");
	u64 bit = number_of_file("/sys/bus/event_source/devices/uprobe/format/retprobe");
	char path[32];
	int fd;

	if (file < 0 || type == UINT64_MAX || bit > 63)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	attr.type = (u32)type;
	attr.config = r->wish == URETPROBE ? 1ull << bit : 0;
	attr.config1 = (u64)(uintptr_t)path;
	attr.config2 = r->offset;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int create_iter(int link_fd)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (u32)link_fd;
	fd = (int)syscall(__NR_bpf, BPF_ITER_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static int open_dev(void)
{
	int fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* By the time it is opened the process may be in another one, or be another process. */
static int open_netns(const struct request *r)
{
	int fd = open(r->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && st.st_ino == r->inum))
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

/* Enters the namespace, opens the requested object, and returns. */
static int in_netns(const struct request *r, int link_fd)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open_netns(r), fd = -EPERM;

	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET)) {
		fd = -errno;
	} else {
		fd = r->wish == NETNS_DEV ? open_dev() : create_iter(link_fd);
		if (setns(home, CLONE_NEWNET))
			_exit(1);	/* further answers would be of the wrong namespace */
	}
	file_close(home);
	file_close(there);
	return fd;
}

static int serve(const struct request *r, int *stats, int got_fd)
{
	if (r->wish == STATS_OFF) {
		*stats = file_close(*stats);
		return 0;
	}
	if (r->wish == STATS_ON) {
		if (*stats < 0)
			*stats = open_stats();
		return *stats < 0 ? *stats : 0;
	}
	if (r->wish == NETNS_DEV || r->wish == NETNS_ITER)
		return in_netns(r, got_fd);
	if (r->wish == UPROBE || r->wish == URETPROBE)
		return open_uprobe(r, got_fd);
	return open_event(r);
}

static void admin_serve(const void *arg)
{
	struct request r;
	int stats = -1, got;

	while (message_receive(HELPER_SOCK, &r, sizeof(r), &got, 0) == sizeof(r)) {
		struct answer answer = { .seq = r.seq };
		int pass;

		helper_work(r.seq);
		answer.result = serve(&r, &stats, got);
		pass = r.wish >= CPU_CLOCK && answer.result >= 0 ? answer.result : -1;
		if (message_send(HELPER_SOCK, &answer, sizeof(answer), pass, 0))
			break;
		helper_work(0);
		file_close(pass);
		file_close(got);
	}
}

/* Whoever asked waits for an answer. Statistics that were on end with the process. */
static void admin_died(u32 work, enum helper_death how)
{
	struct answer answer = { .seq = work, .result = how == HELPER_STUCK ? -ETIMEDOUT : -EIO };

	message_send(HELPER_SOCK, &answer, sizeof(answer), -1, 0);
}

const struct helper_spec admin_spec = {
	.name = "ottop-admin", .serve = admin_serve, .died = admin_died, .rights = HELPER_KEEPS,
	.capabilities = 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH |
			1ull << CAP_BPF | 1ull << CAP_PERFMON,
	.memory_bytes = 256ull << 20, .files = 128, .cpu_s = CPU_SECONDS, .stuck_s = STUCK_SECONDS,
};

int admin_start(void)
{
	return helper_start(&admin, &admin_spec);
}

void admin_stop(void)
{
	helper_stop(&admin);
}

/* ---- ottop's side ---- */

/* The answer to the request of that number; those to earlier ones that came twice are skipped. */
static int receive(u32 seq, int *ret_fd)
{
	struct pollfd wait = { .fd = admin.sock, .events = POLLIN };
	struct answer answer;
	int n;

	for (;;) {
		n = poll(&wait, 1, (STUCK_SECONDS + 10) * 1000);
		if (n < 0 && errno == EINTR)
			continue;
		n = n <= 0 ? 0 : message_receive(admin.sock, &answer, sizeof(answer), ret_fd, 0);
		if (n != sizeof(answer)) {
			helper_lost(&admin);
			return -EPIPE;
		}
		if (answer.seq == seq)
			return answer.result < 0 ? answer.result : 0;
		*ret_fd = file_close(*ret_fd);
	}
}

/* pass: a descriptor to go with the request, or -1. *ret_fd: the one that came with the answer, or -1. */
static int ask(struct request *r, int pass, int *ret_fd)
{
	static u32 last_seq;
	int err;

	*ret_fd = -1;
	if (admin.sock < 0)
		return -ENOENT;
	r->seq = ++last_seq ?: ++last_seq;
	err = message_send(admin.sock, r, sizeof(*r), pass, 0);
	return err ?: receive(r->seq, ret_fd);
}

static int ask_fd(struct request *r, int pass)
{
	int fd, err = ask(r, pass, &fd);

	return err ? err : fd < 0 ? -EPIPE : fd;
}

int admin_stats(bool on)
{
	struct request r = { .wish = on ? STATS_ON : STATS_OFF };
	int fd;

	return ask(&r, -1, &fd);
}

int admin_cpu_clock(u32 cpu, u32 hz)
{
	return ask_fd(&(struct request){ .wish = CPU_CLOCK, .cpu = cpu, .hz = hz }, -1);
}

int admin_tracepoint(const char *category, const char *name)
{
	struct request r = { .wish = TRACEPOINT };

	snprintf(r.name, sizeof(r.name), "%s/%s", category, name);
	return ask_fd(&r, -1);
}

int admin_uprobe(int file, u64 offset, bool returns)
{
	struct request r = { .wish = returns ? URETPROBE : UPROBE, .offset = offset };

	return ask_fd(&r, file);
}

static int ask_netns(u32 wish, const char *path, u32 inum, int pass)
{
	struct request r = { .wish = wish, .inum = inum };

	snprintf(r.name, sizeof(r.name), "%s", path);
	return ask_fd(&r, pass);
}

int admin_netns_dev(const char *path, u32 inum)
{
	return ask_netns(NETNS_DEV, path, inum, -1);
}

int admin_netns_iter(const char *path, u32 inum, int link_fd)
{
	return ask_netns(NETNS_ITER, path, inum, link_fd);
}
