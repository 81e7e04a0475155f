// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lines.c: see lines.h. A frame is one address, but with inlining it is several
 * functions. Stacks are sealed before that is known, so a stack has only the frame,
 * and the frame's row lists the inlined ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/frames.h"
#include "bpf/stacks/debug.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/lines.h"
#include "bpf/stacks/mangled.h"
#include "bpf/stacks/pace.h"
#include "symbolizer/symbolizer.h"

/* Requests for one file are batched at this interval: reading a large one takes 0.1 s of CPU. */
#define LINES_AGAIN_NS (500 * NSEC_PER_MSEC)
#define LINES_SELDOM_NS (8 * NSEC_PER_SEC)	/* later: new addresses are rare then */

static struct file_lines {
	const char *off;	/* why it has no lines; NULL: it may have */
	u64 asked_ns, wait_ns;	/* last request; time until the next */
} *files;
static u32 n_files;
static bool hurried;
static u32 *wanted;	/* frames, in the order in which they are asked for */
static u32 n_wanted, cap_wanted;
static bool switched_off;
static u32 too_big;	/* files whose debug information is too big */

void lines_switch(bool on)
{
	switched_off = !on;
}

static struct file_lines *lines_of(u32 file)
{
	files = grow_to(files, &n_files, file, sizeof(*files));
	return &files[file];
}

void lines_close(void)
{
	free(files);
	free(wanted);
	mangled_clear();
	files = NULL;
	wanted = NULL;
	n_files = n_wanted = cap_wanted = too_big = 0;
}

/* Demangled C++ has arguments; in Rust's names parentheses are in "<…>" and "{…}" only. */
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
	return name && name[0] > 0 && name[0] < SYMBOLIZER_MARKS ? name + 1 : name;
}

const char *lines_kind(const char *name, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (name && lines_name(name) != name && name[0] & SYMBOLIZER_RUST)
		return "rust";
	name = lines_name(name);
	if (name && is_rust(name))
		return "rust";
	if (name && !strncmp(name, "_Z", 2))	/* left mangled */
		return "c++";
	/* main.(*Worker).Run is Go */
	if (name && (strstr(name, "::") || (strchr(name, '(') && !strstr(name, ".(*"))))
		return "c++";
	return path && (strstr(slash ? slash : path, ".so") || path[0] == '[') ? "library" : "user";
}

u32 lines_too_big(void)
{
	return too_big;
}

/* ---- questions ---- */

void lines_want(u32 id)
{
	if (switched_off || frames_lines(id) != LINES_NEW)
		return;
	if (lines_of(frames_file(id))->off) {
		frames_lines_done(id, lines_of(frames_file(id))->off);
		return;
	}
	frames_set_lines(id, LINES_WANTED);
	wanted = grow(wanted, n_wanted, &cap_wanted, sizeof(*wanted));
	wanted[n_wanted++] = id;
}

/* Keeps the rows of frames that stay wanted: copying a thousand at each tick is expensive. */
void lines_see(const u32 *ids, u32 n)
{
	u32 old = n_wanted;

	for (u32 i = 0; i < old; i++)
		frames_unwant_lines(wanted[i]);
	for (u32 i = 0; i < n; i++)
		lines_want(ids[i]);
	for (u32 i = 0; i < old; i++)
		if (!frames_has_name(wanted[i]))
			lines_want(wanted[i]);
	for (u32 i = 0; i < old; i++)
		if (frames_lines(wanted[i]) == LINES_NEW)
			frames_set_lines(wanted[i], LINES_NEW);
	n_wanted -= old;
	if (n_wanted && old)
		memmove(wanted, wanted + old, n_wanted * sizeof(*wanted));
}

void lines_want_all(void)
{
	for (u32 id = 0; (id = frames_next(id));)
		lines_want(id);
}

/* The wanted addresses of a file, from `at` on. */
static u32 of_file(u32 file, u32 at, u64 *addrs)
{
	u32 n = 0;

	for (; at < n_wanted && n < SYMBOLIZER_BATCH; at++)
		if (frames_lines(wanted[at]) == LINES_WANTED && frames_file(wanted[at]) == file)
			addrs[n++] = frames_addr(wanted[at]);
	/* sorted, so that each compilation unit is read once */
	qsort(addrs, n, sizeof(*addrs), u64_order);
	return n;
}

