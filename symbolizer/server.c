// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server.c: the unprivileged process, one question at a time; at the limits of helpers/launch.h it
 * ends and is restarted.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"
#include "symbolizer/names.h"
#include "symbolizer/perfmap.h"
#include "symbolizer/protocol.h"
#include "symbolizer/symbols.h"
#include "symbolizer/symtab.h"

#define MEMORY_LIMIT (4ul << 30)	/* of address space, because files are mapped */
/* Growing arrays double, so about half is touched: 40 MB for libLLVM-15, which reserves 80 */
#define TABLES_MB 96ul
#define QUESTION_SECONDS 10		/* of CPU time */
#define STUCK_SECONDS 60
#define TABLES_NICE (-10)	/* samples wait for tables, on a busy machine */
#define NAMES_NICE 0
#define CACHE_BYTES (3u << 20)
#define HEAP_BYTES (7u << 20)		/* in use between two questions */
#define FREE_BYTES (1u << 20)		/* free heap that is not trimmed */
#define IDLE_MS 5000
#define LONG_IDLE_MS 55000

/* ---- cache of files and perf maps ---- */

static struct cached {
	u32 kind, file;
	u64 used, epoch;	/* epoch: distinguishes successive readings of a map */
	struct names *names;	/* ANSWER_NAMES */
	struct perfmap *map;	/* ANSWER_JIT */
} cache[64];
static u64 use_count;

static size_t bytes_of(const struct cached *c)
{
	return c->names ? names_bytes(c->names) : c->map ? perfmap_bytes(c->map) : 0;
}

static size_t cache_bytes(void)
{
	size_t n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(cache); i++)
		n += bytes_of(&cache[i]);
	return n;
}

static struct cached *oldest(void)
{
	struct cached *old = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(cache); i++)
		if (cache[i].kind && (!old || cache[i].used < old->used))
			old = &cache[i];
	return old;
}

static void drop(struct cached *c)
{
	names_free(c->names);
	perfmap_free(c->map);
	memset(c, 0, sizeof(*c));
}

/* The cache entry of that kind and file, made the most recent; or an empty one. */
static struct cached *cached(u32 kind, u32 file)
{
	struct cached *c = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(cache); i++) {
		if (cache[i].kind == kind && cache[i].file == file) {
			cache[i].used = ++use_count;
			return &cache[i];
		}
		if (!cache[i].kind)
			c = &cache[i];
	}
	if (!c) {
		c = oldest();
		drop(c);
	}
	*c = (struct cached){ .kind = kind, .file = file, .used = ++use_count };
	return c;
}

/* Called after an answer, because tables grow during lookups. */
static void bound_cache(const struct cached *newest)
{
	while (cache_bytes() > CACHE_BYTES && oldest() != newest)
		drop(oldest());
}

/* ---- answers ---- */

static void read_layout(struct elf_file *f, struct reply *r)
{
	u32 crc;

	r->build_id_len = (u32)elf_build_id(f, r->build_id, sizeof(r->build_id));
	r->n_segments = elf_exec_segments(f, r->segments, ARRAY_SIZE(r->segments));
	if (!elf_debuglink(f, r->debuglink, sizeof(r->debuglink), &crc))
		r->debuglink[0] = '\0';
}

static int answer_table(const struct question *q, int fd, struct reply *r)
{
	struct elf_file *f = elf_file_open(fd);
	struct unwind_pages pages = { q->addrs[0], (u32)q->addrs[1], q->addrs + 2 };
	struct unwind_table *t;
	int mem = -1;

	if (!f || pages.n > SYMBOLIZER_PAGES) {
		r->err = f ? -EINVAL : -errno;
		elf_file_close(f);
		return -1;
	}
	read_layout(f, r);
	elf_file_close(f);
	t = unwind_table_read(fd, q->n ? &pages : NULL);
	if (!t)
		return -1;	/* no frame information: the segments alone are an answer */
	mem = memfd_create("ottop-table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (mem >= 0 && file_write_all(mem, t->words, (size_t)t->n_words * sizeof(u64)) &&
	    file_write_all(mem, t->infos, (size_t)t->n_infos * sizeof(*t->infos))) {
		r->n_words = t->n_words;
		r->n_infos = t->n_infos;
		r->base = t->base;
	} else {
		r->err = -errno;
	}
	unwind_table_free(t);
	return mem;
}

