// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server.c: the process without privileges. It answers one question at a time;
 * a timer ends it when a file takes too long, limits end it when a file wants
 * too much memory, and client.c starts another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"
#include "symbolizer/protocol.h"
#include "symbolizer/symtab.h"

#define NOBODY 65534
#define MEMORY_LIMIT (1ul << 30)	/* of address space: files are mapped too */
#define QUESTION_SECONDS 10		/* of CPU time */
#define TABLE_NICE (-10)
#define NAMES_NICE 5
#define CACHE_BYTES (12u << 20)

/* ---- symbol tables that were read lately ---- */

static struct cached {
	u32 file;
	u64 used;
	struct symtab *t;
} cache[64];
static u64 use_count;

static size_t cache_bytes(void)
{
	size_t n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(cache); i++)
		n += cache[i].t ? symtab_bytes(cache[i].t) : 0;
	return n;
}

static struct cached *oldest(void)
{
	struct cached *old = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(cache); i++)
		if (cache[i].t && (!old || cache[i].used < old->used))
			old = &cache[i];
	return old;
}

static void drop(struct cached *c)
{
	symtab_free(c->t);
	memset(c, 0, sizeof(*c));
}

static struct cached *free_place(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(cache); i++)
		if (!cache[i].t)
			return &cache[i];
	drop(oldest());
	return free_place();
}

static const struct symtab *symbols_of(u32 file, int fd)
{
	struct elf_file *f;
	struct cached *c;

	for (u32 i = 0; i < ARRAY_SIZE(cache); i++) {
		if (cache[i].t && cache[i].file == file) {
			cache[i].used = ++use_count;
			return cache[i].t;
		}
	}
	f = elf_open(fd);
	if (!f)
		return NULL;
	c = free_place();
	*c = (struct cached){ .file = file, .used = ++use_count, .t = symtab_read(f) };
	elf_close(f);
	while (cache_bytes() > CACHE_BYTES && oldest() != c)
		drop(oldest());
	return c->t;
}

/* ---- answers ---- */

static bool write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t got = write(fd, p, n);

		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static void read_layout(struct elf_file *f, struct reply *r)
{
	r->build_id_len = (u32)elf_build_id(f, r->build_id, sizeof(r->build_id));
	r->n_segments = elf_exec_segments(f, r->segments, ARRAY_SIZE(r->segments));
}

static int answer_table(const struct question *q, int fd, struct reply *r)
{
	struct elf_file *f = elf_open(fd);
	struct unwind_table *t;
	int mem = -1;

	(void)q;
	if (!f) {
		r->err = -errno;
		return -1;
	}
	read_layout(f, r);
	elf_close(f);
	t = unwind_table_read(fd);
	if (!t)
		return -1;	/* no frame information: the layout alone is an answer */
	mem = memfd_create("ottop-table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (mem >= 0 && write_all(mem, t->words, (size_t)t->n_words * sizeof(u64)) &&
	    write_all(mem, t->infos, (size_t)t->n_infos * sizeof(*t->infos))) {
		r->n_words = t->n_words;
		r->n_infos = t->n_infos;
		r->base = t->base;
	} else {
		r->err = -errno;
	}
	unwind_table_free(t);
	return mem;
}

static int answer_names(const struct question *q, int fd, struct reply *r)
{
	const struct symtab *t = symbols_of(q->file, fd);
	int mem;

	if (!t) {
		r->err = -errno;
		return -1;
	}
	mem = memfd_create("ottop-names", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	r->n_names = q->n;
	if (mem < 0 || !write_all(mem, q->addrs, q->n * sizeof(u64)))
		r->err = -errno;
	for (u32 i = 0; i < q->n && !r->err; i++) {
		const char *raw = symtab_find(t, q->addrs[i]);
		char *name = raw ? symbol_demangle(raw) : NULL;
		size_t n = name ? strlen(name) + 1 : 1;

		if (!write_all(mem, name ?: "", n))
			r->err = -errno;
		r->names_size += n;
		free(name);
	}
	return mem;
}

static void serve(int sock, const struct question *q, int fd)
{
	struct itimerval on = { .it_value.tv_sec = QUESTION_SECONDS }, off = {};
	struct reply r = { .kind = q->kind, .file = q->file };
	int mem = -1;

	setitimer(ITIMER_PROF, &on, NULL);
	/* samples wait for tables, on a machine that is busy; names may be late */
	setpriority(PRIO_PROCESS, 0, q->kind == ANSWER_TABLE ? TABLE_NICE : NAMES_NICE);
	if (q->kind == ANSWER_TABLE)
		mem = answer_table(q, fd, &r);
	else
		mem = answer_names(q, fd, &r);
	setitimer(ITIMER_PROF, &off, NULL);
	if (mem >= 0)
		fcntl(mem, F_ADD_SEALS, PAYLOAD_SEALS);
	/* answers that wait to be taken count against our limit of open files (unix(7), ETOOMANYREFS) */
	while (message_send(sock, &r, sizeof(r), mem, 0) == -ETOOMANYREFS)
		usleep(1000);
	if (mem >= 0)
		close(mem);
}

/* ---- giving everything up ---- */

static void drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	struct rlimit memory = { MEMORY_LIMIT, MEMORY_LIMIT }, files = { 128, 128 }, none = {};
	struct rlimit urgent = { 20 - TABLE_NICE, 20 - TABLE_NICE };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "ottop-symbols");
	setrlimit(RLIMIT_NICE, &urgent);
	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_NPROC, &none);
	if (geteuid() == 0) {
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(1);
	}
	syscall(SYS_capset, &head, data);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* a change of user id cleared it */
}

void server_main(int sock)
{
	struct question q;
	int fd, n;

	if (dup2(sock, 3) < 0)
		_exit(1);
	close_range(4, ~0u, 0);
	close_range(0, 2, 0);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	drop_privileges();
	while ((n = message_receive(3, &q, sizeof(q), &fd, 0)) > 0) {
		if (n == sizeof(q) && fd >= 0 && q.n <= SYMBOLIZER_BATCH)
			serve(3, &q, fd);
		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}
