// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_unwind_steps.c: the walker, the kernel code compiled for the host, against the truth.
 * Programs are single-stepped and calls are recorded, so the stack is known at every instruction,
 * in prologues and epilogues too.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/sanitized.h"
#include "tests/unit/unwind_target.h"
#include "symbolizer/insn.h"

static char folder[] = "/tmp/ottop-steps-XXXXXX";

#ifdef __x86_64__

#define MAX_CALLS 256
#define EVERY 5		/* instruction, and each outside of files */
#define PART (SANITIZED ? 8 : 1)	/* a step is a switch to the kernel and back, twice */

/* Calls that have not returned, outermost first. */
struct call {
	u64 returns_to, slot;	/* slot: where the return address is */
};

struct run {
	struct call calls[MAX_CALLS];
	u32 n;
	u32 first, n_maps;	/* mappings of the target */
	u64 steps, compared, wrong, skipped;
};

static bool read_memory(u64 addr, void *to, size_t n)
{
	struct iovec mine = { to, n }, theirs = { (void *)addr, n };

	return process_vm_readv(target, &mine, 1, &theirs, 1, 0) == (ssize_t)n;
}

/* The instruction at pc; false: it cannot be read. */
static bool insn_at(u64 pc, struct insn *i)
{
	u8 code[16] = {};
	size_t n = sizeof(code);

	while (n && !read_memory(pc, code, n))
		n--;
	return insn_decode(code, n, i);
}

static pid_t known_of;
static u64 jit_steps;

static bool is_call(const struct insn *i)
{
	return !i->map && (i->op == 0xe8 || (i->op == 0xff && (i->reg & 7) == 2));
}

/* Where the call at pc returns to; 0: it is none. */
static u64 call_at(u64 pc)
{
	static struct known { u64 pc, back; } known[65536];	/* of one program: code stays */
	struct known *k = &known[pc % ARRAY_SIZE(known)];
	struct insn i;

	if (k->pc != pc || target != known_of) {
		if (target != known_of)
			memset(known, 0, sizeof(known));
		known_of = target;
		*k = (struct known){ pc, insn_at(pc, &i) && is_call(&i) ? pc + i.length : 0 };
	}
	return k->back;
}

/* One step: what was called, what has returned. False: the program has ended. */
static bool step(struct run *r, struct user_regs_struct *u)
{
	u64 back = call_at(u->rip);
	int status;

	if (ptrace(PTRACE_SINGLESTEP, target, 0, 0) || waitpid(target, &status, 0) != target ||
	    !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		return false;
	ptrace(PTRACE_GETREGS, target, 0, u);
	while (r->n && r->calls[r->n - 1].slot < u->rsp)
		r->n--;
	if (back && r->n < MAX_CALLS)
		r->calls[r->n++] = (struct call){ back, u->rsp };
	r->steps++;
	return true;
}

/* The walk is pc and all the calls, to the end. */
static bool is_right(struct run *r, const struct user_regs_struct *u)
{
	struct walk_regs regs = regs_of(u);
	const struct walk *w = walk_from(&regs, r->first, r->n_maps);

	if (w->end != WALK_WHOLE || w->n != r->n + 1)
		return false;
	for (u32 i = 0; i < r->n; i++)
		if (w->frames[i + 1] != r->calls[r->n - 1 - i].returns_to)
			return false;
	return true;
}

static void print_wrong(const char *what, const struct run *r, const struct user_regs_struct *u)
{
	struct walk_regs regs = regs_of(u);
	const struct walk *w = walk_from(&regs, r->first, r->n_maps);

	print_message("# %s: at %llx, end %u:", what, (unsigned long long)u->rip, w->end);
	for (u32 i = 0; i < w->n && i < 12; i++)
		print_message(" %llx", (unsigned long long)w->frames[i]);
	print_message("\n#   but it is:");
	for (u32 i = 0; i < r->n && i < 12; i++)
		print_message(" %llx", (unsigned long long)r->calls[r->n - 1 - i].returns_to);
	print_message("\n");
}

/* In memory that is no file's. */
static bool is_outside(const struct run *r, u64 pc)
{
	struct walk w = {};
	struct walk_ctx c = { .w = &w, .first = r->first, .n = r->n_maps };
	const struct arena_line *m = find_mapping(&c, pc);

	return !m || !m->w[2];
}

static void start_traced(char *const argv[])
{
	int status;

	target = fork();
	if (!target) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[0], argv);
		_exit(127);
	}
	assert_int_equal(waitpid(target, &status, 0), target);
	assert_true(WIFSTOPPED(status));
}

