// SPDX-License-Identifier: GPL-2.0-or-later
/* files.c: see files.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bpf/host/mapped.h"
#include "bpf/kernel/probes.h"
#include "bpf/stacks/arena.h"
#include "bpf/stacks/aside.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/parts.h"
#include "symbolizer/symbolizer.h"

#define MAX_OPEN 65536
#define MAX_FILES 65535		/* the number is 16 bits of a frame */
#define KEEP_NS (5 * NSEC_PER_SEC)	/* a table that was used so lately stays */
#define WORDS_OF_LINE 4
#define MAX_ASKED 2		/* tables at a time: the next one is there when one is done */
#define INDEX_SIZE (2 * UNW_MAX_INFOS)
#define FIRST_WAIT_NS (NSEC_PER_SEC / 5)	/* before a table in part is made again; longer where that was in vain */
#define LAST_WAIT_NS (4 * NSEC_PER_SEC)
#define FEW_PAGES 64	/* so much is made whole again: its code tells what its tables do not */
#define RESERVE 16	/* so much of the arena is for mappings */
#define PACE 50		/* one that did not fit whole is made again at most for such a part of a CPU */
#define HIT 16		/* what is seen once is worth more than what was seen long ago */

enum file_state { FILE_NEW, FILE_WAITS, FILE_ASKED, FILE_READY, FILE_BAD };

struct file {
	struct file_id id;
	char *path;
	char build_id[2 * BUILD_ID_MAX + 1];
	int fd;
	enum file_state state;
	struct symbolizer_segment segments[4];
	u32 n_segments;
	u32 table, lines;	/* first line; 0: none */
	u64 base, used_ns;
	u32 pages;		/* of the table, whatever of it is loaded */
	u8 *hits;		/* for frames seen in each of its grains (parts.h), at most PART_HITS_MAX; and */
	u32 uses;		/* frames in all of the file; both fade */
	u64 *have;		/* in part: a bit for each grain that is loaded */
	bool part, wanted;	/* the table is not whole; a stack needed what is not there */
	bool refused;		/* there was no room for any of it */
	u64 again_ns, wait_ns;	/* it is not asked for again before; next time it waits so long */
};

static struct file *files;	/* [0] is none */
static u32 n_files, cap_files;
/*
 * Shared with the kernel side by mapping it: a bpf(2) update switches classic
 * tracepoint programs off on its CPU for as long as it runs (or is preempted).
 */
static struct unw_info *infos;
static u32 n_infos;
static u16 *info_index;	/* open addressing; 0: free */
static u64 refused, let_go_of;
static u64 pause_until_ns;	/* no table is made again before */
static u32 n_waits, n_asked;
static u64 n_answers;
static u32 vdso_file;

/* ---- which file ---- */

static u32 file_find(const struct stat *st)
{
	for (u32 i = n_files; i-- > 1; )
		if (file_id_is(&files[i].id, st))
			return i;
	return 0;
}

static u32 file_add(const struct stat *st, int fd, const char *path)
{
	if (!n_files) {
		files = grow(files, 0, &cap_files, sizeof(*files));
		memset(&files[0], 0, sizeof(*files));
		n_files = 1;
	}
	if (n_files > MAX_FILES) {
		refused++;
		close(fd);
		return 0;
	}
	files = grow(files, n_files, &cap_files, sizeof(*files));
	files[n_files] = (struct file){ .id = file_id_of(st), .path = xstrdup(path), .fd = fd };
	return n_files++;
}

/* An inode number is not used again while we hold its file open; but it may be overwritten. */
u32 files_known(const char *dev, u64 ino, const char *path)
{
	unsigned major_, minor_;
	struct stat st;

	if (!ino || sscanf(dev, "%x:%x", &major_, &minor_) != 2)
		return 0;
	for (u32 i = n_files; i-- > 1; )
		if (files[i].id.ino == ino && files[i].id.dev == makedev(major_, minor_) &&
		    !strcmp(files[i].path, path))
			return !fstat(files[i].fd, &st) && file_id_is(&files[i].id, &st) ? i : 0;
	return 0;
}

u32 files_of_mapping(u32 pid, u64 start, u64 end)
{
	char path[PATH_MAX];
	struct stat st;
	int fd = mapped_open(pid, start, end, path, sizeof(path));
	u32 file;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {	/* a device or FIFO is never read */
		close(fd);
		return 0;
	}
	file = file_find(&st);
	if (!file)
		return file_add(&st, fd, path);
	close(fd);
	return file;
}

