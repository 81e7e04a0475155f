// SPDX-License-Identifier: GPL-2.0-or-later
/* launch.c: see launch.h: ottop's side and the watcher; launch_limits.c is the helper's side. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/launch_limits.h"
#include "bpf/model/fault.h"

#define MAX_HELPERS 8
#define FIRST_WAIT_MS 50		/* before a restart; doubled when it dies at once again */
#define LAST_WAIT_MS (30 * 1000)
#define WORKING_WAIT_MS 500		/* maximum if each death is over a piece of work */
#define LIVED_NS (10 * NSEC_PER_SEC)	/* after living so long it did not die at once */

/* Written only by the watcher, so a compromised helper cannot forge it. */
struct helper_page {
	u32 pid;		/* of the helper; 0: it does not run now */
	u32 deaths;
	s32 status;		/* of the last one, as wait(2) has it */
	u32 pad;
	u64 fault;		/* of the last one: where in ottop's code, by its own account; 0: unknown */
	u64 past_cpu_ns;	/* of those that ended */
};

static struct helper *helpers[MAX_HELPERS];

/* ---- the watcher ---- */

static enum helper_death death_of(int status)
{
	if (!WIFSIGNALED(status))
		return HELPER_FAILED;
	switch (WTERMSIG(status)) {
	case SIGABRT:
		return HELPER_NO_MEMORY;
	case SIGPROF:
		return HELPER_CPU;
	case SIGALRM:
		return HELPER_STUCK;
	default:
		return HELPER_DIED;
	}
}

static u64 cpu_of(const struct rusage *u)
{
	return (u64)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * NSEC_PER_SEC +
	       (u64)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * NSEC_PER_USEC;
}

/*
 * Its pid is cleared in the page before the kernel may reuse it: ottop reads that pid's CPU time.
 */
static int wait_for(pid_t pid, volatile struct helper_page *page)
{
	struct rusage used;
	siginfo_t info;
	int status;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	page->pid = 0;
	if (wait4(pid, &status, 0, &used) < 0)
		_exit(1);
	page->past_cpu_ns += cpu_of(&used);
	return status;
}

/* Sleeps before a restart; exits if ottop has ended. */
static void back_off(u32 ms)
{
	struct pollfd hang_up = { .fd = HELPER_SOCK };

	if (poll(&hang_up, 1, (int)ms) > 0)
		_exit(0);
}

static u32 next_wait(u32 wait_ms, u64 lived_ns, bool over_work)
{
	if (lived_ns > LIVED_NS)
		return FIRST_WAIT_MS;
	return min(wait_ms * 2, over_work ? (u32)WORKING_WAIT_MS : (u32)LAST_WAIT_MS);
}

/* How it died, and during which piece of work. */
static void note_death(const struct helper_spec *s, volatile struct helper_page *page, int status,
		       volatile struct helper_notes *notes)
{
	u32 work = notes->work;

	page->status = status;
	page->fault = notes->fault;
	__atomic_add_fetch(&page->deaths, 1, __ATOMIC_RELEASE);
	if (work && s->died)	/* between pieces of work no answer is expected */
		s->died(work, death_of(status));
}

static void watch(const struct helper_spec *s, volatile struct helper_page *page)
{
	volatile struct helper_notes *notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE,
						   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u32 wait_ms = FIRST_WAIT_MS;

	if (notes == MAP_FAILED || limits_of_watcher(s))
		_exit(1);
	for (;;) {
		u64 began = boottime_ns();
		pid_t pid = fork();
		int status = 0;

		if (!pid) {
			munmap((void *)page, sizeof(*page));
			limits_of_helper(s, notes);
			s->serve(s->arg);
			_exit(0);
		}
		if (pid > 0) {
			page->pid = (u32)pid;
			status = wait_for(pid, page);
			if (WIFEXITED(status) && !WEXITSTATUS(status))
				_exit(0);
			note_death(s, page, status, notes);
		}
		back_off(wait_ms);
		wait_ms = next_wait(wait_ms, boottime_ns() - began, notes->work != 0);
		notes->work = 0;
		notes->fault = 0;
	}
}

/* Closes ottop's descriptors: an inherited end of a pipe would keep it from being closed. */
static void keep_only(int sock)
{
	int null;

	if (dup2(sock, HELPER_SOCK) < 0)
		_exit(1);
	close_range(HELPER_SOCK + 1, ~0u, 0);
	/* what a library prints must not go into a file or socket that gets the number */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < HELPER_SOCK; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (null > HELPER_SOCK)
		close(null);
}

/* ---- ottop's side ---- */

static bool keep_in_list(struct helper *h)
{
	for (u32 i = 0; i < MAX_HELPERS; i++) {
		if (helpers[i] && helpers[i] != h)
			continue;
		helpers[i] = h;
		return true;
	}
	return false;
}

static int spawn(struct helper *h, volatile struct helper_page *page)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	h->watcher = fork();
	if (!h->watcher) {
		keep_only(fds[1]);
		watch(h->spec, page);
	}
	close(fds[1]);
	if (h->watcher < 0) {
		close(fds[0]);
		return -EAGAIN;
	}
	h->sock = fds[0];
	return 0;
}

