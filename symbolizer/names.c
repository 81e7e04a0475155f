// SPDX-License-Identifier: GPL-2.0-or-later
/* names.c: see names.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "symbolizer/minidebug.h"
#include "symbolizer/names.h"
#include "symbolizer/pclntab.h"
#include "symbolizer/startcode.h"
#include "symbolizer/symtab.h"

/* In order of lookup: the first that covers an address names it. */
enum place { SYMTAB, DEBUG_FILE, DYNSYM, MINI, GO, START, PLACES };

struct names {
	int fd, debug_fd;	/* our own copies; debug_fd may be -1 */
	struct timespec changed;
	off_t size;
	struct symtab *tables[PLACES];	/* not for GO and START */
	struct pclntab *go;
	struct startcode start;
	u8 *mini;		/* decompressed; holds the names of its table */
	size_t mini_size;
	enum place opened;	/* those before this one have been opened */
	bool go_opened;
	bool complete;		/* a .symtab was found */
};

struct names *names_read(int fd, int debug_fd)
{
	struct elf_file *f = elf_file_open(fd);
	struct names *n;
	struct stat st;

	if (!f)
		return NULL;
	elf_file_close(f);
	n = xcalloc(1, sizeof(*n));
	n->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	n->debug_fd = debug_fd < 0 ? -1 : fcntl(debug_fd, F_DUPFD_CLOEXEC, 0);
	if (n->fd < 0 || fstat(n->fd, &st)) {
		names_free(n);
		errno = EMFILE;
		return NULL;
	}
	n->changed = st.st_mtim;
	n->size = st.st_size;
	return n;
}

static struct symtab *read_table(int fd, bool dynamic)
{
	struct elf_file *f = fd < 0 ? NULL : elf_file_open(fd);
	struct symtab *t = f ? symtab_read(f, dynamic) : NULL;

	elf_file_close(f);
	return t;
}

static struct symtab *read_mini(struct names *n)
{
	struct elf_file *f = elf_file_open(n->fd), *mini = NULL;
	struct symtab *t = NULL;
	struct source packed;
	u64 addr;

	if (f && elf_section_source(f, ".gnu_debugdata", &packed, &addr))
		n->mini = minidebug_unpack(&packed, &n->mini_size);
	if (n->mini)
		mini = elf_file_open_memory(n->mini, n->mini_size);
	if (mini)
		t = symtab_read(mini, false);
	elf_file_close(mini);
	elf_file_close(f);
	if (!t) {
		free(n->mini);
		n->mini = NULL;
		n->mini_size = 0;
	}
	return t;
}

static const struct pclntab *go_of(struct names *n)
{
	struct elf_file *f = n->go_opened ? NULL : elf_file_open(n->fd);

	if (f)
		n->go = pclntab_read(f);
	elf_file_close(f);
	n->go_opened = true;
	return n->go;
}

static void read_start(struct names *n)
{
	struct elf_file *f = n->complete ? NULL : elf_file_open(n->fd);

	if (f)
		startcode_read(f, &n->start);
	elf_file_close(f);
}

static void open_place(struct names *n, enum place p)
{
	switch (p) {
	case SYMTAB:
	case DEBUG_FILE:
		n->tables[p] = read_table(p == SYMTAB ? n->fd : n->debug_fd, false);
		n->complete |= n->tables[p] != NULL;
		break;
	case DYNSYM:
		n->tables[p] = n->complete ? NULL : read_table(n->fd, true);
		break;
	case MINI:
		n->tables[p] = n->complete ? NULL : read_mini(n);
		break;
	case GO:
		go_of(n);
		break;
	case START:
		read_start(n);
		break;
	default:
		break;
	}
}

bool names_find(struct names *n, u64 addr, char *buf, size_t cap)
{
	const char *found;

	for (enum place p = SYMTAB; p < PLACES; p++) {
		if (p == n->opened) {
			open_place(n, p);
			n->opened++;
		}
		if (n->tables[p] && symtab_find(n->tables[p], addr, buf, cap))
			return true;
	}
	if (n->go && pclntab_find(n->go, addr, buf, cap))
		return true;
	found = startcode_find(&n->start, addr);
	if (found)
		snprintf(buf, cap, "%s", found);
	return found != NULL;
}

bool names_line(struct names *n, u64 addr, char *file, size_t cap, u32 *ret_line)
{
	return go_of(n) && pclntab_line(n->go, addr, file, cap, ret_line);
}

struct names *names_of_go(int fd)
{
	struct names *n = names_read(fd, -1);

	if (n && go_of(n))
		return n;
	names_free(n);
	errno = ENODATA;
	return NULL;
}

enum symbolizer_missing names_missing(const struct names *n)
{
	if (n->complete || n->go)
		return MISSING_NOT_COVERED;
	return n->tables[MINI] || n->tables[DYNSYM] ? MISSING_STRIPPED : MISSING_NO_SYMBOLS;
}

bool names_unchanged(const struct names *n)
{
	struct stat st;

	return !fstat(n->fd, &st) && st.st_size == n->size &&
	       st.st_mtim.tv_sec == n->changed.tv_sec && st.st_mtim.tv_nsec == n->changed.tv_nsec;
}

bool names_has_debug(const struct names *n)
{
	return n->debug_fd >= 0;
}

u32 names_count(const struct names *n)
{
	u32 all = n->go ? pclntab_count(n->go) : 0;

	for (u32 i = 0; i < PLACES; i++)
		all += n->tables[i] ? symtab_count(n->tables[i]) : 0;
	return all;
}

size_t names_bytes(const struct names *n)
{
	size_t all = sizeof(*n) + n->mini_size;

	for (u32 i = 0; i < PLACES; i++)
		all += n->tables[i] ? symtab_bytes(n->tables[i]) : 0;
	return all;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (u32 i = 0; i < PLACES; i++)
		symtab_free(n->tables[i]);
	pclntab_free(n->go);
	free(n->mini);
	file_close(n->fd);
	file_close(n->debug_fd);
	free(n);
}