u32 files_vdso(void)
{
	u64 at = getauxval(AT_SYSINFO_EHDR);
	struct stat st;
	int fd;

	if (vdso_file || !at)
		return vdso_file;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	/* two pages at most; the second may not be there */
	if (write(fd, (const void *)at, 8192) <= 0 && write(fd, (const void *)at, 4096) <= 0) {
		close(fd);
		return 0;
	}
	fstat(fd, &st);
	vdso_file = file_add(&st, fd, "[vdso]");
	return vdso_file;
}

/* ---- tables ---- */

bool files_want_table(u32 file)
{
	struct file *f = &files[file];

	if (f->state == FILE_NEW) {
		f->used_ns = boottime_ns();
		f->state = FILE_WAITS;
		n_waits++;
		files_ask_waiting();
	}
	return f->state == FILE_WAITS || f->state == FILE_ASKED;
}

static u32 smallest_waiting(void)
{
	u32 best = 0;

	for (u32 i = 1; i < n_files; i++)
		if (files[i].state == FILE_WAITS && (!best || files[i].id.size < files[best].id.size))
			best = i;
	return best;
}

/* Whether a stack needs what is not there. */
static bool is_left_out(const struct file *f, u32 grain)
{
	return !f->table || (f->part && !part_bit(f->have, grain));
}

static bool is_page_wanted(const struct file *f, u32 page)
{
	u32 i = page * PART_GRAINS, end = i + PART_GRAINS;

	while (i < end && (!f->hits[i] || !is_left_out(f, i)))
		i++;
	return i < end;
}

/*
 * Of a table that did not fit, or went: the pages in which stacks go through what is not there. The
 * whole one of libLLVM takes 150 ms, and of it little is used.
 */
static int ask_table(u32 file)
{
	static u64 wanted[SYMBOLIZER_PAGES / 64];
	const struct file *f = &files[file];

	if (!f->part || f->pages <= FEW_PAGES || f->pages > SYMBOLIZER_PAGES)
		return symbolizer_ask_table(file, f->fd, 0, 0, NULL);
	memset(wanted, 0, sizeof(wanted));
	for (u32 i = 0; i < f->pages; i++)
		wanted[i / 64] |= (u64)is_page_wanted(f, i) << i % 64;
	return symbolizer_ask_table(file, f->fd, f->base, f->pages, wanted);
}

u64 files_answers(void)
{
	return n_answers;
}

int files_rule(const struct unw_info *info)
{
	u64 w[2];
	u32 at;

	memcpy(w, info, sizeof(w));
	at = (u32)((w[0] * 0x9e3779b97f4a7c15ull ^ w[1] * 0xc2b2ae3d27d4eb4full) >> 32);
	for (at &= INDEX_SIZE - 1; info_index[at]; at = (at + 1) & (INDEX_SIZE - 1))
		if (!memcmp(&infos[info_index[at]], info, sizeof(*info)))
			return info_index[at];
	if (!memcmp(&infos[UNW_INFO_NONE], info, sizeof(*info)))
		return UNW_INFO_NONE;
	if (n_infos == UNW_MAX_INFOS)
		return -1;
	infos[n_infos] = *info;
	info_index[at] = (u16)n_infos;
	return (int)n_infos++;
}

/* Numbers of one file's infos -> numbers of the map all files share. */
static bool map_infos(const struct symbolizer_answer *a, u16 *ret)
{
	for (u32 i = 0; i < a->n_infos; i++) {
		int k = files_rule(&a->infos[i]);

		if (k < 0)
			return false;
		ret[i] = (u16)k;
	}
	return true;
}

static u32 map_row(u32 row, const u16 *numbers)
{
	return UNW_ROW(row, numbers[row >> 16]);
}

static void copy_words(u64 *to, const struct symbolizer_answer *a, const u16 *numbers)
{
	u32 head = 1 + (u32)a->words[0];

	memcpy(to, a->words, head * sizeof(u64));
	for (u32 i = head; i < a->n_words; i++)
		to[i] = (u64)map_row((u32)(a->words[i] >> 32), numbers) << 32 |
			map_row((u32)a->words[i], numbers);
}

/* Room for so many lines; what nobody used for a while makes place. 0: there is none. */
static u32 make_room(u32 n)
{
	u32 first = arena_alloc(n);

	for (u32 freed = 0; !first && (freed = files_evict()); first = arena_alloc(n)) {
		mappings_file_changed(freed);
		mappings_install();
		probes_grace_period();
		arena_settle();
	}
	return first;
}

