// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load.c: programs that know what they did. System calls go through syscall(2)
 * where they are counted: libc may leave one out, or make another.
 *
 *	load launch COMMAND...	starts it without a single call before its execve; prints its pid
 *	load getppid N		N getppid calls
 *	load threads T N	T threads of N getppid calls each
 *	load compat N		N getppid through the i386 gate (int $0x80), N+3 as x86_64
 *	load errors N		opens of nothing (N), reads of a bad fd (N+1), one good open
 *	load sleeps		40 sleeps of 5 ms, 5 of 50 ms; prints their time as it saw it
 *	load burst N		N children that live for moments; a line for each: pid calls status
 *	load exec_thread N	a thread of a process replaces the program, as execve(2) lets it
 *	load hang 64|32		a read of an empty pipe, by either gate; prints its pid first
 *	load busy|duty PCT|spin T	CPU for ever: one thread, PCT percent of it, T threads
 *	load vfork MS		waits in vfork(2), MS at a time, for ever
 *	load rss MB T		touches MB, spread over T threads; then waits for its stdin
 *	load crowd T		T threads that wait, 2 getppid each; then waits for its stdin
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long number(char **argv, int i)
{
	return argv[1] && argv[i] ? atol(argv[i]) : 0;
}

static void getppids(long n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
}

static long i386_call(long nr, long a, long b, long c)
{
#ifdef __x86_64__
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
#else
	(void)nr, (void)a, (void)b, (void)c;
	return -ENOSYS;
#endif
}

static long raw_fork(void)
{
#ifdef SYS_fork
	return syscall(SYS_fork);
#else
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
}

static int launch(char **argv)
{
	long pid = raw_fork();
	int status;

	if (!pid) {
		execve(argv[2], argv + 2, environ);
		_exit(127);
	}
	printf("%ld\n", pid);
	fflush(stdout);
	waitpid((pid_t)pid, &status, 0);
	return 0;
}

static long per_thread;

static void *some_calls(void *arg)
{
	getppids(per_thread);
	return arg;
}

static int threads(long n_threads, long n)
{
	pthread_t ids[64];

	per_thread = n;
	for (long i = 0; i < n_threads; i++)
		pthread_create(&ids[i], NULL, some_calls, NULL);
	for (long i = 0; i < n_threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

static int compat(long n)
{
	long me = getppid();

	for (long i = 0; i < n; i++)
		if (i386_call(64, 0, 0, 0) != me)	/* getppid there, semget here */
			return 77;
	getppids(n + 2);
	return 0;
}

static int errors(long n)
{
	char byte;

	for (long i = 0; i < n; i++)
		syscall(SYS_openat, AT_FDCWD, "/none/such", O_RDONLY);
	for (long i = 0; i < n + 1; i++)
		syscall(SYS_read, 987, &byte, 1);
	syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY);
	return 0;
}

/* Actions of seccomp; the last one lets the call begin. */
static const struct { const char *name; unsigned int action; } seccomp_ways[] = {
	{ "errno", SECCOMP_RET_ERRNO | EPERM }, { "errno0", SECCOMP_RET_ERRNO },
	{ "trace", SECCOMP_RET_TRACE }, { "trap", SECCOMP_RET_TRAP }, { "log", SECCOMP_RET_LOG },
};

static void on_signal(int sig)
{
	(void)sig;
}

/* getppid() n times under that action: most never begin. */
static int denied(long n, const char *way)
{
	unsigned int action = 0;

	for (size_t i = 0; i < sizeof(seccomp_ways) / sizeof(seccomp_ways[0]); i++)
		if (!strcmp(seccomp_ways[i].name, way))
			action = seccomp_ways[i].action;
	signal(SIGSYS, on_signal);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 77;
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	return 0;
}

/* n calls each of three kinds ended by a signal: -512, -514 and -516 in the kernel, EINTR here. */
static int interrupted(long n)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	struct timespec long_time = { 300, 0 };
	int fds[2], bad = 0;
	char byte;

	if (pipe(fds) || sigaction(SIGALRM, &act, NULL) || setitimer(ITIMER_REAL, &often, NULL))
		return 1;
	for (long i = 0; i < n; i++) {
		bad += read(fds[0], &byte, 1) != -1 || errno != EINTR;
		bad += pause() != -1 || errno != EINTR;
		bad += syscall(SYS_nanosleep, &long_time, NULL) != -1 || errno != EINTR;
	}
	return bad != 0;
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int sleeps(void)
{
	struct timespec brief = { 0, 5000000 }, longer = { 0, 50000000 };
	long long all = 0, longest = 0;

	for (int i = 0; i < 45; i++) {
		long long took, start = now_ns();

		syscall(SYS_nanosleep, i % 9 == 4 ? &longer : &brief, NULL);
		took = now_ns() - start;
		all += took;
		if (took > longest)
			longest = took;
	}
	printf("%lld %lld\n", all, longest);
	return 0;
}

static int burst(long n)
{
	for (long i = 0; i < n; i++) {
		long calls = 11 + i % 37, pid;
		int code = (int)(i % 100), sig = i % 20 == 7 ? SIGKILL : 0, status;

		pid = raw_fork();
		if (!pid) {
			getppids(calls);
			if (sig)
				syscall(SYS_kill, syscall(SYS_getpid), sig);
			_exit(code);
		}
		printf("%ld %ld %d %d\n", pid, calls, sig ? -1 : code, sig);
		waitpid((pid_t)pid, &status, 0);
	}
	return 0;
}

static char **exec_argv;

static void *exec_now(void *arg)
{
	getppids(per_thread);
	execve("/proc/self/exe", exec_argv, environ);
	return arg;
}

/* The main thread, one that has ended, and the one that calls execve: N getppid calls each. */
static int exec_thread(char **argv, long n)
{
	char *next[] = { argv[0], "getppid", argv[2], NULL };
	pthread_t id;

	per_thread = n;
	exec_argv = next;
	getppids(n);
	pthread_create(&id, NULL, some_calls, NULL);
	pthread_join(id, NULL);
	pthread_create(&id, NULL, exec_now, NULL);
	pthread_join(id, NULL);
	return 1;
}

static int hang(long bits)
{
	static char *low;
	int ends[2];

	if (pipe(ends))
		return 1;
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
#ifdef MAP_32BIT
		   | MAP_32BIT
#endif
		   , -1, 0);
	printf("%d\n", getpid());
	fflush(stdout);
	if (bits == 32)
		return i386_call(3, ends[0], (long)low, 1) != -ENOSYS;
	syscall(SYS_read, ends[0], low, 1);
	return 0;
}

