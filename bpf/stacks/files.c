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

#include "bpf/host/mapped_file.h"
#include "bpf/stacks/arena.h"
#include "bpf/stacks/aside.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/files_state.h"
#include "bpf/stacks/rules.h"

#define MAX_OPEN 65536
#define MAX_FILES 65535		/* the number is 16 bits of a frame */
#define MAX_ASKED 2		/* requests at a time, to keep the symbolizer busy */
#define WHOLE_LINES 4096	/* larger tables (128 KiB; libc's is 110) are loaded in part: stacks use little of them */
#define FEW_PAGES 64	/* tables up to this size are always requested whole */

struct file *stack_files;
u32 n_stack_files, n_waiting_files;
static u32 cap_files;
static u32 n_asked, vdso_file;
static u64 n_answers, refused;

/* ---- which file ---- */

static u32 file_find(const struct stat *st)
{
	for (u32 i = n_stack_files; i-- > 1; )
		if (file_id_is(&stack_files[i].id, st))
			return i;
	return 0;
}

static u32 file_add(const struct stat *st, int fd, const char *path)
{
	if (!n_stack_files) {
		stack_files = grow(stack_files, 0, &cap_files, sizeof(*stack_files));
		memset(&stack_files[0], 0, sizeof(*stack_files));
		n_stack_files = 1;
	}
	if (n_stack_files > MAX_FILES) {
		refused++;
		close(fd);
		return 0;
	}
	stack_files = grow(stack_files, n_stack_files, &cap_files, sizeof(*stack_files));
	stack_files[n_stack_files] = (struct file){ .id = file_id_of(st), .path = xstrdup(path), .fd = fd };
	return n_stack_files++;
}

/* An inode number is not reused while we hold its file open; but the file may be overwritten. */
u32 files_known(const char *dev, u64 ino, const char *path)
{
	unsigned major_, minor_;
	struct stat st;

	if (!ino || sscanf(dev, "%x:%x", &major_, &minor_) != 2)
		return 0;
	for (u32 i = n_stack_files; i-- > 1; )
		if (stack_files[i].id.ino == ino && stack_files[i].id.dev == makedev(major_, minor_) &&
		    !strcmp(stack_files[i].path, path))
			return !fstat(stack_files[i].fd, &st) && file_id_is(&stack_files[i].id, &st) ? i : 0;
	return 0;
}

u32 files_of_mapping(u32 pid, u64 start, u64 end)
{
	char path[PATH_MAX];
	struct stat st;
	int fd = mapped_file_open(pid, start, end, path, sizeof(path));
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
	struct file *f = &stack_files[file];

	if (f->state == FILE_NEW) {
		f->used_ns = boottime_ns();
		f->state = FILE_WAITS;
		n_waiting_files++;
		files_ask_waiting();
	}
	return f->state == FILE_WAITS || f->state == FILE_ASKED;
}

static u32 smallest_waiting(void)
{
	u32 best = 0;

	for (u32 i = 1; i < n_stack_files; i++)
		if (stack_files[i].state == FILE_WAITS && (!best || stack_files[i].id.size < stack_files[best].id.size))
			best = i;
	return best;
}

/* Of a table that did not fit or was evicted only the pages needed: libLLVM's takes 150 ms. */
static int ask_table(u32 file)
{
	static u64 wanted[SYMBOLIZER_PAGES / 64];
	const struct file *f = &stack_files[file];

	if (!f->part || f->pages <= FEW_PAGES || f->pages > SYMBOLIZER_PAGES)
		return symbolizer_ask_table(file, f->fd, 0, 0, NULL);
	memset(wanted, 0, sizeof(wanted));
	room_wanted(f, wanted);
	return symbolizer_ask_table(file, f->fd, f->base, f->pages, wanted);
}

u64 files_answers(void)
{
	return n_answers;
}

