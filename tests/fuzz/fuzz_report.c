// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_report.c: bytes as a report of the protocol reader, as the sampler takes it: looked at, added
 * up, and made rows of. The heads of two reports, each with its arrays behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/http/http_durations.h"
#include "bpf/collectors/http/http_totals.h"
#include "bpf/host/proctab.h"
#include "bpf/model/snapshot_build.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define PROCESSES 4
#define ROWS_MAX 100000

static struct proc processes[PROCESSES];

/* The process table: some are in it, of which one has ended and one is not observed. */
struct proc *proctab_find(u32 pid, u64 start_ns)
{
	return pid && pid < PROCESSES ? &processes[pid] : NULL;
}

/* One more went in the tick before. */
struct proc *proctab_ended(u32 pid, u64 start_ns)
{
	static struct proc ended = { .closed = true };

	return pid == PROCESSES ? &ended : NULL;
}

bool proc_in_scope(const struct proc *p)
{
	return p != &processes[2];
}

/* True: a report was taken; data and size go on behind it. */
static bool take_report(const u8 **data, size_t *size)
{
	struct report r = {};
	size_t n;
	u8 *copy;
	bool sane;

	if (*size < sizeof(r.head))
		return false;
	memcpy(&r.head, *data, sizeof(r.head));
	n = report_size(&r.head);
	if (n == SIZE_MAX || n > *size - sizeof(r.head))
		return false;
	copy = n ? malloc(n) : NULL;	/* of its own, so that not a byte behind it is read */
	if (n)
		memcpy(copy, *data + sizeof(r.head), n);
	sane = report_is_sane(&r, copy);
	if (sane) {
		http_totals_report(&r);
		http_durations_report(&r);
	}
	free(copy);
	*data += sizeof(r.head) + n;
	*size -= sizeof(r.head) + n;
	return sane;
}

static void make_rows(u64 now_ns, const struct snapshot **last)
{
	static const struct session session = {};
	struct builder *b = builder_new(*last, &session);
	const struct snapshot *s;
	struct tick t = { .b = b, .now_ns = now_ns, .prev_ns = now_ns - NSEC_PER_SEC, .interval_ns = NSEC_PER_SEC,
			  .want = now_ns / NSEC_PER_SEC % 2 ? WANT_ALL_REQUESTS : 0 };

	http_totals_rows(&t);
	http_requests_rows(&t, 0);
	http_durations_rows(&t);
	s = builder_seal(b);
	snapshot_put(*last);
	*last = s;
	if (s->tables[TABLE_http].n > ROWS_MAX || s->tables[TABLE_requests].n > ROWS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct snapshot *last = NULL;
	bool sane = true;

	processes[3].closed = true;
	http_totals_begin(NSEC_PER_SEC);
	http_durations_begin(NSEC_PER_SEC);
	for (u64 i = 2; i < 5 && sane; i++) {
		sane = take_report(&data, &size);
		make_rows(i * NSEC_PER_SEC, &last);
	}
	http_totals_clear();
	http_durations_clear();
	snapshot_put(last);
	for (u32 i = 0; i < PROCESSES; i++) {
		hist_put(processes[i].http_hist);
		processes[i] = (struct proc){};
	}
	return 0;
}
