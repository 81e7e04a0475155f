// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_unwind.c: unwind tables and the walker compared with other tools. Rows of real files agree
 * with readelf; and the walker, the kernel code compiled for the host, finds in stopped processes
 * with several threads the frames that gdb finds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/sanitized.h"
#include "tests/unit/unwind_target.h"

static char folder[] = "/tmp/ottop-unwind-XXXXXX";

/* ---- tables against readelf ---- */

#define MAX_COLUMNS 24

struct expected {
	u64 pc;
	char cfa[24], ra[8], fp[12], bx[12];
	bool signal;
};

struct dump {
	struct expected *rows;
	u32 n, cap;
	int cfa, ra, fp, bx;	/* columns of the current table, or -1 */
	u64 signal_cies[64], fde_end;
	u32 n_signal_cies;
	bool in_fde, signal;
};

static void note_cie(struct dump *d, const char *line)
{
	const char *aug = strchr(line, '"');

	d->in_fde = false;
	if (aug && strchr(aug + 1, 'S') && d->n_signal_cies < 64)
		d->signal_cies[d->n_signal_cies++] = strtoull(line, NULL, 16);
}

static void note_fde(struct dump *d, const char *line)
{
	u64 cie = strtoull(strstr(line, "cie=") + 4, NULL, 16);
	const char *pc = strstr(line, "pc=") + 3;

	d->signal = false;
	for (u32 i = 0; i < d->n_signal_cies; i++)
		d->signal |= d->signal_cies[i] == cie;
	d->in_fde = strtoull(pc, NULL, 16) != 0;	/* of a function that was dropped */
	d->fde_end = strtoull(strstr(pc, "..") + 2, NULL, 16);
}

static void note_columns(struct dump *d, char *line)
{
	int i = 0;

	d->cfa = d->ra = d->fp = d->bx = -1;
	for (char *save, *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save), i++) {
		if (!strcmp(w, "CFA"))
			d->cfa = i;
		else if (!strcmp(w, "ra"))
			d->ra = i;
		else if (!strcmp(w, "rbp"))
			d->fp = i;
		else if (!strcmp(w, "rbx"))
			d->bx = i;
	}
}

static void copy_column(char *to, size_t cap, char **columns, int n, int i)
{
	snprintf(to, cap, "%s", i >= 0 && i < n ? columns[i] : "u");
}

static void note_row(struct dump *d, char *line)
{
	char *columns[MAX_COLUMNS];
	struct expected *e;
	int n = 0;

	for (char *save, *w = strtok_r(line, " \n", &save); w && n < MAX_COLUMNS;
	     w = strtok_r(NULL, " \n", &save))
		if (w[0] != '(')	/* "r8 (r8)" is one column */
			columns[n++] = w;
	if (n < 2 || strtoull(columns[0], NULL, 16) >= d->fde_end)
		return;
	d->rows = grow(d->rows, d->n, &d->cap, sizeof(*d->rows));
	e = &d->rows[d->n++];
	e->pc = strtoull(columns[0], NULL, 16);
	e->signal = d->signal;
	copy_column(e->cfa, sizeof(e->cfa), columns, n, d->cfa);
	copy_column(e->ra, sizeof(e->ra), columns, n, d->ra);
	copy_column(e->fp, sizeof(e->fp), columns, n, d->fp);
	copy_column(e->bx, sizeof(e->bx), columns, n, d->bx);
}

static bool read_dump(const char *path, struct dump *d)
{
	char *command = xasprintf("readelf --debug-dump=frames-interp '%s' 2>/dev/null", path);
	FILE *f = popen(command, "r");
	char *line = NULL;
	size_t cap = 0;

	free(command);
	while (f && getline(&line, &cap, f) > 0) {
		if (strstr(line, " CIE "))
			note_cie(d, line);
		else if (strstr(line, " FDE "))
			note_fde(d, line);
		else if (strstr(line, "LOC") && strstr(line, "CFA"))
			note_columns(d, line);
		else if (d->in_fde && strspn(line, "0123456789abcdef") == 16)
			note_row(d, line);
	}
	free(line);
	if (f)
		pclose(f);	/* its status also shows a missing debug file */
	return d->n;
}

