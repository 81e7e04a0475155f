// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_dwarf.c: bytes as an ELF file with DWARF, and as the file that dwz made of it,
 * asked for lines as the symbolizer does. libdwarf is known to read where it should
 * not, to free twice and to run in circles: that ends the process that has no rights,
 * and so it does here, in a child for each input. Faults in our own code count.
 * flags: -malloc_limit_mb=0
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "symbolizer/dwarf.h"

#define FAULT_OF_LIBRARY 3
#define CHILD_SECONDS 2		/* of CPU time; the symbolizer has 10 */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
const char *__asan_default_options(void);
void __asan_on_error(void);

/* What the child saw, as coverage: how the answers look. Libfuzzer reads it after each input. */
__attribute__((section("__libfuzzer_extra_counters"))) static u8 seen[4096];
static u8 *seen_by_child;

const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:allocator_may_return_null=1:detect_leaks=0:symbolize=0";
}

static bool is_library(const void *pc)
{
	Dl_info info;

	return dladdr(pc, &info) && info.dli_fname && strstr(info.dli_fname, "libdwarf");
}

/* After the report of an error: where it came from. */
void __asan_on_error(void)
{
	void *pcs[32];
	int n = backtrace(pcs, ARRAY_SIZE(pcs));

	for (int i = 0; i < n && seen_by_child; i++)
		if (is_library(pcs[i]))
			_exit(FAULT_OF_LIBRARY);
	abort();
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	signal(sig, SIG_DFL);
	__asan_on_error();
}

static void note(u32 what)
{
	seen_by_child[what * 0x9e3779b1u >> 20] = 1;
}

static void ask(int fd)
{
	struct dwarf_frame f[DWARF_MAX_DEPTH];
	struct dwarf *d = dwarf_open(fd, fd);

	if (!d)
		return;
	dwarf_index(d, dwarf_clock_ns() + NSEC_PER_SEC);
	note((u32)dwarf_bytes(d));
	for (u64 addr = 0x1000; addr < 0x1100; addr += 7) {
		u32 n = dwarf_find(d, addr, f);

		for (u32 i = 0; i < n; i++)	/* the texts can be read to their ends */
			note(n << 24 ^ i << 20 ^ f[i].line << 10 ^ f[i].start << 8 ^
			     (u32)(f[i].name ? strlen(f[i].name) : 0) ^
			     (u32)(f[i].file ? strlen(f[i].file) : 0) << 5);
	}
	dwarf_close(d);
}

static void child(int fd)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct rlimit cpu = { CHILD_SECONDS, CHILD_SECONDS };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	setrlimit(RLIMIT_CPU, &cpu);
	close(2);	/* libdwarf's faults are many */
	ask(fd);
	_exit(0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), status;
	pid_t pid;

	if (!seen_by_child)
		seen_by_child = mmap(NULL, sizeof(seen), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || seen_by_child == MAP_FAILED || write(fd, data, size) != (ssize_t)size)
		abort();
	memset(seen_by_child, 0, sizeof(seen));
	pid = fork();
	if (!pid)
		child(fd);
	/* libFuzzer has an alarm */
	if (pid < 0 || TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) != pid)
		abort();
	/* killed for its CPU time: in libdwarf or not, that is what the limit is for */
	if (!(WIFEXITED(status) && (!WEXITSTATUS(status) || WEXITSTATUS(status) == FAULT_OF_LIBRARY)) &&
	    !(WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU)))
		abort();
	memcpy(seen, seen_by_child, sizeof(seen));
	close(fd);
	return 0;
}