/* Maps the rule numbers of one file to those of the shared map. */
static bool map_infos(const struct symbolizer_answer *a, u16 *ret)
{
	for (u32 i = 0; i < a->n_infos; i++) {
		int k = rules_number(&a->infos[i]);

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

static void put_aside(u32 file, const struct symbolizer_answer *a, const u16 *numbers)
{
	u64 *words = xmalloc(a->n_words * sizeof(u64));

	copy_words(words, a, numbers);
	aside_put(file, words, a->n_words);
	free(words);
}

/* Sets the number of pages of the whole table. True: it has changed. */
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
	struct file *f = &stack_files[file];

	if (set_pages(f, a)) {
		aside_drop(file);
		if (f->table) {	/* the file has been changed */
			f->part = true;
			room_take_away(file);
		}
	}
	if (!map_infos(a, numbers)) {
		room_set_again(f, true);
		f->part = true;
		return -ENOSPC;
	}
	if (is_partial(a))
		return room_load_part(f, a->words, numbers, a->cpu_ns);
	first = n <= WHOLE_LINES ? room_alloc(n) : 0;
	if (!first) {
		put_aside(file, a, numbers);
		return room_load_part(f, a->words, numbers, a->cpu_ns);
	}
	copy_words((u64 *)arena_at(first), a, numbers);
	aside_drop(file);
	arena_free(f->table);
	f->table = first;
	f->lines = n;
	f->part = false;
	return 0;
}

/* Small files first: a table of libLLVM takes 150 ms. */
void files_ask_waiting(void)
{
	while (n_waiting_files && n_asked < MAX_ASKED) {
		u32 file = smallest_waiting();

		if (aside_table(file)) {
			n_waiting_files--;
			room_load_from_aside(file);
			stack_files[file].state = FILE_READY;	/* even if its old part was evicted for the new one */
			continue;
		}
		if (ask_table(file))
			return;
		stack_files[file].state = FILE_ASKED;
		n_waiting_files--;
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
	struct file *f = a->file < n_stack_files ? &stack_files[a->file] : NULL;
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
	refused += err && !f->refused;	/* counted once, as it is retried */
	f->refused = err != 0;
	/* without a table stacks follow frame pointers; names and addresses are still right */
	f->state = a->err ? FILE_BAD : FILE_READY;
	return true;
}

u32 files_table(u32 file)
{
	const struct file *f = &stack_files[file];

	if (f->table)
		return f->table;
	if (f->state < FILE_READY)
		return TABLE_PENDING;
	return f->part && f->state != FILE_BAD ? TABLE_NO_ROOM : TABLE_ABSENT;
}

/* Mappings are page aligned, segments need not be. */
bool files_addr_of_offset(u32 file, u64 offset, u64 *ret)
{
	const struct file *f = &stack_files[file];

	for (u32 i = 0; i < f->n_segments; i++) {
		const struct symbolizer_segment *s = &f->segments[i];

		if (offset >= (s->offset & ~4095ull) && offset < s->offset + s->size) {
			*ret = offset - s->offset + s->addr - f->base;
			return true;
		}
	}
	return false;
}

/* ---- accessors ---- */

const char *file_path(u32 file)
{
	return file && file < n_stack_files ? stack_files[file].path : NULL;
}

const char *file_build_id(u32 file)
{
	return file && file < n_stack_files ? stack_files[file].build_id : "";
}

int file_fd(u32 file)
{
	return file && file < n_stack_files ? stack_files[file].fd : -1;
}

u64 file_addr(u32 file, u64 reported)
{
	return file && file < n_stack_files ? stack_files[file].base + reported : reported;
}

bool file_is_bad(u32 file)
{
	return file && file < n_stack_files && stack_files[file].state == FILE_BAD;
}

u64 files_refused(void)
{
	return refused;
}

/* One descriptor per file and one per debug file: the usual 1024 do not suffice. */
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
	raise_file_limit();
	return rules_open(infos_fd);
}

void files_close(void)
{
	for (u32 i = 1; i < n_stack_files; i++) {
		free(stack_files[i].path);
		free(stack_files[i].hits);
		free(stack_files[i].have);
		close(stack_files[i].fd);
	}
	rules_close();
	aside_close();
	free(stack_files);
	stack_files = NULL;
	n_stack_files = cap_files = vdso_file = n_waiting_files = n_asked = 0;
}