static bool same_place(const char *said, u8 kind, s16 off, u8 same, u8 at_cfa, u8 deref)
{
	if (said[0] == 'u' || said[0] == 's')
		return kind == same;
	if (said[0] == 'c')
		return kind == at_cfa && off == atoi(said + 1);
	return kind == deref || kind == same;	/* an expression */
}

static bool same_cfa(const struct expected *e, const struct unw_info *i)
{
	const char *off = strpbrk(e->cfa, "+-");

	if (!strcmp(e->cfa, "exp"))
		return i->cfa == UNW_CFA_PLT || i->cfa == UNW_CFA_FP_DEREF ||
		       i->cfa == UNW_CFA_SP_DEREF || i->cfa == UNW_CFA_SP_INDEX;
	if (!off || i->cfa_off != atoi(off))
		return false;
	if (!strncmp(e->cfa, "rsp", 3))
		return i->cfa == UNW_CFA_SP;
	if (!strncmp(e->cfa, "rbp", 3))
		return i->cfa == UNW_CFA_FP;
	if (!strncmp(e->cfa, "rbx", 3))
		return i->cfa == UNW_CFA_REG && i->reg == 3;
	return i->cfa == UNW_CFA_REG;
}

static bool agrees(const struct expected *e, const struct unw_info *i)
{
	if (e->signal)
		return i->cfa == UNW_CFA_SIGNAL;
	if (e->ra[0] == 'u')
		return i->cfa == UNW_CFA_END;
	if (!same_cfa(e, i) || (e->ra[0] == 'c') != !i->ra)
		return false;
	if (!same_place(e->fp, i->fp, i->fp_off, UNW_FP_SAME, UNW_FP_CFA, UNW_FP_DEREF))
		return false;
	return i->bx == UNW_BX_LOST ||
	       same_place(e->bx, i->bx, i->bx_off, UNW_BX_SAME, UNW_BX_CFA, UNW_BX_LOST);
}

/* Of several rows for one address the last one holds: an advance of 0, or a copy of the CIE's. */
static bool is_last(const struct dump *d, u32 i)
{
	return i + 1 == d->n || d->rows[i + 1].pc != d->rows[i].pc;
}

static void compare_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct unwind_table *t = fd < 0 ? NULL : unwind_table_read(fd, NULL);
	struct dump d = { .cfa = -1, .ra = -1, .fp = -1, .bx = -1 };
	u32 bad = 0, compared = 0;

	if (!t || !read_dump(path, &d)) {
		print_message("# %s: not here, or it has no .eh_frame\n", path);
	} else {
		for (u32 i = 0; i < d.n; i++) {
			const struct expected *e = &d.rows[i];
			const struct unw_info *got = unwind_table_find(t, e->pc);

			if (!is_last(&d, i))
				continue;
			compared++;
			if (!agrees(e, got) && bad++ < 5)
				print_message("# %s: %" PRIx64 ": readelf cfa %s ra %s rbp %s rbx %s; table cfa %u"
					      " %+d reg %u ra %u fp %u %+d bx %u %+d\n", path, e->pc, e->cfa, e->ra,
					      e->fp, e->bx, got->cfa, got->cfa_off, got->reg, got->ra, got->fp,
					      got->fp_off, got->bx, got->bx_off);
		}
		print_message("# %s: %u rows, %u differ\n", path, compared, bad);
		assert_true(compared > 100);
	}
	free(d.rows);
	unwind_table_free(t);
	if (fd >= 0)
		close(fd);
	assert_int_equal(bad, 0);
}

static bool is_x86(void)
{
#ifdef __x86_64__
	return true;
#else
	return false;	/* frame pointers there: there are no tables */
#endif
}

