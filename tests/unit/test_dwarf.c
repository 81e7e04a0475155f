// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines and inlined functions, against addr2line of binutils: programs are
 * compiled here, every 16th address of their code is asked of both.
 *
 * test_dwarf FILE... compares files that are there already, and prints what differs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/dwarf.h"
#include "symbolizer/elf.h"
#include "symbolizer/symtab.h"

#define NAME_CHARS 4096
#define STEP 16
#define MAX_SHOWN (getenv("SHOW") ? 100000u : 20u)

static char folder[] = "/tmp/ottop-dwarf-XXXXXX";
static u32 step = STEP, shown;
static const char *tool = "addr2line";

/* ---- what addr2line says ------------------------------------------------------------ */

struct said {
	char name[DWARF_MAX_DEPTH][NAME_CHARS], file[DWARF_MAX_DEPTH][512];
	u32 line[DWARF_MAX_DEPTH], n;
};

struct addr2line {
	FILE *out;
	char next[8192];	/* a line read ahead */
};

static bool start(struct addr2line *a, const char *file, u64 from, u64 to)
{
	char command[1024], list[64];
	FILE *f;

	snprintf(list, sizeof(list), "%s/list", folder);
	f = fopen(list, "w");
	if (!f)
		return false;
	for (u64 addr = from; addr < to; addr += step)
		fprintf(f, "0x%llx\n", (unsigned long long)addr);
	fclose(f);
	snprintf(command, sizeof(command), "%s -afi -e '%s' < %s", tool, file, list);
	a->out = popen(command, "r");
	return a->out && fgets(a->next, sizeof(a->next), a->out);
}

static void take_place(struct said *s, char *place)
{
	char *colon;

	place[strcspn(place, "\n")] = '\0';
	place[strcspn(place, "(")] = '\0';	/* "(discriminator 2)" */
	colon = strrchr(place, ':');
	if (colon) {
		s->line[s->n] = (u32)strtoul(colon + 1, NULL, 10);
		*colon = '\0';
	}
	snprintf(s->file[s->n], sizeof(s->file[0]), "%.511s", place);
}

static bool next_said(struct addr2line *a, struct said *s)
{
	char line[8192];

	memset(s, 0, sizeof(*s));
	if (strncmp(a->next, "0x", 2))
		return false;
	while (fgets(line, sizeof(line), a->out)) {
		if (!strncmp(line, "0x", 2)) {
			strcpy(a->next, line);
			return true;
		}
		line[strcspn(line, "\n")] = '\0';
		snprintf(s->name[s->n], sizeof(s->name[0]), "%.4095s", line);
		if (!fgets(line, sizeof(line), a->out))
			break;
		take_place(s, line);
		if (s->n + 1 < DWARF_MAX_DEPTH)
			s->n++;
	}
	a->next[0] = '\0';
	return s->n > 0;
}

/* ---- comparing ---------------------------------------------------------------------- */

struct score {
	u32 n, same, inlined;		/* addresses; of them with inlined functions */
	u32 depth, name, file, line, unknown;	/* what was different first */
	u32 around;	/* where addr2line names the function around the innermost */
};

/* "/a/./b/../c" and "/a/c": the same, for the two last parts of a path. */
static bool same_file(const char *a, const char *b)
{
	const char *x = strrchr(a, '/'), *y = strrchr(b, '/');

	return !strcmp(x ? x : a, y ? y : b) || (!strcmp(a, "??") && !*b);
}

/* As a person reads them: the two names that a constructor may have are one then. */
static bool same_name(const char *a, const char *b)
{
	char *x = symbol_demangle(a), *y = symbol_demangle(b ? b : "??");
	bool same = !strcmp(x, y);

	free(x);
	free(y);
	return same;
}

/* addr2line calls an innermost function without a mangled name like the symbol it is in. */
static bool is_symbol_around(const struct said *s, u32 i, u32 n, struct score *score)
{
	if (i || n < 2 || strcmp(s->name[0], s->name[n - 1]))
		return false;
	score->around++;
	return true;
}

static const char *first_difference(const struct said *s, const struct dwarf_frame *f, u32 n,
				    const char *symbol, struct score *score)
{
	if (!n && !s->line[0])	/* it has the file from .symtab */
		return NULL;
	if (!n)
		return score->unknown++, "unknown";
	if (n != s->n)
		return score->depth++, "depth";
	for (u32 i = 0; i < n; i++) {
		/* ottop names the function itself by its symbol: work.cold, where this is work */
		if (!same_name(s->name[i], f[i].name) && !(i == n - 1 && same_name(s->name[i], symbol)) &&
		    !is_symbol_around(s, i, n, score))
			return score->name++, "name";
		if (!same_file(s->file[i], f[i].file ? f[i].file : ""))
			return score->file++, "file";
		if (s->line[i] != f[i].line)
			return score->line++, "line";
	}
	return NULL;
}

static void show(const char *what, u64 addr, const struct said *s, const struct dwarf_frame *f, u32 n)
{
	if (shown++ >= MAX_SHOWN)
		return;
	fprintf(stderr, "%s at 0x%llx\n", what, (unsigned long long)addr);
	for (u32 i = 0; i < max(n, s->n); i++)
		fprintf(stderr, "\t%2u %.300s %s:%u\n\t   %.300s %s:%u (%u)\n", i, s->name[i], s->file[i],
			s->line[i], i < n && f[i].name ? f[i].name : "-",
			i < n && f[i].file ? f[i].file : "", i < n ? f[i].line : 0,
			i < n ? f[i].start : 0);
}

static struct score compare(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_file *elf = elf_open(fd);
	struct dwarf *d = dwarf_open(fd);
	struct symtab *t = symtab_read(elf);
	struct score score = { 0 };
	struct elf_section text;
	struct addr2line a = { 0 };
	struct said s;

	assert_non_null(elf);
	assert_non_null(d);
	assert_true(elf_section(elf, ".text", &text));
	assert_true(dwarf_index(d, UINT64_MAX));
	assert_true(start(&a, path, text.addr, text.addr + text.size));
	for (u64 addr = text.addr; next_said(&a, &s); addr += step) {
		struct dwarf_frame f[DWARF_MAX_DEPTH];
		u32 n = dwarf_find(d, addr, f);
		const char *what = first_difference(&s, f, n, symtab_find(t, addr), &score);

		score.n++;
		score.inlined += n > 1;
		score.same += !what;
		if (what)
			show(what, addr, &s, f, n);
	}
	pclose(a.out);
	dwarf_close(d);
	symtab_free(t);
	elf_close(elf);
	close(fd);
	printf("# %s: %u addresses, %u with inlined functions, %.2f %% the same; different: depth %u,"
	       " name %u, file %u, line %u, unknown %u; %u times the name around\n", path, score.n, score.inlined,
	       100.0 * score.same / max(score.n, 1u), score.depth, score.name, score.file, score.line,
	       score.unknown, score.around);
	return score;
}

int main(int argc, char **argv)
{
	if (!mkdtemp(folder))
		return 1;
	if (getenv("ADDR2LINE"))
		tool = getenv("ADDR2LINE");
	for (int i = 1; i < argc; i++)
		compare(argv[i]);
	return 0;
}