/* ---- little room ---- */

static void set_again(struct file *f, bool in_vain)
{
	f->wait_ns = in_vain ? min(max(f->wait_ns * 2, FIRST_WAIT_NS), LAST_WAIT_NS) : FIRST_WAIT_NS;
	f->again_ns = boottime_ns() + f->wait_ns;
	f->wanted = false;
}

/* What was seen long ago counts for little. */
static void fade(void)
{
	for (u32 i = 1; i < n_files; i++) {
		files[i].uses /= 2;
		for (u32 k = 0; files[i].part && k < files[i].pages * PART_GRAINS; k++)
			files[i].hits[k] -= files[i].hits[k] / 2;	/* what was seen stays seen */
	}
}

/* Of the tables that are used less for their size than `by` would be with so many lines, the least; 0: none. */
static u32 less_used(const struct file *by, u32 lines)
{
	u64 uses = by->uses + 1, size = lines;
	u32 found = 0;

	for (u32 i = 1; i < n_files; i++) {
		const struct file *f = &files[i];

		if (!f->table || f == by || (f->uses + 1) * size >= uses * f->lines)
			continue;
		uses = f->uses + 1;
		size = f->lines;
		found = i;
	}
	return found;
}

/* A copy of what is in the arena, on the heap. */
static u64 *words_of(const struct file *f)
{
	size_t bytes = f->lines * sizeof(struct arena_line);

	return memcpy(xmalloc(bytes), arena_at(f->table), bytes);
}

/* The kernel side does not read it any more. */
static void take_away(u32 file)
{
	struct file *f = &files[file];

	if (!f->part)
		aside_put(file, words_of(f), f->lines * WORDS_OF_LINE);
	arena_free(f->table);
	f->table = 0;
	f->part = true;
	f->again_ns = max(f->again_ns, boottime_ns() + FIRST_WAIT_NS);
	mappings_file_changed(file);
	mappings_install();
	probes_grace_period();
	arena_settle();
}

/* Makes room for so many lines of this file, as far as others are used less. */
static void push_out(struct file *f, u32 lines)
{
	u32 file;

	if (f->table && arena_largest() < lines)	/* its own old part */
		take_away((u32)(f - files));
	while (arena_largest() < lines && (file = less_used(f, lines))) {
		take_away(file);
		let_go_of++;
	}
}

static u32 lines_of(u32 words)
{
	return (words + WORDS_OF_LINE - 1) / WORDS_OF_LINE;
}

/* A part of a table while it is made. */
struct part {
	struct part_from from[2];	/* the answer; what was there, on the heap */
	u32 n_from;
	u64 *old, *take;
};

static void part_begin(struct part *p, const struct file *f, const u64 *words, const u16 *numbers)
{
	*p = (struct part){ .from[0] = { .words = words, .numbers = numbers }, .n_from = 1 };
	p->take = xcalloc(f->pages * (PART_GRAINS / 64), sizeof(u64));
	if (!f->table)
		return;
	p->old = words_of(f);	/* its place may be given to the new one */
	p->from[p->n_from++] = (struct part_from){ .words = p->old, .have = f->part ? f->have : NULL };
}

/*
 * Room for what stacks go through, up to a share of all there is: others go for it. What is near to
 * that is taken too where it is free.
 */
static u32 room_for_part(struct file *f, struct part *p)
{
	u32 reserve = arena_cap() / RESERVE, most = arena_cap() / 4 * 3, room, want, words;

	parts_choose(p->from, p->n_from, f->hits, false, most * WORDS_OF_LINE, p->take);
	want = lines_of(parts_copy(NULL, p->from, p->n_from, p->take));
	push_out(f, want + reserve);
	fade();
	room = arena_largest();
	room = min(room > reserve ? room - reserve : 0, min(2 * want, most)) * WORDS_OF_LINE;
	words = parts_choose(p->from, p->n_from, f->hits, true, room, p->take);
	return words <= room ? arena_alloc(lines_of(words)) : 0;
}

/* Whether stacks go through something that is there now, and was not. */
static bool part_gains(const struct file *f, const struct part *p)
{
	for (u32 i = 0; i < f->pages * PART_GRAINS; i++)
		if (f->hits[i] && part_bit(p->take, i) &&
		    (!p->old || (p->from[1].have && !part_bit(p->from[1].have, i))))
			return true;
	return false;
}

