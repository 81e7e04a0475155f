// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lines.c: see lines.h. A frame is an address; where functions
 * were inlined it is several functions. Stacks are sealed before that is known,
 * so they name the one frame, and its row names those that were inlined.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/frames.h"
#include "bpf/stacks/debug.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/lines.h"
#include "symbolizer/symbolizer.h"

/*
 * A file is asked again after so long, for all that came meanwhile: who answers may
 * have to open and index it anew, which for a large one takes 0.1 s of a CPU.
 */
#define LINES_AGAIN_NS (500 * NSEC_PER_MSEC)
#define LINES_SELDOM_NS (2 * NSEC_PER_SEC)	/* later on: what is new then is seldom run */

static struct file_lines {
	bool off;	/* it has no lines, or it killed the symbolizer */
	u64 asked_ns, since_ns;	/* the last and the first time */
} *files;
static u32 n_files;
static bool switched_off;

void lines_switch(bool on)
{
	switched_off = !on;
}

static struct file_lines *lines_of(u32 file)
{
	u32 n = max(n_files * 2, file + 64);

	if (file >= n_files) {
		files = xrealloc(files, n * sizeof(*files));
		memset(files + n_files, 0, (n - n_files) * sizeof(*files));
		n_files = n;
	}
	return &files[file];
}

void lines_close(void)
{
	free(files);
	files = NULL;
	n_files = 0;
}

/*
 * Demangled, a function of C++ has arguments; Rust's names have parentheses in
 * "<…>" and "{…}" only.
 */
static bool is_rust(const char *name)
{
	bool qualified = false;
	int depth = 0;

	for (const char *s = name; *s; s++) {
		if (*s == '<' || *s == '{')
			depth++;
		else if ((*s == '>' && s > name && s[-1] != '-') || *s == '}')
			depth--;
		else if (*s == '(' && depth <= 0)
			return false;
		else if (s[0] == ':' && s[1] == ':' && depth <= 0)
			qualified = true;
	}
	return qualified;
}

const char *lines_name(const char *name)
{
	return name && name[0] == SYMBOLIZER_RUST ? name + 1 : name;
}

const char *lines_kind(const char *name, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (name && name[0] == SYMBOLIZER_RUST)
		return "rust";
	if (name && is_rust(name))
		return "rust";
	/* main.(*Worker).Run is Go */
	if (name && (strstr(name, "::") || (strchr(name, '(') && !strstr(name, ".(*"))))
		return "c++";
	return path && (strstr(slash ? slash : path, ".so") || path[0] == '[') ? "library" : "user";
}

static int by_addr(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The addresses whose lines are not known yet, sorted: neighbours are of one unit, read once then. */
static u32 new_ones(const u32 *ids, const u64 *addrs, u32 n, u64 *ret)
{
	u32 found = 0;

	for (u32 i = 0; i < n; i++)
		if (frames_lines(ids[i]) == LINES_NEW)
			ret[found++] = addrs[i];
	qsort(ret, found, sizeof(*ret), by_addr);
	return found;
}

static u64 patience_ns(const struct file_lines *f, u64 now)
{
	u64 age = f->since_ns ? now - f->since_ns : 0;

	return min(max(age / 8, (u64)LINES_AGAIN_NS), (u64)LINES_SELDOM_NS);
}

bool lines_ask(u32 file, u32 *ids, u64 *addrs, u32 *n)
{
	struct file_lines *f = lines_of(file);
	u64 wanted[SYMBOLIZER_BATCH], now = boottime_ns();
	u32 n_wanted, left = 0;
	bool later;

	if (switched_off || f->off)
		return true;
	n_wanted = new_ones(ids, addrs, *n, wanted);
	later = n_wanted < SYMBOLIZER_BATCH && now - f->asked_ns < patience_ns(f, now);
	if (n_wanted && !later) {
		if (symbolizer_ask_lines(file, file_fd(file), debug_fd(file), debug_sup_fd(file), wanted,
					 n_wanted))
			return false;
		f->asked_ns = now;
		f->since_ns = f->since_ns ?: now;
	}
	for (u32 i = 0; i < *n; i++) {
		if (frames_lines(ids[i]) != LINES_NEW) {
			ids[left] = ids[i];
			addrs[left++] = addrs[i];
		} else if (later) {
			frames_ask_again(ids[i]);
		} else {
			frames_set_lines(ids[i], LINES_ASKED);
		}
	}
	*n = left;
	return true;
}

/* ---- answers ---- */

static const char *text_of(const struct symbolizer_answer *a, u32 at)
{
	return at ? str_new(a->names + at) : NULL;
}

static u64 line_of(u32 line)
{
	return line ? line : U64_BLANK;
}

/* The frames of what was inlined, as the text of their numbers; NULL: none. */
static const char *inlined_text(const struct symbolizer_answer *a, u32 first, u32 n)
{
	const char *path = file_path(a->file);
	char buf[11 * 64];
	size_t used = 0;

	for (u32 i = first; i < first + n && used + 11 < sizeof(buf); i++) {
		const struct symbolizer_line *l = &a->lines[i];
		const char *name = l->name ? a->names + l->name : NULL;
		u32 id = frames_inlined(&(struct frames_inlined){
			.in = a->file, .module = path ? str_new(path) : NULL,
			.build_id = str_new(file_build_id(a->file)), .name = name ? str_new(lines_name(name)) : NULL,
			.kind = str_new(lines_kind(name, path)), .file = text_of(a, l->file),
			.line = line_of(l->line), .start_line = line_of(l->start),
		});

		if (!id)
			break;
		used += (size_t)snprintf(buf + used, sizeof(buf) - used, used ? " %u" : "%u", id);
	}
	return used ? str_newn(buf, used) : NULL;
}

/* The lines from `first` on that are of one address; the last is the function itself. */
static void take_address(const struct symbolizer_answer *a, u32 id, u32 first, u32 n)
{
	const struct symbolizer_line *l = &a->lines[first + n - 1];

	frames_source(id, text_of(a, l->file), line_of(l->line), line_of(l->start),
		      inlined_text(a, first, n - 1), l->name ? str_new(lines_name(a->names + l->name)) : NULL);
}

void lines_take(const struct symbolizer_answer *a)
{
	u32 at = 0;

	if (a->err) {
		lines_of(a->file)->off = true;
		frames_lines_failed(a->file);
		return;
	}
	for (u32 i = 0; i < a->n_names; i++) {
		u32 id = frames_find(a->file, a->addrs[i], 0), first = at;

		while (at < a->n_lines && a->lines[at].of == i)
			at++;
		if (!id || frames_lines(id) != LINES_ASKED)	/* nor what the answer says twice */
			continue;
		if (at > first)
			take_address(a, id, first, at - first);
		frames_set_lines(id, i < a->n_done ? LINES_DONE : LINES_NEW);
		frames_ask_again(id);
	}
}