/* Asks for the file of the frame at `at`; false: the symbolizer is busy. */
static bool ask(u32 at, u64 now)
{
	u32 file = frames_file(wanted[at]), n;
	struct file_lines *f = lines_of(file);
	u64 addrs[SYMBOLIZER_BATCH];

	if (file_fd(file) < 0 || file_is_bad(file)) {
		frames_lines_failed(file, "its file cannot be read");
		return true;
	}
	if (!debug_ready(file) || (!hurried && f->asked_ns && now - f->asked_ns < f->wait_ns))
		return true;
	if (!pace_may(PACE_LINES, now))
		return false;
	n = of_file(file, at, addrs);
	if (symbolizer_ask_lines(file, file_fd(file), debug_fd(file), debug_sup_fd(file), addrs, n))
		return false;
	pace_asked(PACE_LINES, now);
	f->asked_ns = now;
	f->wait_ns = min(max(f->wait_ns * 2, LINES_AGAIN_NS), LINES_SELDOM_NS);
	for (u32 i = 0; i < n; i++)
		frames_set_lines(frames_find(file, addrs[i], 0), LINES_ASKED);
	return true;
}

void lines_hurry(bool on)
{
	hurried = on;
}

void lines_drain(void)
{
	u64 now = boottime_ns();
	u32 left = 0, at = 0;

	for (; at < n_wanted; at++) {
		if (frames_lines(wanted[at]) == LINES_WANTED && !ask(at, now))
			break;
		if (frames_lines(wanted[at]) == LINES_WANTED)	/* its debug file is still searched, or the file pauses */
			wanted[left++] = wanted[at];
	}
	for (; at < n_wanted; at++)
		wanted[left++] = wanted[at];
	n_wanted = left;
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

/* The frames of inlined functions, as a text of numbers; NULL: none. */
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

		mangled_note(name);
		if (!id)
			break;
		used += (size_t)snprintf(buf + used, sizeof(buf) - used, used ? " %u" : "%u", id);
	}
	return used ? str_newn(buf, used) : NULL;
}

/* The lines of one address, n from `first` on; the last is the function itself. */
static void take_address(const struct symbolizer_answer *a, u32 id, u32 first, u32 n)
{
	const struct symbolizer_line *l = &a->lines[first + n - 1];

	frames_source(id, text_of(a, l->file), line_of(l->line), line_of(l->start),
		      inlined_text(a, first, n - 1), l->name ? str_new(lines_name(a->names + l->name)) : NULL);
}

#define TEXT_OF(n) #n
#define MB_OF(n) TEXT_OF(n) " MB"

static const char *why_none(int err)
{
	switch (err) {
	case -ENODATA:
		return "no debug information";
	case -ETIME:
		return "its debug information takes too long to read";
	case -ENOMEM:
		return "its debug information needs more than " MB_OF(SYMBOLIZER_MB) ", which is what ottop-symbols may take";
	case -EFBIG:
		return "its debug information is compressed, and more than " MB_OF(SYMBOLIZER_UNPACKED_MB);
	}
	return symbolizer_died(err) ? "the symbolizer died of its debug information" :
	       "its debug information cannot be read";
}

void lines_take(const struct symbolizer_answer *a)
{
	u32 at = 0;

	pace_answered(a->cpu_ns);
	if (a->err) {
		too_big += !lines_of(a->file)->off && (a->err == -ENOMEM || a->err == -EFBIG);
		lines_of(a->file)->off = why_none(a->err);
		frames_lines_failed(a->file, why_none(a->err));
		return;
	}
	for (u32 i = 0; i < a->n_names; i++) {
		u32 id = frames_find(a->file, a->addrs[i], 0), first = at;

		while (at < a->n_lines && a->lines[at].of == i)
			at++;
		if (!id || frames_lines(id) != LINES_ASKED)	/* also skips duplicates in the answer */
			continue;
		if (i >= a->n_done) {
			frames_set_lines(id, LINES_NEW);
			lines_want(id);
			continue;
		}
		if (at > first)
			take_address(a, id, first, at - first);
		frames_lines_done(id, at > first ? NULL : "no line covers it");
	}
}
