// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_names.c: asks the symbolizer for names of frames, and takes all its answers. */
#include <errno.h>
#include <string.h>

#include "bpf/collectors/profiler/profiler_names.h"
#include "bpf/stacks/debug.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/frames.h"
#include "bpf/stacks/hints.h"
#include "bpf/stacks/jit.h"
#include "bpf/stacks/lines.h"
#include "bpf/stacks/mangled.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/pace.h"
#include "bpf/stacks/turns.h"
#include "symbolizer/symbolizer.h"

static const char *why_missing(u32 missing)
{
	switch (missing) {
	case MISSING_NO_SYMBOLS:
		return "stripped: no symbols, and no debug file of its build-id";
	case MISSING_STRIPPED:
		return "stripped: not among the exported functions, no debug file of its build-id";
	}
	return "no symbol covers it";
}

static const char *why_failed(int err)
{
	switch (err) {
	case -EFAULT:
		return "the symbolizer died of this file";
	case -ETIME:
		return "the symbolizer needed more than 10 s of CPU time for this file";
	case -ENOMEM:
		return "the symbolizer needed more memory than it may have for this file";
	case -ETIMEDOUT:
		return "this file could not be read: a read of it hung for 60 s";
	case -ESTALE:
		return "its file was written over since it was sampled";
	case -EPIPE:
		return "the symbolizer is gone";
	}
	return "its symbols cannot be read";
}

static void names_failed(const struct symbolizer_answer *a)
{
	if (symbolizer_died(a->err))	/* never again: it would kill the next one, too */
		debug_set_bad(a->file, why_failed(a->err));
	frames_fail(a->file, why_failed(a->err));
}

static void take_table(const struct symbolizer_answer *a)
{
	if (files_table_answer(a))
		mappings_file_changed(a->file);
	debug_table_answer(a);
}

/* How to make an interpreter expose the names of the functions it runs. */
static const char *hint_for(const char *name, const char *path)
{
	char hint[128];

	return hint_of_function(name, path, hint, sizeof(hint)) ? str_new(hint) : NULL;
}

/* A remark on a name; NULL: none. */
static const char *about_name(const char *name, const char *path)
{
	const char *reason = mangled_reason(name);

	return reason ? str_new(reason) : hint_for(name, path);
}

static void take_names(const struct symbolizer_answer *a)
{
	const char *name = a->names;

	pace_answered(a->cpu_ns);
	turns_answered(a->file, a->cpu_ns, boottime_ns());
	if (a->err)
		names_failed(a);
	for (u32 i = 0; !a->err && i < a->n_names; i++, name += strlen(name) + 1) {
		u32 id = frames_find(a->file, a->addrs[i], 0);
		const char *path = file_path(a->file);

		if (!id)
			continue;
		mangled_note(name);
		frames_name(id, name[0] ? str_new(lines_name(name)) : NULL,
			    str_new(lines_kind(name, path)),
			    name[0] ? about_name(name, path) : str_new(why_missing(a->missing)));
		if (!name[0])
			lines_want(id);
	}
}

void names_take(void)
{
	struct symbolizer_answer a;

	while (symbolizer_receive(&a)) {
		if (a.kind == ANSWER_TABLE)
			take_table(&a);
		else if (a.kind == ANSWER_DEBUG)
			debug_answer(&a);
		else if (a.kind == ANSWER_JIT)
			jit_answer(&a);
		else if (a.kind == ANSWER_LINES)
			lines_take(&a);
		else
			take_names(&a);
		symbolizer_done(&a);
	}
}

/* Its symbols cannot be read: gives its frames that reason, and stops asking. */
static void give_up_names(u32 file)
{
	u64 addr;

	frames_fail(file, debug_bad(file) ?: "its file cannot be read");
	while (frames_next_unnamed(file, &addr))
		;
}

/* Can names of this file be asked for now? Gives up files that cannot be read. */
static bool can_be_asked(u32 file)
{
	if (file_fd(file) < 0 || !frames_has_unnamed(file) || !debug_ready(file))
		return false;
	if (!file_is_bad(file) && !debug_bad(file))
		return true;
	give_up_names(file);
	return false;
}

static u32 last_file(void)
{
	u32 last = 0;

	while (file_path(last + 1))
		last++;
	return last;
}

void names_ask(void)
{
	u64 addrs[SYMBOLIZER_BATCH], now = boottime_ns();
	u64 at_ns = pace_hurries() ? UINT64_MAX : now;	/* UINT64_MAX: all files are due */
	u32 ids[SYMBOLIZER_BATCH], file;

	while (pace_may(PACE_NAMES, now) && (file = turns_next(last_file(), can_be_asked, at_ns))) {
		u32 n = 0;

		while (n < SYMBOLIZER_BATCH && (ids[n] = frames_next_unnamed(file, &addrs[n])))
			n++;
		if (symbolizer_ask_names(file, file_fd(file), debug_fd(file), addrs, n)) {
			while (n)	/* busy: asked again at the next drain */
				frames_ask_again(ids[--n]);
			return;
		}
		pace_asked(PACE_NAMES, now);
		turns_asked(file);
	}
}