static void tables_say_what_readelf_says(void **state)
{
	static const char *const files[] = {
		"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2",
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/bin/bash", "/usr/bin/perl", "/usr/bin/node",
	};

	(void)state;
	if (!is_x86() || system("readelf --version >/dev/null 2>&1"))
		skip();
	for (u32 i = 0; i < (SANITIZED ? 2 : ARRAY_SIZE(files)); i++)
		compare_file(files[i]);
}

/* ---- a program in Go ---- */

static const char go_source[] =
	"package main\n"
	"import (\"fmt\"; \"strings\")\n"
	"var sink uint64\n"
	"//go:noinline\n"
	"func hot(n uint64) uint64 { for i := uint64(0); i < 500; i++ { n = n*2654435761 + i }; return n }\n"
	"//go:noinline\n"
	"func middle(n uint64) uint64 { return hot(n) + 1 }\n"
	"func main() { for { sink += middle(sink); if len(strings.Repeat(\"x\", int(sink%50))) > 60 { fmt.Println() } } }\n";

/* Its path, to be freed; NULL: there is no Go here. */
static char *build_go(void)
{
	char *path = xasprintf("%s/hot", folder), *source = xasprintf("%s/hot.go", folder), *command;
	FILE *f = fopen(source, "we");
	int status;

	assert_non_null(f);
	fputs(go_source, f);
	fclose(f);
	command = xasprintf("PATH=$PATH:/usr/local/go/bin GO111MODULE=off GOFLAGS=-p=1 GOCACHE=${GOCACHE:-/tmp/ottop-gocache}"
			    " CGO_ENABLED=0 go build -ldflags=-compressdwarf=false -o %s %s 2>/dev/null", path, source);
	status = system(command);
	free(command);
	free(source);
	if (!status)
		return path;
	free(path);
	return NULL;
}

/* Stack depths of its own table agree with .debug_frame as written by the linker. */
static void go_tables_say_what_readelf_says(void **state)
{
	char *path = is_x86() ? build_go() : NULL;
	struct dump d = { .cfa = -1, .ra = -1, .fp = -1, .bx = -1 };
	struct unwind_table *t;
	u32 bad = 0, compared = 0;
	int fd;

	(void)state;
	if (!path || !read_dump(path, &d))
		skip();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	t = unwind_table_read(fd, NULL);
	assert_non_null(t);
	for (u32 i = 0; i < d.n; i++) {
		const struct unw_info *got = unwind_table_find(t, d.rows[i].pc);
		const char *off = strchr(d.rows[i].cfa, '+');

		/* where a stack ends, or is not to be known, .debug_frame knows nothing of, or has 1 << 30 */
		if (!is_last(&d, i) || !off || got->cfa != UNW_CFA_SP || atoi(off) >= 1 << 30)
			continue;
		compared++;
		if ((got->cfa_off != atoi(off) || got->ra) && bad++ < 5)
			print_message("# %" PRIx64 ": readelf %s, table %+d\n", d.rows[i].pc, d.rows[i].cfa,
				      got->cfa_off);
	}
	print_message("# Go: %u of %u rows compared, %u differ\n", compared, d.n, bad);
	assert_true(compared > d.n * 9 / 10 && compared > 3000);
	assert_int_equal(bad, 0);
	unwind_table_free(t);
	close(fd);
	free(d.rows);
	free(path);
}

/* ---- the walker against gdb ---- */

static void registers_of(pid_t tid, struct walk_regs *r)
{
#ifdef __x86_64__
	struct user_regs_struct u;
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, tid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, tid, 0, 0), 0);
	assert_int_equal(waitpid(tid, &status, __WALL), tid);
	assert_int_equal(ptrace(PTRACE_GETREGS, tid, 0, &u), 0);
	ptrace(PTRACE_DETACH, tid, 0, 0);
	*r = regs_of(&u);
#else
	(void)tid;
	(void)r;
#endif
}

