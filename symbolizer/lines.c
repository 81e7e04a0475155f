// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lines.c: source lines, in the unprivileged process. A request takes a fraction of a second at
 * most, however large the file, because requests for names and unwind tables wait behind it.
 * Addresses not reached in that time are requested again.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "symbolizer/dwarf.h"
#include "symbolizer/names.h"
#include "symbolizer/protocol.h"
#include "symbolizer/symtab.h"

#define QUESTION_NS (150 * NSEC_PER_MSEC)
#define INDEX_NS (5 * NSEC_PER_SEC)	/* of CPU time, for listing the units of one file */
#define MAX_OPEN 32
#define FORGET_S 60
#define LAST_NS (5 * NSEC_PER_SEC)	/* age at which the file used last may be closed */
#define OPEN_BYTES (4u << 20)	/* of all files but the current one: reopening is expensive */
#define MAX_TEXT 512	/* limit of a name or path: template names can be pages long */

static struct open_file {
	u32 file;
	struct dwarf *d;
	struct names *go;	/* a file without DWARF, but with Go's table */
	u64 used, asked_ns, indexing_ns;	/* asked_ns: CLOCK_BOOTTIME */
} opened[MAX_OPEN];
static u64 use_count;

/* ---- files ---- */

static void drop(struct open_file *o)
{
	dwarf_close(o->d);
	names_free(o->go);
	memset(o, 0, sizeof(*o));
}

/* Files stay open for a while: reopening for new addresses every few seconds took 2 % of a CPU. */
void lines_idle(u32 seconds)
{
	for (u32 i = 0; i < MAX_OPEN; i++) {
		if (seconds >= FORGET_S)
			drop(&opened[i]);
		else if (opened[i].d)
			dwarf_rest(opened[i].d);
	}
	malloc_trim(0);
}

static bool is_within(size_t bytes)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd <= bytes;
}

static struct open_file *oldest(void)
{
	struct open_file *old = NULL;

	for (u32 i = 0; i < MAX_OPEN; i++)
		if ((opened[i].d || opened[i].go) && (!old || opened[i].used < old->used))
			old = &opened[i];
	return old;
}

/* Also the last file: endless requests for other names would keep its 14 MB. */
static bool may_go(const struct open_file *o, u64 now_ns)
{
	return o->used < use_count || now_ns >= o->asked_ns + LAST_NS;
}

void lines_rest(size_t bytes, u64 now_ns)
{
	struct open_file *old;

	for (u32 i = 0; i < MAX_OPEN; i++)
		if (opened[i].d && opened[i].used < use_count)
			dwarf_rest(opened[i].d);
	while (!is_within(bytes) && (old = oldest()) && may_go(old, now_ns))
		drop(old);
	for (u32 i = 0; i < MAX_OPEN && !is_within(bytes); i++)	/* the file used last */
		if (opened[i].d)
			dwarf_rest(opened[i].d);
}

/* Closes the least recently used files until the rest is small enough. */
static void make_room(const struct open_file *keep)
{
	for (;;) {
		struct open_file *old = NULL;
		size_t bytes = 0;

		for (u32 i = 0; i < MAX_OPEN; i++) {
			struct open_file *o = &opened[i];

			if (o == keep || !o->d)
				continue;
			bytes += dwarf_file_bytes(o->d);
			if (!old || o->used < old->used)
				old = o;
		}
		if (bytes <= OPEN_BYTES)
			return;
		drop(old);
	}
}

static struct open_file *place_for(u32 file)
{
	struct open_file *best = &opened[0];

	for (u32 i = 0; i < MAX_OPEN; i++) {
		if ((opened[i].d || opened[i].go) && opened[i].file == file)
			return &opened[i];
		if (opened[i].used < best->used)
			best = &opened[i];
	}
	return best;
}

/* NULL with errno. Reads the debug file if there is one. */
static struct open_file *open_lines(u32 file, const int *fds)
{
	struct open_file *o = place_for(file);

	if ((!o->d && !o->go) || o->file != file) {
		drop(o);
		make_room(o);
		o->d = dwarf_open(fds[1] >= 0 ? fds[1] : fds[0], fds[2]);
		if (!o->d && errno == ENODATA)
			o->go = names_of_go(fds[0]);
		if (!o->d && !o->go)
			errno = errno ?: ENODATA;
		o->file = file;
	}
	o->used = ++use_count;
	o->asked_ns = boottime_ns();
	return o->d || o->go ? o : NULL;
}