/* ---- names ---- */

static struct {
	char *data;
	size_t n, cap;
} text;

static void put_bytes(const char *s, size_t n)
{
	if (text.n + n > text.cap) {
		text.cap = max(text.cap * 2, text.n + n + 65536);
		text.data = xrealloc(text.data, text.cap);
	}
	memcpy(text.data + text.n, s, n);
	text.n += n;
}

static void put_text(const char *s)
{
	put_bytes(s, strlen(s) + 1);
}

/* Appends the name of an address, "" for none. */
static void put_name(const struct cached *c, const struct source *map, u64 addr)
{
	char raw[SYMBOL_NAME_MAX], *name;

	if (map ? !perfmap_find(c->map, map, addr, raw, sizeof(raw)) :
	    !names_find(c->names, addr, raw, sizeof(raw))) {
		put_text("");
		return;
	}
	name = map ? NULL : symbol_marked(raw);
	put_text(name ?: raw);
	free(name);
}

static int write_names(const struct question *q, struct reply *r, const struct cached *c,
		       const struct source *map)
{
	int mem = memfd_create("ottop-names", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	text.n = 0;
	for (u32 i = 0; i < q->n; i++)
		put_name(c, map, q->addrs[i]);
	r->n_names = q->n;
	r->names_size = text.n;
	if (mem < 0 || !file_write_all(mem, q->addrs, q->n * sizeof(u64)) ||
	    !file_write_all(mem, text.data, text.n))
		r->err = -errno;
	return mem;
}

static int answer_names(const struct question *q, const int *fds, struct reply *r)
{
	struct cached *c = cached(q->kind, q->file);
	int mem;

	if (c->names && fds[1] >= 0 && !names_has_debug(c->names)) {	/* debug file is new */
		names_free(c->names);
		c->names = NULL;
	}
	if (!c->names)
		c->names = names_read(fds[0], fds[1]);
	if (!c->names || !names_unchanged(c->names)) {
		r->err = c->names ? -ESTALE : -errno;
		drop(c);
		return -1;
	}
	mem = write_names(q, r, c, NULL);
	r->missing = names_missing(c->names);
	bound_cache(c);
	return mem;
}

static int answer_jit(const struct question *q, int fd, struct reply *r)
{
	struct cached *c = cached(q->kind, q->file);
	struct source map = { .fd = fd };
	struct stat st;
	int mem = -1;

	if (fstat(fd, &st)) {
		r->err = -errno;
		return -1;
	}
	map.size = (u64)st.st_size;
	if (!c->map) {
		c->map = perfmap_new();
		c->epoch = boottime_ns();
	}
	perfmap_update(c->map, &map);
	r->generation = c->epoch + perfmap_generation(c->map);
	r->missing = perfmap_is_full(c->map) ? MISSING_MAP_FULL : MISSING_NOT_IN_MAP;
	if (q->n)
		mem = write_names(q, r, c, &map);
	bound_cache(c);
	return mem;
}

/* Whether it is the debug file, and the name of its supplementary file, if it has one. */
static int answer_debug(const int *fds, struct reply *r)
{
	struct elf_file *f;

	r->err = fds[1] >= 0 && debugfile_matches(fds[0], fds[1]) ? 0 : -ENOMSG;
	f = r->err ? NULL : elf_file_open(fds[1]);
	if (f)
		r->build_id_len = (u32)elf_altlink(f, r->debuglink, sizeof(r->debuglink), r->build_id,
						   sizeof(r->build_id));
	elf_file_close(f);
	return -1;
}

static int answer_symbols(const struct question *q, int fd, struct reply *r)
{
	const char *names[SYMBOLIZER_SYMBOLS], *at = (const char *)q->addrs;
	const char *end = at + sizeof(q->addrs);
	struct elf_file *f = elf_file_open(fd);

	if (!f)
		r->err = -errno;
	for (u32 i = 0; i < q->n && !r->err; i++) {
		const char *nul = i < SYMBOLIZER_SYMBOLS ? memchr(at, '\0', (size_t)(end - at)) : NULL;

		if (!nul) {
			r->err = -EINVAL;
			break;
		}
		names[i] = at;
		at = nul + 1;
	}
	if (!r->err)
		symbols_find(f, names, q->n, r->offsets);
	elf_file_close(f);
	return -1;
}

static int answer(const struct question *q, const int *fds, struct reply *r)
{
	switch (q->kind) {
	case ANSWER_TABLE:
		return answer_table(q, fds[0], r);
	case ANSWER_NAMES:
		return answer_names(q, fds, r);
	case ANSWER_LINES:
		return lines_answer(q, fds, r);
	case ANSWER_JIT:
		return answer_jit(q, fds[0], r);
	case ANSWER_DEBUG:
		return answer_debug(fds, r);
	case ANSWER_SYMBOLS:
		return answer_symbols(q, fds[0], r);
	}
	r->err = -EINVAL;
	return -1;
}

/* libdwarf keeps pieces of every unit: 50 MB on a busy host, which is never idle for a second. */
static void bound_heap(void)
{
	static size_t given_back;	/* free heap already returned by the last malloc_trim() */
	struct mallinfo2 m = mallinfo2();

	if (m.uordblks + m.hblkhd > HEAP_BYTES) {
		lines_rest(HEAP_BYTES, boottime_ns());
		m = mallinfo2();
	}
	given_back = min(given_back, m.fordblks);
	if (m.fordblks <= given_back + FREE_BYTES)	/* trimming walks the whole heap */
		return;
	malloc_trim(0);
	given_back = mallinfo2().fordblks;
}

static void serve(const struct question *q, const int *fds)
{
	struct reply r = { .kind = q->kind, .file = q->file, .seq = q->seq };
	u64 began = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	int mem = answer(q, fds, &r);

	bound_heap();
	r.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
	if (mem >= 0)
		fcntl(mem, F_ADD_SEALS, PAYLOAD_SEALS);
	/* replies not yet received count towards our limit of open files (unix(7), ETOOMANYREFS) */
	while (message_send(HELPER_SOCK, &r, sizeof(r), mem, 0) == -ETOOMANYREFS)
		usleep(1000);
	file_close(mem);
}

/* ---- the processes ---- */

static void wait_for_question(void)
{
	struct pollfd p = { .fd = HELPER_SOCK, .events = POLLIN };

	if (poll(&p, 1, IDLE_MS))
		return;
	lines_idle(IDLE_MS / 1000);
	bound_heap();
	if (!poll(&p, 1, LONG_IDLE_MS))
		lines_idle((IDLE_MS + LONG_IDLE_MS) / 1000);
}

static void server_serve(const void *arg)
{
	struct question q;
	int fds[MESSAGE_FDS], n;

	mallopt(M_MMAP_THRESHOLD, 128 << 10);	/* freed blocks go back to the system */
	while (wait_for_question(), (n = message_receive_fds(HELPER_SOCK, &q, sizeof(q), fds, 0)) > 0) {
		if (n == sizeof(q) && fds[0] >= 0 && q.n <= SYMBOLIZER_BATCH) {
			helper_work(q.seq);
			serve(&q, fds);
			helper_work(0);
		}
		for (u32 i = 0; i < MESSAGE_FDS; i++)
			file_close(fds[i]);
	}
}

/* Runs in the watcher: reports to ottop that the server died handling question `seq`. */
static void server_died(u32 seq, enum helper_death how)
{
	static const int errs[] = {
		[HELPER_CPU] = -ETIME, [HELPER_NO_MEMORY] = -ENOMEM, [HELPER_STUCK] = -ETIMEDOUT,
	};
	struct reply r = { .kind = 0, .seq = seq, .err = -EFAULT };

	if ((u32)how < ARRAY_SIZE(errs) && errs[how])
		r.err = errs[how];
	message_send(HELPER_SOCK, &r, sizeof(r), -1, 0);
}

#define SERVER(nice_, mb) {							\
	.name = "ottop-symbols", .serve = server_serve, .died = server_died,	\
	.rights = HELPER_COMPUTES, .memory_bytes = MEMORY_LIMIT,			\
	.data_bytes = (mb) << 20, .files = 256,				\
	.nice = (nice_), .cpu_s = QUESTION_SECONDS, .stuck_s = STUCK_SECONDS,	\
}

const struct helper_spec server_of_tables = SERVER(TABLES_NICE, TABLES_MB);
const struct helper_spec server_of_names = SERVER(NAMES_NICE, SYMBOLIZER_MB);