/* "TID pc pc ... END" of each thread, as gdb's own walk is printed by gdb_lines(). */
static char *our_line(pid_t tid, u32 first, u32 n)
{
	const struct walk *w;
	struct walk_regs regs;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	registers_of(tid, &regs);
	w = walk_from(&regs, first, n);
	fprintf(f, "%d", tid);
	for (u32 i = 0; i < w->n; i++)
		fprintf(f, " %llx", (unsigned long long)w->frames[i]);
	fprintf(f, "%s\n", w->end == WALK_WHOLE ? "" : w->end == WALK_TOO_DEEP ? " (deep)" : " (cut)");
	fclose(f);
	return text;
}

static char *our_lines(void)
{
	char path[64], *text;
	struct dirent *e;
	size_t size;
	u32 first, n;
	FILE *f;
	DIR *d;

	read_target(&first, &n);
	snprintf(path, sizeof(path), "/proc/%d/task", target);
	d = opendir(path);
	assert_non_null(d);
	f = open_memstream(&text, &size);
	while ((e = readdir(d))) {
		char *line = atoi(e->d_name) ? our_line(atoi(e->d_name), first, n) : NULL;

		if (line)
			fputs(line, f);
		free(line);
	}
	closedir(d);
	fclose(f);
	return text;
}

static char *gdb_lines(void)
{
	char *command, *text, *line = NULL;
	size_t size, cap = 0;
	FILE *in, *out = open_memstream(&text, &size);

	command = xasprintf("gdb -nx -batch -iex 'set debuginfod enabled off' -p %d -x %s/frames.py"
			    " 2>/dev/null", target, folder);
	in = popen(command, "r");
	while (in && getline(&line, &cap, in) > 0)
		if (!strncmp(line, "@ ", 2))
			fputs(line + 2, out);
	if (in)
		pclose(in);
	free(line);
	free(command);
	fclose(out);
	return text;
}

/*
 * At the first instruction of a program gdb takes argc for a return address: no code is in the first page.
 * Python that still imports its modules is deeper than the walker goes: gdb's stack ends there too.
 */
static const char gdb_script[] =
	"import gdb\n"
	"gdb.execute('set backtrace past-main on')\n"
	"gdb.execute('set backtrace past-entry on')\n"
	"for t in sorted(gdb.selected_inferior().threads(), key=lambda t: t.ptid[1]):\n"
	"    t.switch()\n"
	"    f, pcs = gdb.newest_frame(), []\n"
	"    while f and f.pc() >= 4096 and len(pcs) <= most:\n"
	"        if f.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME): pcs.append('%x' % f.pc())\n"
	"        f = f.older()\n"
	"    deep = ' (deep)' if len(pcs) > most else ''\n"
	"    print('@ %d %s%s' % (t.ptid[1], ' '.join(pcs[:most]), deep))\n";

static void write_script(void)
{
	char *path = xasprintf("%s/frames.py", folder);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "most = %d\n%s", MAX_FRAMES, gdb_script);
	fclose(f);
	free(path);
}

static void start_target(char *const argv[])
{
	target = fork();
	if (!target) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);	/* also when a check has failed */
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
}

/* Stops it somewhere, compares all threads, lets it go on. */
static void compare_now(const char *what)
{
	char *ours, *theirs;
	int status;

	kill(target, SIGSTOP);
	assert_int_equal(waitpid(target, &status, WUNTRACED), target);
	assert_true(WIFSTOPPED(status));
	ours = our_lines();
	theirs = gdb_lines();
	if (strcmp(ours, theirs))
		print_message("# %s\n# ours:\n%s# gdb's:\n%s", what, ours, theirs);
	assert_true(*theirs);
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
	kill(target, SIGCONT);
}

static void compare_program(char *const argv[], u32 times)
{
	start_target(argv);
	usleep(300000);
	for (u32 i = 0; i < times; i++) {
		compare_now(argv[1] ? argv[1] : argv[0]);
		usleep(20000 + 7000 * i);
	}
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	forget_files();
}