/* Single-steps and compares at each fifth step; at most one of so many may be wrong. */
static void compare_steps(char *const argv[], u64 steps, u64 one_of)
{
	struct run r = {};
	struct user_regs_struct u;
	u32 shown = 0;

	forget_files();
	start_traced(argv);
	read_target(&r.first, &r.n_maps);
	ptrace(PTRACE_GETREGS, target, 0, &u);
	while (r.steps < steps && step(&r, &u)) {
		bool outside = is_outside(&r, u.rip);

		jit_steps += outside;
		if (r.n >= MAX_FRAMES - 1 || (r.steps % EVERY && !outside))
			continue;
		r.compared++;
		if (is_right(&r, &u))
			continue;
		if (shown < 1000 && ++shown)	/* a library came, maybe */
			read_target(&r.first, &r.n_maps);
		if (is_right(&r, &u))
			continue;
		if (r.wrong++ < 10)
			print_wrong(argv[0], &r, &u);
	}
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	print_message("# %s %s: %llu steps, %llu compared, %llu differ\n", argv[0], argv[1] ?: "",
		      (unsigned long long)r.steps, (unsigned long long)r.compared, (unsigned long long)r.wrong);
	assert_true(r.compared > min(steps, (u64)10000) / 10);	/* the shortest ends after 17,000 steps */
	assert_true(r.wrong * one_of <= r.compared);
}

static bool build(const char *name, const char *command)
{
	char *all = xasprintf("%s -w -o %s/%s tests/live/stacks.c 2>/dev/null", command, folder, name);
	int status = system(all);

	free(all);
	return !status;
}

static void run_program(const char *name, char *mode, u64 steps, u64 one_of)
{
	char *path = xasprintf("%s/%s", folder, name);

	compare_steps((char *[]){ path, mode, "0.001", NULL }, steps, one_of);
	free(path);
}

static void test_glibc(void **state)
{
	(void)state;
	if (!build("plain", "gcc -std=gnu11 -O2 -fomit-frame-pointer -fno-optimize-sibling-calls"))
		skip();
	run_program("plain", "libc", 64000 / PART, 1000);
}

static void test_static(void **state)
{
	(void)state;
	if (!build("static", "gcc -std=gnu11 -static -O2 -fomit-frame-pointer"))
		skip();
	run_program("static", "libc", 40000 / PART, 1000);
}

/* Code that is in no file, and has a frame pointer: its caller is there in its first and last instructions. */
static void test_jit(void **state)
{
	(void)state;
	if (!build("jit", "gcc -std=gnu11 -static -O2 -fomit-frame-pointer -fno-optimize-sibling-calls"))
		skip();
	jit_steps = 0;
	/* to its end: what a static program does first takes 30,000, with newer C libraries more than 60,000 */
	run_program("jit", "jit", 400000, 1000000);
	assert_int_equal(jit_steps, 5);	/* push, mov, call, pop, ret */
}

static void test_musl(void **state)
{
	(void)state;
	if (!build("musl", "musl-gcc -std=gnu11 -static -O2 -fomit-frame-pointer -fno-asynchronous-unwind-tables"))
		skip();
	run_program("musl", "libc", 24000 / PART, 1000);
	run_program("musl", "signal", 3000, 1000);
}

static void test_musl_dynamic(void **state)
{
	(void)state;
	if (!build("musl-dynamic", "musl-gcc -std=gnu11 -O2 -fomit-frame-pointer"))
		skip();
	run_program("musl-dynamic", "libc", 24000 / PART, 1000);
}

#endif

static int clean_up(void **state)
{
	char *command = xasprintf("rm -rf %s", folder);
	int status = system(command);

	(void)state;
	free(command);
	free(lines);
	free(infos);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(test_glibc), cmocka_unit_test(test_static), cmocka_unit_test(test_jit),
		cmocka_unit_test(test_musl),
		cmocka_unit_test(test_musl_dynamic),
#endif
	};

	if (!mkdtemp(folder))
		return 1;
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
