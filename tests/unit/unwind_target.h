/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unwind_target.h: bpf/stacks/walk.h, the code that runs in the kernel, compiled for the
 * host: it walks the stack of a process that stands still, `target`, with the tables of
 * its files. Include it in one file of a program.
 */
#pragma once

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "bpf/stacks/stack_wire.h"
#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

static struct arena_line *lines;
static u32 n_lines, cap_lines;
static struct unw_info *infos;
static u32 n_infos, cap_infos;
static pid_t target;

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

static __always_inline const struct arena_line *arena_line(u32 line)
{
	return line < n_lines ? &lines[line] : NULL;
}

static __always_inline const struct unw_info *unwind_rule(u32 number)
{
	return number < n_infos ? &infos[number] : NULL;
}

#include "bpf/stacks/walk.h"

static __always_inline bool walk_read(struct walk_ctx *c, void *to, u32 n, u64 addr)
{
	struct iovec mine = { to, n }, theirs = { (void *)addr, n };

	(void)c;
	return process_vm_readv(target, &mine, 1, &theirs, 1, 0) == (ssize_t)n;
}

static void put_line(const struct arena_line *l)
{
	lines = grow(lines, n_lines, &cap_lines, sizeof(*lines));
	lines[n_lines++] = *l;
}

/* The table's rules come after those of the files before: its rows say so. */
static u32 put_table(const struct unwind_table *t)
{
	u32 first = n_lines, base = n_infos, pages = (u32)t->words[0];
	struct arena_line l = {};

	for (u32 i = 0; i < t->n_infos; i++) {
		infos = grow(infos, n_infos, &cap_infos, sizeof(*infos));
		infos[n_infos++] = t->infos[i];
	}
	for (u32 i = 0; i < t->n_words; i++) {
		u64 w = t->words[i];

		if (i > pages)
			w += (u64)base << 48 | (u64)base << 16;
		l.w[i % 4] = w;
		if (i % 4 == 3 || i + 1 == t->n_words)
			put_line(&l);
	}
	return first;
}

struct known_file {
	char path[256];
	u32 table;
	u64 base;
	struct symbolizer_segment segments[4];
	u32 n_segments;
} files[64];
static u32 n_files;

static const struct known_file *load_file(const char *name, const char *path)
{
	struct known_file *f = &files[n_files];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct elf_file *elf = fd < 0 ? NULL : elf_file_open(fd);
	struct unwind_table *t;

	for (u32 i = 0; i < n_files; i++) {
		if (!strcmp(files[i].path, path)) {
			elf_file_close(elf);
			close(fd);
			return &files[i];
		}
	}
	assert_true(n_files < ARRAY_SIZE(files));
	snprintf(f->path, sizeof(f->path), "%s", path);
	if (elf)
		f->n_segments = elf_exec_segments(elf, f->segments, ARRAY_SIZE(f->segments));
	t = elf ? unwind_table_read(fd, NULL) : NULL;
	f->table = t ? put_table(t) : TABLE_ABSENT;
	f->base = t ? t->base : 0;
	unwind_table_free(t);
	elf_file_close(elf);
	close(fd);
	n_files++;
	return f;
}

static struct arena_line line_of(u64 start, u64 end, u64 offset, const struct known_file *f)
{
	struct arena_line l = { .w = { start, end } };

	for (u32 i = 0; f && i < f->n_segments; i++) {
		const struct symbolizer_segment *s = &f->segments[i];

		if (offset >= (s->offset & ~4095ull) && offset < s->offset + s->size) {
			l.w[2] = start - (offset - s->offset + s->addr - f->base);
			l.w[3] = (u64)f->table << 32;	/* file 0: frames are plain addresses */
		}
	}
	return l;
}

/* The kernel's own file is the same in all processes. */
static const struct known_file *load_vdso(void)
{
	u64 at = getauxval(AT_SYSINFO_EHDR);
	int fd = memfd_create("vdso", 0);
	const struct known_file *f = NULL;
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (at && fd >= 0 && (write(fd, (const void *)at, 8192) > 0 || write(fd, (const void *)at, 4096) > 0))
		f = load_file(name, "[vdso]");
	close(fd);
	return f;
}

/* Mappings and tables of the target; the first line and number of its mappings. */
static void read_target(u32 *ret_first, u32 *ret_n)
{
	struct arena_line maps[256];
	char name[64], line[1024], path[512];
	u32 n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/maps", target);
	f = fopen(name, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && n < ARRAY_SIZE(maps)) {
		const struct known_file *file = NULL;
		u64 start, end, offset;
		char perms[8];

		path[0] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %500s", &start, &end,
			   perms, &offset, path) < 4 || perms[2] != 'x' || !strcmp(path, "[vsyscall]"))
			continue;
		if (path[0] == '/')
			file = load_file(path, path);
		else if (!strcmp(path, "[vdso]"))
			file = load_vdso();
		maps[n++] = line_of(start, end, offset, file);
	}
	fclose(f);
	*ret_first = n_lines;
	*ret_n = n;
	for (u32 i = 0; i < n; i++)
		put_line(&maps[i]);
}

/* No files any more, and lines up to the first that means one. */
static void forget_files(void)
{
	n_files = n_lines = n_infos = 0;
	while (n_lines < TABLE_FIRST)
		put_line(&(struct arena_line){});
}

#ifdef __x86_64__
static struct walk_regs regs_of(const struct user_regs_struct *u)
{
	return (struct walk_regs){ .pc = u->rip, .sp = u->rsp, .fp = u->rbp, .regs = {
		u->rax, u->rdx, u->rcx, u->rbx, u->rsi, u->rdi, u->rbp, u->rsp, u->r8, u->r9,
		u->r10, u->r11, u->r12, u->r13, u->r14, u->r15 } };
}
#endif

/* The walk from these registers; first and n: from read_target(). */
static const struct walk *walk_from(const struct walk_regs *r, u32 first, u32 n)
{
	static struct walk w;
	struct walk_ctx c = { .w = &w, .first = first, .n = n };

	walk_begin(&w);
	w.r = *r;
	for (u32 i = 0; i <= MAX_FRAMES && !walk_step(i, &c); i++)
		;
	return &w;
}
