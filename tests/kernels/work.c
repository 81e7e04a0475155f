// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does a known amount of system calls and says how many. Built for 64 and for 32 bits.
 *
 *	work plain	getppid, reads of /dev/zero, failing opens, sleeps
 *	work threads	the same from several threads
 *	work mixed	64 bits only: also calls through the 32-bit gate (int $0x80)
 *	work hang	a read that never returns, until SIGALRM ends the process
 *
 * The numbers are odd and unequal: sampling, halving or swapping rows cannot give the right
 * answer by accident.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "expect.h"

#ifdef __x86_64__
#define ABI "x86_64"
#define COMM "work64"
#else
#define ABI "i386"
#define COMM "work32"
#endif

#define GETPPIDS 20011
#define READS 3001
#define FAILED_OPENS 503
#define SLEEPS 23
#define SLEEP_NS 10000000L
#define THREADS 4
#define GATE_CALLS 1009
#define GATE_GETPPID 64 /* i386's number; x86_64 calls 64 semget */
#define HANG_SECONDS 60 /* at most; init ends it earlier */
#define HANG_SEEN_NS 500000000LL
#define EXIT_CODE 7

/* A thread's work. */
struct tally {
	long long elapsed_ns; /* around the sleeps: an upper bound */
	long long longest_ns;
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/*
 * syscall(2): libc's functions may make no call, another one, or be cancelled. open, not openat, of
 * which the shell makes some in this process before its execve.
 */
static void do_sleeps(struct tally *tally)
{
	struct { long sec, nsec; } pause = { 0, SLEEP_NS };

	for (int i = 0; i < SLEEPS; i++) {
		long long took, start = now_ns();

		if (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL) != 0)
			abort();
		took = now_ns() - start;
		tally->elapsed_ns += took;
		if (took > tally->longest_ns)
			tally->longest_ns = took;
	}
}

static void do_calls(struct tally *tally)
{
	char buffer[64];
	int zero = syscall(SYS_open, "/dev/zero", O_RDONLY);

	for (int i = 0; i < GETPPIDS; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < READS; i++)
		if (syscall(SYS_read, zero, buffer, sizeof(buffer)) != sizeof(buffer))
			abort();
	for (int i = 0; i < FAILED_OPENS; i++)
		if (syscall(SYS_open, "/none/such", O_RDONLY) != -1 || errno != ENOENT)
			abort();
	do_sleeps(tally);
}

static void *thread_main(void *tally)
{
	do_calls(tally);
	return NULL;
}

static void expect_calls(int threads, const struct tally *tallies)
{
	long long elapsed_ns = 0, longest_ns = 0;

	for (int i = 0; i < threads; i++) {
		elapsed_ns += tallies[i].elapsed_ns;
		if (tallies[i].longest_ns > longest_ns)
			longest_ns = tallies[i].longest_ns;
	}
	expect_call(ABI, "getppid", (long)threads * GETPPIDS, 0);
	expect_add("}");
	expect_call(ABI, "read", (long)threads * READS, 0);
	expect_add("}");
	expect_call(ABI, "open", (long)threads * (FAILED_OPENS + 1), (long)threads * FAILED_OPENS);
	expect_add("}");
	expect_call(ABI, "clock_nanosleep", (long)threads * SLEEPS, 0);
	expect_add(",\"each_ns\":%ld,\"longest_ns\":%lld,\"elapsed_ns\":%lld}", SLEEP_NS,
		   longest_ns, elapsed_ns);
}

/* Common to all: one execve, the report by one write, and exit_group. */
static int finish(void)
{
	expect_call("x86_64", "execve", 1, 0); /* by the shell, which is 64-bit */
	expect_add("}");
	expect_call(ABI, "exit_group", 1, 0);
	expect_add(",\"returns\":false}");
	expect_call(ABI, "write", 1, 0);
	expect_add("}],\"exit_code\":%d,", EXIT_CODE);
	expect_add("\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n");
	expect_write();
	return EXIT_CODE;
}

static int plain(void)
{
	struct tally tally = { 0, 0 };

	expect_begin("plain", COMM, getpid());
	do_calls(&tally);
	expect_calls(1, &tally);
	return finish();
}

static int threads(void)
{
	struct tally tallies[THREADS] = { { 0, 0 } };
	pthread_t ids[THREADS];

	expect_begin("threads", COMM, getpid());
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&ids[i], NULL, thread_main, &tallies[i]) != 0)
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	expect_calls(THREADS, tallies);
	expect_call(ABI, "exit", THREADS, 0);
	expect_add(",\"returns\":false}");
	return finish();
}

#ifdef __x86_64__
static long gate(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static int mixed(void)
{
	expect_begin("mixed", COMM, getpid());
	for (int i = 0; i < GATE_CALLS; i++) {
		if (gate(GATE_GETPPID) != getppid())
			abort();
		syscall(SYS_getppid);
	}
	expect_call("i386", "getppid", GATE_CALLS, 0);
	expect_add("}");
	expect_call("x86_64", "getppid", 2 * GATE_CALLS, 0);
	expect_add("}");
	expect_call("x86_64", "semget", 0, 0);
	expect_add("}");
	return finish();
}
#endif

static int hang(void)
{
	int ends[2];
	char byte;

	if (pipe(ends) != 0)
		abort();
	expect_begin("hang", COMM, getpid());
	/* The signal ends the call with ERESTARTSYS, which may or may not count as an error. */
	expect_call(ABI, "read", 1, -1);
	expect_add(",\"in_flight_ns\":%lld}", HANG_SEEN_NS);
	expect_call(ABI, "exit_group", 0, 0);
	expect_add("}],\"signal\":%d,\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n", SIGALRM);
	expect_write();
	alarm(HANG_SECONDS);
	syscall(SYS_read, ends[0], &byte, 1);
	return 1;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "plain"))
		return plain();
	if (!strcmp(mode, "threads"))
		return threads();
#ifdef __x86_64__
	if (!strcmp(mode, "mixed"))
		return mixed();
#endif
	if (!strcmp(mode, "hang"))
		return hang();
	return 2;
}