static void part_set(struct file *f, u32 first, struct part *p)
{
	u32 words = parts_copy((u64 *)arena_at(first), p->from, p->n_from, p->take);

	arena_free(f->table);
	free(f->have);
	f->table = first;
	f->lines = lines_of(words);
	f->have = p->take;
	p->take = NULL;
}

static int load_part(struct file *f, const u64 *words, const u16 *numbers, u64 cpu_ns)
{
	u64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	bool again = f->part;
	struct part p;
	u32 first;

	part_begin(&p, f, words, numbers);
	first = room_for_part(f, &p);
	set_again(f, again && !(first && part_gains(f, &p)));
	if (first)
		part_set(f, first, &p);
	f->part = true;
	free(p.old);
	free(p.take);
	if (again)
		pause_until_ns = boottime_ns() + PACE * (cpu_ns + clock_ns(CLOCK_THREAD_CPUTIME_ID) - before);
	return f->table ? 0 : -ENOSPC;
}

static void load_from_aside(u32 file)
{
	u32 n_words;
	u64 *words = aside_take(file, &n_words);	/* others may be put there meanwhile */

	load_part(&files[file], words, NULL, 0);
	aside_put(file, words, n_words);
	mappings_file_changed(file);
}

/* The pages are those of the table, whatever of it is loaded; true: they are not what they were. */
static bool set_pages(struct file *f, const struct symbolizer_answer *a)
{
	u32 pages = (u32)a->words[0];

	if (f->hits && f->base == a->base && f->pages == pages)
		return false;
	f->base = a->base;
	f->pages = pages;
	free(f->hits);
	f->hits = xcalloc((size_t)pages * PART_GRAINS + 1, 1);
	return true;
}

static bool is_partial(const struct symbolizer_answer *a)
{
	u32 i = 0;

	while (i < (u32)a->words[0] && a->words[1 + i] != UNW_LEFT_OUT)
		i++;
	return i < (u32)a->words[0];
}

static int load_table(u32 file, const struct symbolizer_answer *a)
{
	static u16 numbers[UNW_MAX_INFOS];
	u32 n = lines_of(a->n_words), first;
	struct file *f = &files[file];
	u64 *words;

	if (set_pages(f, a) && f->table) {	/* the file is another one by now */
		f->part = true;
		aside_drop(file);
		take_away(file);
	}
	if (!map_infos(a, numbers)) {
		set_again(f, true);
		f->part = true;
		return -ENOSPC;
	}
	if (is_partial(a))
		return load_part(f, a->words, numbers, a->cpu_ns);
	first = make_room(n);
	words = first ? (u64 *)arena_at(first) : xmalloc(a->n_words * sizeof(u64));
	copy_words(words, a, numbers);
	if (!first) {
		aside_put(file, words, a->n_words);
		return load_part(f, a->words, numbers, a->cpu_ns);
	}
	aside_drop(file);
	arena_free(f->table);
	f->table = first;
	f->lines = n;
	f->part = false;
	return 0;
}

/* A table of libLLVM takes 150 ms: what is small does not wait behind it. */
void files_ask_waiting(void)
{
	while (n_waits && n_asked < MAX_ASKED) {
		u32 file = smallest_waiting();

		if (aside_table(file)) {
			files[file].state = FILE_READY;
			n_waits--;
			load_from_aside(file);
			continue;
		}
		if (ask_table(file))
			return;
		files[file].state = FILE_ASKED;
		n_waits--;
		n_asked++;
	}
}