/* The line of the thread that runs main.main; NULL: none does just now. Text is cut up. */
static char *line_with(char *text, const char *pc)
{
	for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (strstr(l, pc))
			return l;
	return NULL;
}

/*
 * While the runtime is on the thread's own stack gdb does not find the way back and takes stack
 * addresses for callers.
 */
static bool is_lost(const char *line)
{
	char *copy = xstrdup(line), *save;
	bool lost = false;

	strtok_r(copy, " ", &save);	/* the thread's number */
	for (char *word; !lost && (word = strtok_r(NULL, " ", &save)); )
		lost = strtoull(word, NULL, 16) >= 0x7f0000000000;
	free(copy);
	return lost;
}

/* Our walk leaves out runtime.goexit, the apparent caller of goroutines. False: gdb is lost. */
static bool compare_go_now(void)
{
	char *ours, *theirs, *our, *their, *space;
	bool lost;
	int status;

	kill(target, SIGSTOP);
	assert_int_equal(waitpid(target, &status, WUNTRACED), target);
	ours = our_lines();
	theirs = gdb_lines();
	space = xasprintf("%d ", target);
	our = line_with(ours, space);
	their = line_with(theirs, space);
	assert_non_null(our);
	assert_non_null(their);
	lost = is_lost(their);
	if (!lost && (strncmp(our, their, strlen(our)) || strlen(their) > strlen(our) + 2 * 17))
		fail_msg("Go\n# ours:\n# %s\n# gdb's:\n# %s", our, their);
	free(space);
	free(ours);
	free(theirs);
	kill(target, SIGCONT);
	return !lost;
}

#define GO_STOPS (SANITIZED ? 1u : 6u)	/* each is a gdb, which reads all symbols */

/* Leaves of Go have no frame: at any instruction their callers are there. */
static void go_callers_are_what_gdb_finds(void **state)
{
	char *path = is_x86() && !system("gdb --version >/dev/null 2>&1") ? build_go() : NULL;
	u32 compared = 0;

	(void)state;
	if (!path)
		skip();
	write_script();
	forget_files();
	setenv("GOMAXPROCS", "1", 1);
	setenv("GODEBUG", "asyncpreemptoff=1", 1);
	setenv("GOGC", "off", 1);
	start_target((char *[]){ path, NULL });
	usleep(300000);
	for (u32 i = 0; i < 30 && compared < GO_STOPS; i++) {
		compared += compare_go_now();
		usleep(3000 + 1700 * i);
	}
	assert_int_equal(compared, GO_STOPS);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	forget_files();
	free(path);
}

static void walker_finds_what_gdb_finds(void **state)
{
	static char *const modes[] = { "signal", "altstack", "thread", "hundred", "realigned", "libc" };
	static char *const python[] = { "python3", "-c",
		"import threading,time,json\n"
		"def f(n): return f(n-1) if n else time.sleep(100)\n"
		"for i in range(3): threading.Thread(target=f,args=(i*3,),daemon=True).start()\n"
		"while 1: json.loads(json.dumps([{'a':i} for i in range(50)]))\n", NULL };
	char *program = xasprintf("%s/stacks", folder), *build;

	(void)state;
	build = xasprintf("gcc -O2 -fomit-frame-pointer -fno-optimize-sibling-calls -w -o %s"
			  " tests/live/stacks.c -lpthread 2>/dev/null", program);
	if (!is_x86() || system("gdb --version >/dev/null 2>&1") || system(build))
		skip();
	write_script();
	forget_files();
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++)
		compare_program((char *[]){ program, modes[i], "60", NULL }, 1);
	compare_program(python, SANITIZED ? 1 : 3);
	free(build);
	free(program);
}

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
		cmocka_unit_test(tables_say_what_readelf_says),
		cmocka_unit_test(go_tables_say_what_readelf_says),
		cmocka_unit_test(walker_finds_what_gdb_finds), cmocka_unit_test(go_callers_are_what_gdb_finds),
	};

	if (!mkdtemp(folder))
		return 1;
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
