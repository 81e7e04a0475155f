// SPDX-License-Identifier: GPL-2.0-or-later
/* Of more requests than are listed errors and the slowest are, and of these a ratio of the traces leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "bpf/protocols/report.h"
#include "bpf/protocols/tally.h"
#include "exporter/otlp/spans.h"

static struct session session = { .host_name = "host" };

/* A report of so many requests of one endpoint: every hundredth fails, no two take as long. */
#define N_ASKED 4000
#define QUARTER 64		/* of 256: what the first byte of the last seven is below */

static u64 ask_id(u32 i)
{
	return i * 1597 % N_ASKED;	/* in no order */
}

static bool of_quarter(u64 id)
{
	return id * 97 % 256 < QUARTER;
}

static void report_all(struct report *r, int fd)
{
	struct tally *t = tally_new();
	void *payload;

	for (u32 i = 0; i < N_ASKED; i++) {
		u64 id = ask_id(i);
		struct exchange x = {
			.asked = true, .asked_done = true, .answered = true, .answered_done = true, .server = true,
			.tgid = 1, .start_ns = 1000, .end_ns = 1000 + 2 * (id + 1), .method = "GET", .path = (char *)"/",
			.status = id % 100 ? 200 : 500,
		};

		snprintf(x.trace_id, sizeof(x.trace_id), "000000000000000100%02x%012x", (u32)(id * 97 % 256), (u32)id + 1);
		snprintf(x.span_id, sizeof(x.span_id), "%016x", (u32)id + 1);
		tally_add(t, &x);
	}
	assert_true(tally_write(t, fd, &r->head));
	tally_free(t);
	payload = xmalloc(report_size(&r->head));
	assert_int_equal(pread(fd, payload, report_size(&r->head), 0), report_size(&r->head));
	assert_true(report_is_sane(r, payload));
	r->map = payload;
}

static const struct snapshot *of_report(const struct report *r)
{
	struct builder *b = builder_new(NULL, &session);

	for (u32 i = 0; i < r->head.n_requests; i++) {
		const struct report_request *q = &r->requests[i];
		struct requests_row *row = builder_row(b, TABLE_requests);

		row->seq = i + 1;
		row->start_time_ns = q->start_ns;
		row->duration_ns = q->duration_ns;
		row->status = q->status;
		row->side = str_new("server");
		row->protocol = str_new("http/1.1");
		row->trace_id = str_new(q->trace_id);
		row->span_id = str_new(q->span_id);
	}
	builder_time(b, 1, 2, 0, 1);
	return builder_seal(b);
}

/* From the requests of a tick, of which only so many are listed, to a quarter of the traces. */
static void errors_and_the_slowest_come_first(void **state)
{
	struct otlp_config config = { .sample_ratio = QUARTER / 256.0 };
	struct event_cursor cursor = { .begun = true };
	struct otlp_links *links = otlp_links_new();
	struct scratch scratch = { 0 };
	struct otlp_due due = { 0 };
	struct report r = { 0 };
	int fd = memfd_create("report", 0);
	u32 items, n_errors = 0, n_slow = 0, n_listed = 0;
	const struct snapshot *s;
	Otlp__TraceRequest *sent;
	Otlp__ScopeSpans *spans;
	size_t n;
	u8 *data;

	(void)state;
	report_all(&r, fd);
	assert_in_range(r.head.n_requests, N_ASKED / 100, N_ASKED / 4);	/* all errors have room, all others not */
	s = of_report(&r);
	otlp_spans_due(&due, &cursor, s);
	data = otlp_spans_pack(&scratch, &due, links, s, &config, &n, &items);
	sent = otlp__trace_request__unpack(NULL, n, data);
	spans = sent->resource_spans[0]->scope_spans[0];
	for (u32 id = N_ASKED; id--; ) {	/* the slowest first */
		bool error = !(id % 100), expected = of_quarter(id) && (error || n_listed < r.head.n_requests - N_ASKED / 100);
		u32 found = 0;

		n_listed += !error;
		for (size_t i = 0; i < spans->n_spans; i++)
			found += spans->spans[i]->end_time_unix_nano - spans->spans[i]->start_time_unix_nano == 2 * (id + 1);
		assert_int_equal(found, expected);
		n_errors += found && error;
		n_slow += found && !error;
	}
	assert_int_equal(n_errors + n_slow, items);
	assert_true(n_errors > 0 && n_slow > 0);
	otlp__trace_request__free_unpacked(sent, NULL);
	free(data);
	free(r.map);
	close(fd);
	otlp_links_free(links);
	otlp_due_free(&due);
	scratch_free(&scratch);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_and_the_slowest_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