static void put_hex(char *to, const u8 *bytes, u32 n)
{
	for (u32 i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

bool files_table_answer(const struct symbolizer_answer *a)
{
	struct file *f = a->file < n_files ? &files[a->file] : NULL;
	int err = 0;

	if (!f || f->state != FILE_ASKED)
		return false;
	n_asked--;
	n_answers++;
	put_hex(f->build_id, a->build_id, a->build_id_len);
	memcpy(f->segments, a->segments, sizeof(f->segments));
	f->n_segments = a->n_segments;
	if (!a->err && a->words)
		err = load_table(a->file, a);
	refused += err && !f->refused;	/* it is tried again and again */
	f->refused = err != 0;
	/* without a table frame pointers are tried, but names and addresses are right */
	f->state = a->err ? FILE_BAD : FILE_READY;
	return true;
}

u32 files_table(u32 file)
{
	const struct file *f = &files[file];

	if (f->table)
		return f->table;
	if (f->state < FILE_READY)
		return TABLE_PENDING;
	return f->part && f->state != FILE_BAD ? TABLE_NO_ROOM : TABLE_ABSENT;
}

void files_used(u32 file, u64 addr, u64 time_ns)
{
	struct file *f = &files[file];
	u64 grain = addr >> PART_BITS;

	if (file >= n_files)
		return;
	f->used_ns = time_ns;
	f->uses++;
	if (grain >= (u64)f->pages * PART_GRAINS)
		return;
	f->hits[grain] = (u8)min(f->hits[grain] + HIT, PART_HITS_MAX);
	if (f->state != FILE_READY)
		return;
	f->wanted |= is_left_out(f, (u32)grain);
	if (!f->wanted || time_ns < max(f->again_ns, pause_until_ns))
		return;
	f->wanted = false;
	f->state = FILE_WAITS;
	n_waits++;
}

u32 files_evict(void)
{
	u64 before = boottime_ns() - KEEP_NS;
	u32 oldest = 0;

	for (u32 i = 1; i < n_files; i++)
		if (files[i].table && files[i].used_ns < before &&
		    (!oldest || files[i].used_ns < files[oldest].used_ns))
			oldest = i;
	if (!oldest)
		return 0;
	arena_free(files[oldest].table);
	files[oldest].table = 0;
	files[oldest].part = true;
	if (files[oldest].state == FILE_READY)
		files[oldest].state = FILE_NEW;
	return oldest;
}

/* Mappings begin at a page, segments need not. */
bool files_addr_of_offset(u32 file, u64 offset, u64 *ret)
{
	const struct file *f = &files[file];

	for (u32 i = 0; i < f->n_segments; i++) {
		const struct symbolizer_segment *s = &f->segments[i];

		if (offset >= (s->offset & ~4095ull) && offset < s->offset + s->size) {
			*ret = offset - s->offset + s->addr - f->base;
			return true;
		}
	}
	return false;
}

/* ---- what others ask ---- */

const char *file_path(u32 file)
{
	return file && file < n_files ? files[file].path : NULL;
}

const char *file_build_id(u32 file)
{
	return file && file < n_files ? files[file].build_id : "";
}

int file_fd(u32 file)
{
	return file && file < n_files ? files[file].fd : -1;
}

u64 file_addr(u32 file, u64 reported)
{
	return file && file < n_files ? files[file].base + reported : reported;
}

bool file_is_bad(u32 file)
{
	return file && file < n_files && files[file].state == FILE_BAD;
}

u64 files_refused(void)
{
	return refused;
}

u64 files_in_part(void)
{
	u64 n = 0;

	for (u32 i = 1; i < n_files; i++)
		n += files[i].part && files[i].table;
	return n;
}

u64 files_let_go_of(void)
{
	return let_go_of;
}

/* One descriptor a file, and one a debug file: the usual 1024 are soon used up. */
static void raise_file_limit(void)
{
	struct rlimit r;

	if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_cur < min(r.rlim_max, (rlim_t)MAX_OPEN)) {
		r.rlim_cur = min(r.rlim_max, (rlim_t)MAX_OPEN);
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int files_open(int infos_fd)
{
	void *shared = mmap(NULL, UNW_MAX_INFOS * sizeof(*infos), PROT_READ | PROT_WRITE,
			    MAP_SHARED, infos_fd, 0);

	if (shared == MAP_FAILED)
		return -errno;
	raise_file_limit();
	infos = shared;
	infos[UNW_INFO_LEFT_OUT].cfa = UNW_CFA_LEFT_OUT;
	n_infos = UNW_INFO_LEFT_OUT + 1;	/* [0] is "none": all zero */
	info_index = xcalloc(INDEX_SIZE, sizeof(*info_index));
	return 0;
}

const struct unw_info *files_info(u32 number)
{
	return number < n_infos ? &infos[number] : NULL;
}

void files_close(void)
{
	for (u32 i = 1; i < n_files; i++) {
		free(files[i].path);
		free(files[i].hits);
		free(files[i].have);
		close(files[i].fd);
	}
	if (infos)
		munmap(infos, UNW_MAX_INFOS * sizeof(*infos));
	infos = NULL;
	aside_close();
	free(info_index);
	info_index = NULL;
	free(files);
	files = NULL;
	n_files = cap_files = n_infos = vdso_file = n_waits = n_asked = 0;
}
