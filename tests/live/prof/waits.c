// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * waits.c: waits for times that it measures itself.
 *
 *	waits DIRECTORY		says "ready", waits in warm_up() for a line, then in
 *				every way at once, then prints "FUNCTION NANOSECONDS TID WAKER QUEUED LONGER"
 *				for each; WAKER is the thread that ends the waits, or 0;
 *				QUEUED: ns of them that it may only have waited for a CPU, as who is put aside
 *				before it waits or after;
 *				LONGER: ns of those that took 90 ms and more
 *	waits DIRECTORY N	says "ready"; N threads and main() wait for ever
 *
 * The time of a wait is that of the call around it. Where the calls also work
 * (write and fsync), the thread's own CPU time is taken off.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noipa))
#define MS 1000000ull
#define RUN_NS (3000 * MS)
#define LONG_NS (90 * MS)	/* as in offcpu.test */

typedef unsigned long long ns_t;

struct wait {
	const char *name;
	void (*run)(struct wait *);
	ns_t waited, queued, longer;
	pthread_t thread;
	volatile int tid, waker;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t cond_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static volatile int done, holds, migrant;
static int pipe_fds[2];
static const char *directory;
static ns_t end_ns;

static ns_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (ns_t)t.tv_sec * 1000000000u + (ns_t)t.tv_nsec;
}

static ns_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Waited for a CPU, ns: Documentation/scheduler/sched-stats.rst. */
static ns_t queued_ns(void)
{
	unsigned long long ran, queued = 0;
	FILE *f = fopen("/proc/thread-self/schedstat", "r");

	if (f && fscanf(f, "%llu %llu", &ran, &queued) != 2)
		queued = 0;
	if (f)
		fclose(f);
	return queued;
}

static void doze(ns_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

	nanosleep(&t, NULL);
}

static int tid(void)
{
	return (int)syscall(SYS_gettid);
}

/* Number of preemptions. */
static long put_aside(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nivcsw;
}

struct begin { ns_t queued; long aside; ns_t ns; };

static struct begin begin(void)
{
	struct begin b = { queued_ns(), put_aside(), 0 };

	b.ns = now_ns();
	return b;
}

static void add(struct wait *w, const struct begin *b)
{
	ns_t ns = now_ns() - b->ns;

	w->waited += ns;
	if (ns >= LONG_NS)
		w->longer += ns;
	if (put_aside() != b->aside)
		w->queued += queued_ns() - b->queued;
}

/* ---- waits ---- */

NOINLINE void sleeps(struct wait *w)
{
	while (now_ns() < end_ns) {
		struct begin b = begin();

		doze(100 * MS);
		add(w, &b);
	}
}

NOINLINE void naps(struct wait *w)
{
	while (now_ns() < end_ns) {
		struct begin b = begin();

		doze(2 * MS);
		add(w, &b);
	}
}

NOINLINE void waits_on_lock(struct wait *w)
{
	while (now_ns() < end_ns) {
		struct begin b;

		while (!holds && now_ns() < end_ns)
			sched_yield();
		b = begin();
		pthread_mutex_lock(&lock);
		add(w, &b);
		pthread_mutex_unlock(&lock);
	}
}

NOINLINE void waits_on_pipe(struct wait *w)
{
	char c = 1;

	while (c) {
		struct begin b = begin();

		if (read(pipe_fds[0], &c, 1) != 1)
			break;
		add(w, &b);
	}
}

NOINLINE void waits_on_cond(struct wait *w)
{
	pthread_mutex_lock(&cond_lock);
	while (now_ns() < end_ns) {
		struct begin b = begin();
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 30 * (long)MS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&cond, &cond_lock, &until);
		add(w, &b);
	}
	pthread_mutex_unlock(&cond_lock);
}

/* Is moved to another CPU while blocked. */
NOINLINE void migrates(struct wait *w)
{
	migrant = tid();
	while (now_ns() < end_ns) {
		struct begin b = begin();

		doze(25 * MS);
		add(w, &b);
	}
	migrant = 0;
}