int helper_start(struct helper *h, const struct helper_spec *spec)
{
	volatile struct helper_page *page;
	int err;

	if (h->sock >= 0)
		return 0;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	h->spec = spec;
	h->page = page;
	h->reported_deaths = 0;
	err = keep_in_list(h) ? spawn(h, page) : -EMFILE;
	if (err)
		munmap((void *)page, sizeof(*page));
	if (err)
		h->page = NULL;
	return err;
}

void helper_lost(struct helper *h)
{
	h->sock = file_close(h->sock);
}

static void reap(pid_t watcher)
{
	/* both see the end and leave; one may be deep in its work: then not politely */
	for (int i = 0; i < 20; i++) {
		if (waitpid(watcher, NULL, WNOHANG))
			return;
		usleep(5000);
	}
	kill(watcher, SIGKILL);		/* and the helper with it: PR_SET_PDEATHSIG */
	waitpid(watcher, NULL, 0);
}

void helper_stop(struct helper *h)
{
	if (!h->page)
		return;
	helper_lost(h);
	reap(h->watcher);
	for (u32 i = 0; i < MAX_HELPERS; i++)
		if (helpers[i] == h)
			helpers[i] = NULL;
	munmap((void *)h->page, sizeof(*h->page));
	h->page = NULL;
}

u32 helper_deaths(const struct helper *h)
{
	return h->page ? __atomic_load_n(&h->page->deaths, __ATOMIC_ACQUIRE) : 0;
}

/* " at ottop+0x1234 of build 868d16a48878" where that is known. */
static void where(const struct helper *h, char *buf, size_t cap)
{
	u64 fault = h->page->fault;
	char build[16];

	*buf = '\0';
	fault_build(build, sizeof(build));
	if (fault)
		snprintf(buf, cap, " at ottop+0x%llx of build %s", (unsigned long long)fault, build);
}

static void why(const struct helper *h, char *buf, size_t cap)
{
	int status = h->page->status;
	char at[64];

	where(h, at, sizeof(at));

	switch (death_of(status)) {
	case HELPER_CPU:
		snprintf(buf, cap, "one question took more than %u s of CPU time", h->spec->cpu_s);
		break;
	case HELPER_STUCK:
		snprintf(buf, cap, "one question took more than %u s", h->spec->stuck_s);
		break;
	case HELPER_NO_MEMORY:
		snprintf(buf, cap, "no more memory under its limit of %u MB, or a check failed (SIGABRT)%s",
			 (u32)((h->spec->data_bytes ?: h->spec->memory_bytes) >> 20), at);
		break;
	case HELPER_FAILED:
		snprintf(buf, cap, "it could not be set up (status %d)", WEXITSTATUS(status));
		break;
	default:
		snprintf(buf, cap, "killed by SIG%s%s", sigabbrev_np(WTERMSIG(status)) ?: "?", at);
	}
}

void helpers_report(void)
{
	for (u32 i = 0; i < MAX_HELPERS; i++) {
		struct helper *h = helpers[i];
		u32 deaths = h ? helper_deaths(h) : 0;
		char buf[160];

		if (!h || deaths == h->reported_deaths)
			continue;
		why(h, buf, sizeof(buf));
		h->reported_deaths = deaths;
		log_line("%s ended and is started anew (%u so far): %s", h->spec->name, deaths, buf);
	}
}

/* Deaths of all helpers with that name, from the i-th on; 0: already counted with an earlier one. */
static u32 deaths_of_name(u32 i)
{
	u32 sum = 0;

	for (u32 k = 0; k < MAX_HELPERS; k++) {
		if (!helpers[k] || strcmp(helpers[k]->spec->name, helpers[i]->spec->name))
			continue;
		if (k < i && helper_deaths(helpers[k]))
			return 0;
		sum += helper_deaths(helpers[k]);
	}
	return sum;
}

void helpers_deaths_text(char *buf, size_t cap)
{
	*buf = '\0';
	for (u32 i = 0; i < MAX_HELPERS; i++) {
		u32 deaths = helpers[i] && helper_deaths(helpers[i]) ? deaths_of_name(i) : 0;
		char of[160];

		if (!deaths)
			continue;
		why(helpers[i], of, sizeof(of));
		text_add(buf, cap, "; ", "%s died %u time%s, %s%s", helpers[i]->spec->name, deaths,
			 text_plural(deaths, "s"), deaths > 1 ? "last: " : "", of);
	}
}

static u64 cpu_of_pid(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (!pid || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (u64)t.tv_sec * NSEC_PER_SEC + (u64)t.tv_nsec;
}

u64 helpers_cpu_ns(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < MAX_HELPERS; i++)
		if (helpers[i])
			sum += helpers[i]->page->past_cpu_ns + cpu_of_pid((pid_t)helpers[i]->page->pid) +
			       cpu_of_pid(helpers[i]->watcher);
	return sum;
}

u32 helpers_pids(u32 *ret, u32 cap)
{
	u32 n = 0;

	for (u32 i = 0; i < MAX_HELPERS && n + 2 <= cap; i++) {
		if (!helpers[i])
			continue;
		ret[n++] = (u32)helpers[i]->watcher;
		ret[n] = helpers[i]->page->pid;
		n += ret[n] != 0;
	}
	return n;
}
