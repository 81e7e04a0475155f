// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_landing.c: stops a C++ program that throws when libgcc's unwinder is about to land an
 * exception, and single-steps it: at each instruction the stack must be complete. The program is
 * static: one file, with PLT stubs.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/unwind_target.h"

#define MAX_PLACES 32
#define STEPS 600	/* from there to the code where it lands, and some more */

static char folder[] = "/tmp/ottop-landing-XXXXXX";
static char *program;

static const char source[] =
	"#include <string.h>\n"
	"volatile unsigned long sink;\n"
	"struct guard { ~guard() { sink++; } };\n"
	"__attribute__((noinline)) void thrower(int n) { if (n) throw n; }\n"
	"__attribute__((noinline)) void between(int n) { guard g; thrower(n); sink++; }\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	char to[64];\n"
	"	for (int i = 1; i < 100; i++) {\n"
	"		memcpy(to, argv[0], strlen(argv[0]) & 15);\n"
	"		try { between(i); } catch (int n) { sink += n; }\n"
	"	}\n"
	"	return argc > 100;\n"
	"}\n";

static bool build(void)
{
	char *from = xasprintf("%s/throws.cc", folder), *command;
	FILE *f = fopen(from, "we");
	bool ok;

	assert_non_null(f);
	fputs(source, f);
	fclose(f);
	program = xasprintf("%s/throws", folder);
	command = xasprintf("g++ -O2 -fomit-frame-pointer -static -no-pie -w -o %s %s 2>/dev/null", program, from);
	ok = !system(command);
	free(command);
	free(from);
	return ok;
}

static struct unwind_table *read_program(void)
{
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	struct unwind_table *t = fd < 0 ? NULL : unwind_table_read(fd, NULL);

	if (fd >= 0)
		close(fd);
	assert_non_null(t);
	return t;
}

/* Addresses from which a rule of that kind holds. */
static u32 find_places(const struct unwind_table *t, u8 cfa, u64 *ret)
{
	u32 pages = (u32)t->words[0], n = 0;

	for (u32 page = 0; page < pages; page++) {
		u32 first = (u32)(t->words[1 + page] >> 32), rows = (u32)t->words[1 + page];

		for (u32 i = first; i < first + rows && n < MAX_PLACES; i++) {
			u32 row = (u32)(t->words[1 + pages + i / 2] >> (i % 2 * 32));

			if (t->infos[row >> 16].cfa == cfa)
				ret[n++] = t->base + ((u64)page << UNW_PAGE_BITS) + (row & 0xffff);
		}
	}
	return n;
}

#ifdef __x86_64__

static long words[MAX_PLACES];	/* code at the breakpoints */

static void start_traced(void)
{
	int status;

	target = fork();
	if (!target) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(target, &status, 0), target);
	assert_true(WIFSTOPPED(status));
}

static void set_breakpoints(const u64 *places, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		words[i] = ptrace(PTRACE_PEEKTEXT, target, places[i], 0);
		assert_int_equal(ptrace(PTRACE_POKETEXT, target, places[i], (words[i] & ~0xffl) | 0xcc), 0);
	}
}

/* Goes on to a breakpoint, which is taken out. False: the program has ended. */
static bool go_to_breakpoint(const u64 *places, u32 n)
{
	struct user_regs_struct r;
	int status;

	assert_int_equal(ptrace(PTRACE_CONT, target, 0, 0), 0);
	assert_int_equal(waitpid(target, &status, 0), target);
	if (!WIFSTOPPED(status))
		return false;
	assert_int_equal(WSTOPSIG(status), SIGTRAP);
	ptrace(PTRACE_GETREGS, target, 0, &r);
	r.rip--;
	ptrace(PTRACE_SETREGS, target, 0, &r);
	for (u32 i = 0; i < n; i++)
		if (places[i] == r.rip)
			ptrace(PTRACE_POKETEXT, target, r.rip, words[i]);
	return true;
}

static bool is_whole(u32 first, u32 n, u64 *ret_pc)
{
	struct user_regs_struct u;
	struct walk_regs regs;
	const struct walk *w;

	ptrace(PTRACE_GETREGS, target, 0, &u);
	*ret_pc = u.rip;
	regs = regs_of(&u);
	w = walk_from(&regs, first, n);
	if (w->end != WALK_WHOLE)
		print_message("# %llx: %u frames, end %u\n", u.rip, w->n, w->end);
	return w->end == WALK_WHOLE;
}

/* Step by step until the exception has landed and beyond; how many stacks were cut. */
static u32 count_cut(u32 first, u32 n)
{
	u32 cut = 0;
	int status;
	u64 pc;

	for (u32 i = 0; i < STEPS; i++) {
		cut += !is_whole(first, n, &pc);
		ptrace(PTRACE_SINGLESTEP, target, 0, 0);
		assert_int_equal(waitpid(target, &status, 0), target);
		if (!WIFSTOPPED(status))
			break;
	}
	return cut;
}

static void stacks_are_whole_where_exceptions_land(void **state)
{
	struct unwind_table *t = read_program();
	u64 places[MAX_PLACES];
	u32 n = find_places(t, UNW_CFA_LANDING, places), first, n_maps, hits = 0;

	(void)state;
	unwind_table_free(t);
	/* _Unwind_RaiseException, _Unwind_ForcedUnwind, _Unwind_Resume, _Unwind_Resume_or_Rethrow */
	assert_in_range(n, 4, MAX_PLACES - 1);
	start_traced();
	set_breakpoints(places, n);
	forget_files();
	read_target(&first, &n_maps);
	while (go_to_breakpoint(places, n)) {
		hits++;
		assert_int_equal(count_cut(first, n_maps), 0);
	}
	assert_in_range(hits, 2, 4);	/* raised, then resumed after the destructor */
}

#else

static void stacks_are_whole_where_exceptions_land(void **state)
{
	(void)state;
	skip();	/* there are no tables */
}

#endif

/* The linker writes no frame information for these. */
static void stubs_of_static_programs_are_known(void **state)
{
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	struct elf_file *f = fd < 0 ? NULL : elf_file_open(fd);
	struct unwind_table *t = read_program();
	struct source plt;
	u64 addr;

	(void)state;
	assert_non_null(f);
	assert_true(elf_section_source(f, ".plt", &plt, &addr));
	assert_true(plt.size >= 32);
	for (u64 at = addr; at < addr + plt.size; at++)
		assert_int_equal(unwind_table_find(t, at)->cfa, UNW_CFA_PLT);
	assert_int_not_equal(unwind_table_find(t, addr + plt.size)->cfa, UNW_CFA_PLT);
	unwind_table_free(t);
	elf_file_close(f);
	close(fd);
}

static int clean_up(void **state)
{
	char *command = xasprintf("rm -rf %s", folder);
	int status = system(command);

	(void)state;
	free(command);
	free(program);
	free(lines);
	free(infos);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_whole_where_exceptions_land),
		cmocka_unit_test(stubs_of_static_programs_are_known),
	};

	if (!mkdtemp(folder))
		return 1;
	if (!build()) {
		clean_up(NULL);
		puts("no static C++ programs can be built here");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