/* Creating and freeing an unnamed file waits for the disk, too. */
NOINLINE void waits_for_disk(struct wait *w)
{
	static char block[2 << 20];
	struct begin b = begin();
	ns_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int fd = open(directory, O_TMPFILE | O_RDWR, 0600);

	if (fd < 0) {
		fprintf(stderr, "%s: cannot make a file\n", directory);
		return;
	}
	while (now_ns() < end_ns)
		if (pwrite(fd, block, sizeof(block), 0) != sizeof(block) || fsync(fd))
			break;
	close(fd);
	w->waited += now_ns() - b.ns - (clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu);
	w->queued += queued_ns() - b.queued;
}

static struct wait waits[] = {
	{ .name = "sleeps", .run = sleeps },
	{ .name = "naps", .run = naps },
	{ .name = "waits_on_lock", .run = waits_on_lock },
	{ .name = "waits_on_pipe", .run = waits_on_pipe },
	{ .name = "waits_on_cond", .run = waits_on_cond },
	{ .name = "migrates", .run = migrates },
	{ .name = "waits_for_disk", .run = waits_for_disk },
	{ .name = "joins" },	/* main: one wait longer than any interval */
};

enum { ON_LOCK = 2, ON_PIPE = 3 };

/* ---- the wakers ---- */

static void *hold_lock(void *arg)
{
	(void)arg;
	waits[ON_LOCK].waker = tid();
	while (!done) {
		pthread_mutex_lock(&lock);
		holds = 1;
		doze(40 * MS);
		holds = 0;
		pthread_mutex_unlock(&lock);
		doze(5 * MS);
	}
	return NULL;
}

static void *write_pipe(void *arg)
{
	(void)arg;
	waits[ON_PIPE].waker = tid();
	for (char more = 1; more; ) {
		doze(35 * MS);
		more = now_ns() < end_ns;
		if (write(pipe_fds[1], &more, 1) != 1)
			break;
	}
	return NULL;
}

static void *move_migrant(void *arg)
{
	int n = (int)sysconf(_SC_NPROCESSORS_ONLN);

	(void)arg;
	for (int i = 0; !done; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i % n, &set);
		if (migrant)
			sched_setaffinity(migrant, sizeof(set), &set);
		doze(10 * MS);
	}
	return NULL;
}

/* Short waits, for observers to learn the program. */
NOINLINE void warm_up(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };

	while (!poll(&in, 1, 10))
		;
}

/* It holds the last reference to this pipe itself. */
NOINLINE void hangs(struct wait *w)
{
	char c;

	while (read(pipe_fds[0], &c, 1) == 1)
		w->waited++;
}

NOINLINE void joins(struct wait *w, struct wait *others, unsigned n)
{
	w->tid = tid();
	for (unsigned i = 0; i < n; i++) {
		struct begin b = begin();

		pthread_join(others[i].thread, NULL);
		add(w, &b);
	}
}

static void *run(void *arg)
{
	struct wait *w = arg;

	w->tid = tid();
	w->run(w);
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const others[])(void *) = { hold_lock, write_pipe, move_migrant };
	unsigned n = sizeof(waits) / sizeof(*waits) - 1;
	static struct wait hang = { .run = hangs };
	pthread_t threads[3];

	directory = argc > 1 ? argv[1] : ".";
	if (pipe(pipe_fds))
		return 1;
	puts("ready");
	fflush(stdout);
	if (argc > 2) {
		for (int i = 0; i < atoi(argv[2]); i++)
			if (pthread_create(&hang.thread, NULL, run, &hang))
				return 1;
		joins(&waits[n], &hang, 1);
	}
	warm_up();
	if (getchar() == EOF)
		return 1;
	end_ns = now_ns() + RUN_NS;
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, others[i], NULL);
	for (unsigned i = 0; i < n; i++)
		pthread_create(&waits[i].thread, NULL, run, &waits[i]);
	joins(&waits[n], waits, n);
	done = 1;
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i <= n; i++)
		printf("%s %llu %d %d %llu %llu\n", waits[i].name, waits[i].waited, waits[i].tid,
		       waits[i].waker, waits[i].queued, waits[i].longer);
	return 0;
}