static void *burn(void *arg)
{
	volatile unsigned long n = 0;

	for (;;)
		n++;
	return arg;
}

static void duty(long pct)
{
	for (;;) {
		struct timespec rest = { 0, (100 - pct) * 1000000 / 2 };
		long long until = now_ns() + pct * 1000000 / 2;

		while (now_ns() < until)
			;
		nanosleep(&rest, NULL);
	}
}

static int spin(long n)
{
	pthread_t id;

	for (long i = 1; i < n; i++)
		pthread_create(&id, NULL, burn, NULL);
	burn(NULL);
	return 0;
}

/* vfork's parent sleeps uninterruptibly until the child has ended: blocked all the time. */
static int vfork_loop(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	for (;;) {
		pid_t pid = vfork();

		if (!pid) {
			syscall(SYS_nanosleep, &t, NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static size_t share;

static void *touch(void *arg)
{
	char *p = mmap(NULL, share, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; p != MAP_FAILED && i < share; i += 4096)
		p[i] = 1;
	pause();
	return arg;
}

static int wait_for_stdin(void)
{
	char byte;

	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}

static int rss(long mb, long n)
{
	pthread_t id;

	share = ((size_t)mb << 20) / (size_t)n;
	for (long i = 0; i < n; i++)
		pthread_create(&id, NULL, touch, NULL);
	sleep(1);
	return wait_for_stdin();
}

static pthread_barrier_t all_there;

static void *wait_here(void *arg)
{
	getppids(2);
	pthread_barrier_wait(&all_there);
	pause();
	return arg;
}

static int crowd(long n)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_barrier_init(&all_there, NULL, (unsigned)n + 1);
	for (long i = 0; i < n; i++)
		if (pthread_create(&id, &attr, wait_here, NULL))
			return 77;
	pthread_barrier_wait(&all_there);
	return wait_for_stdin();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long n = number(argv, 2);

	if (!strcmp(mode, "launch") && argc > 2)
		return launch(argv);
	if (!strcmp(mode, "getppid"))
		return getppids(n), 0;
	if (!strcmp(mode, "threads") && n <= 64)
		return threads(n, number(argv, 3));
	if (!strcmp(mode, "compat"))
		return compat(n);
	if (!strcmp(mode, "denied"))
		return denied(n, argc > 3 ? argv[3] : "errno");
	if (!strcmp(mode, "interrupted"))
		return interrupted(n);
	if (!strcmp(mode, "errors"))
		return errors(n);
	if (!strcmp(mode, "sleeps"))
		return sleeps();
	if (!strcmp(mode, "burst"))
		return burst(n);
	if (!strcmp(mode, "exec_thread"))
		return exec_thread(argv, n);
	if (!strcmp(mode, "hang"))
		return hang(n);
	if (!strcmp(mode, "busy"))
		return spin(1);
	if (!strcmp(mode, "duty"))
		return duty(n), 0;
	if (!strcmp(mode, "spin"))
		return spin(n);
	if (!strcmp(mode, "vfork"))
		return vfork_loop(n);
	if (!strcmp(mode, "rss") && argc > 3)
		return rss(n, number(argv, 3));
	if (!strcmp(mode, "crowd"))
		return crowd(n);
	fprintf(stderr, "load: unknown mode '%s'\n", mode);
	return 2;
}