/* False: not finished, or with errno: never. */
static bool index_for(struct open_file *o, u64 now)
{
	bool done = o->go || dwarf_index(o->d, now + QUESTION_NS);

	o->indexing_ns += dwarf_clock_ns() - now;
	errno = 0;
	if (!done && o->indexing_ns > INDEX_NS)
		errno = ETIME;
	return done;
}

/* ---- answers ---- */

struct answer {
	struct symbolizer_line *lines;
	char *text;
	u32 n_lines, cap_lines;
	size_t n_text, cap_text;
};

static u32 put_text(struct answer *a, const char *s)
{
	size_t n = s ? strnlen(s, MAX_TEXT - 1) : 0, at = a->n_text;

	if (!n && at)
		return 0;
	if (at + n + 1 > a->cap_text) {
		a->cap_text = max(a->cap_text * 2, at + n + 4096);
		a->text = xrealloc(a->text, a->cap_text);
	}
	memcpy(a->text + at, s ? s : "", n);
	a->text[at + n] = '\0';
	a->n_text += n + 1;
	return (u32)at;
}

static u32 put_name(struct answer *a, const char *raw)
{
	char *name = raw ? symbol_marked(raw) : NULL;
	u32 at = put_text(a, name);

	free(name);
	return at;
}

static void find(struct answer *a, struct dwarf *d, u32 i, u64 addr)
{
	struct dwarf_frame f[DWARF_MAX_DEPTH];
	u32 n = dwarf_find(d, addr, f);

	for (u32 k = 0; k < n; k++) {
		struct symbolizer_line l = { .of = i, .line = f[k].line, .start = f[k].start };

		l.name = put_name(a, f[k].name);
		/* adjacent frames are often of the same file */
		l.file = a->n_lines && f[k].file && a->lines[a->n_lines - 1].file &&
			 !strcmp(a->text + a->lines[a->n_lines - 1].file, f[k].file) ?
			 a->lines[a->n_lines - 1].file : put_text(a, f[k].file);
		a->lines = grow(a->lines, a->n_lines, &a->cap_lines, sizeof(*a->lines));
		a->lines[a->n_lines++] = l;
	}
}

/* Go's table has no inlined functions, but is present in stripped programs. */
static void find_go(struct answer *a, struct names *go, u32 i, u64 addr)
{
	struct symbolizer_line l = { .of = i };
	char text[SYMBOL_NAME_MAX];

	if (!names_line(go, addr, text, sizeof(text), &l.line))
		return;
	l.file = put_text(a, text);
	if (names_find(go, addr, text, sizeof(text)))
		l.name = put_name(a, text);
	a->lines = grow(a->lines, a->n_lines, &a->cap_lines, sizeof(*a->lines));
	a->lines[a->n_lines++] = l;
}

static int put_answer(const struct question *q, const struct answer *a, struct reply *r)
{
	int mem = memfd_create("ottop-lines", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (mem < 0 || !file_write_all(mem, q->addrs, q->n * sizeof(u64)) ||
	    !file_write_all(mem, a->lines, a->n_lines * sizeof(*a->lines)) || !file_write_all(mem, a->text, a->n_text))
		r->err = -errno;
	r->n_names = q->n;
	r->n_lines = a->n_lines;
	r->names_size = a->n_text;
	return mem;
}

int lines_answer(const struct question *q, const int fds[MESSAGE_FDS], struct reply *r)
{
	struct open_file *o = open_lines(q->file, fds);
	u64 now = dwarf_clock_ns();
	struct answer a = { 0 };
	int mem;

	if (!o) {
		r->err = -errno;
		return -1;
	}
	put_text(&a, "");	/* [0]: unknown */
	if (index_for(o, now)) {	/* at least one address, to make progress */
		for (u32 i = 0; i < q->n && (!i || dwarf_clock_ns() < now + QUESTION_NS); i++, r->n_done++)
			o->go ? find_go(&a, o->go, i, q->addrs[i]) : find(&a, o->d, i, q->addrs[i]);
	} else if (errno) {
		r->err = -errno;
	}
	if (o->d) {
		dwarf_untouch(o->d);
		r->err = r->err ?: dwarf_out_of_memory(o->d) ? -ENOMEM : 0;
	}
	mem = put_answer(q, &a, r);
	free(a.lines);
	free(a.text);
	return mem;
}
