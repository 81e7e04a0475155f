// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aggregated requests: where the time of one went, names of endpoints, bounded rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/protocols/follow.h"
#include "bpf/protocols/paths.h"
#include "bpf/protocols/report.h"
#include "bpf/protocols/span.h"
#include "bpf/protocols/tally.h"

/* ---- where the time of a request went ---- */

static struct exchange spanned(void)
{
	return (struct exchange){
		.server = true, .answered = true, .answered_done = true, .start_ns = 1000, .first_ns = 1700, .end_ns = 2000,
		.unread_us = 3, .from = { .at_ns = 1000, .off_ns = 50, .runq_ns = 5000, .tid = 7 },
		.to = { .at_ns = 2000, .off_ns = 450, .runq_ns = 5100, .tid = 7 },
	};
}

static void expect_span(const struct exchange *x, u64 cpu, u64 runq, u64 blocked, u64 unread, u64 write)
{
	struct span s = span_of(x);

	assert_int_equal(s.cpu_ns, cpu);
	assert_int_equal(s.runq_ns, runq);
	assert_int_equal(s.blocked_ns, blocked);
	assert_int_equal(s.unread_ns, unread);
	assert_int_equal(s.write_ns, write);
}

static void test_span(void **s)
{
	const u64 no = UINT64_MAX;
	struct exchange x = spanned();

	expect_span(&x, 600, 100, 300, 3000, 300);
	x.to.runq_ns = 5800;	/* more in the run queue than off the CPU: clocks, not time */
	expect_span(&x, 600, 400, 0, 3000, 300);
	x.to.off_ns = 40;	/* counters go back: they are of something else */
	expect_span(&x, no, no, no, 3000, 300);
	x = spanned();
	x.to.tid = 8;
	expect_span(&x, no, no, no, 3000, 300);
	x = spanned();
	x.from.tid = x.to.tid = 0;	/* not measured */
	x.unread_us = HTTP_UNKNOWN_US;
	expect_span(&x, no, no, no, no, 300);
	x = spanned();
	x.server = false;	/* the call that asked returned at 1100 */
	x.from.at_ns = 1100;
	expect_span(&x, 500, 100, 300, 3000, 100);
	x.answered_done = false;
	expect_span(&x, no, no, no, 3000, no);
}

/* ---- names of endpoints ---- */

static void test_paths(void **s)
{
	static const char *const pairs[][2] = {
		{ "/", "/" }, { "/api/items/42", "/api/items/{id}" }, { "/a/42/b/7/", "/a/{id}/b/{id}/" },
		{ "/u/550e8400-e29b-41d4-a716-446655440000/x", "/u/{id}/x" },
		{ "/commit/9489a5b1cafe", "/commit/{id}" }, { "/cafe", "/cafe" }, { "/deadbeef", "/deadbeef" },
		{ "/v1/users", "/v1/users" }, { "/index.html", "/index.html" }, { "", "" }, { "*", "*" },
		{ "/t/AbC123dEfG456hIjK789lMn", "/t/{id}" },
		{ "/a-very-long-but-plain-word-in-a-path", "/a-very-long-but-plain-word-in-a-path" },
		{ "//", "//" },
	};
	char buf[64], small[6];

	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++) {
		path_fold(buf, sizeof(buf), pairs[i][0]);
		assert_string_equal(buf, pairs[i][1]);
	}
	path_fold(small, sizeof(small), "/abc/42");
	assert_string_equal(small, "/abc/");
}

/* ---- adding up ---- */

/* More statuses than there is room for: the others are unknown, none counts as another. */
static void test_statuses(void **s)
{
	struct tally *t = tally_new();
	struct report_head h = {};
	struct report_status all[64];
	struct exchange x = {
		.asked = true, .asked_done = true, .answered_done = true, .server = true, .tgid = 1,
		.start_ns = 1000, .end_ns = 2000, .method = "GET", .path = "/",
	};
	int fd = memfd_create("test", 0);
	u64 unknown = 0;
	size_t size;

	for (u32 i = 0; i < 3 * 40; i++) {
		x.status = 200 + i % 40;
		tally_add(t, &x);
	}
	assert_true(tally_write(t, fd, &h));
	size = h.n_statuses * sizeof(*all);
	assert_true(h.n_endpoints == 1 && size <= sizeof(all));
	assert_int_equal(pread(fd, all, size, sizeof(struct report_endpoint)), size);
	for (u32 i = 0; i < h.n_statuses; i++) {
		if (all[i].status == STATUS_UNKNOWN)
			unknown = all[i].n;
		else
			assert_int_equal(all[i].n, 3);
	}
	assert_int_equal(unknown, 3 * (40 - (h.n_statuses - 1)));
	assert_true(unknown > 0);
	close(fd);
	tally_free(t);
}

static void test_tally(void **s)
{
	struct tally *t = tally_new();
	struct report_head h = {};
	struct report_endpoint e;
	struct exchange x = {
		.asked = true, .asked_done = true, .answered_done = true, .server = true, .tgid = 1,
		.start_ns = 1000, .method = "GET",
	};
	u64 count = 0, others = 0;
	int fd = memfd_create("test", 0);
	char path[64];

	for (u32 i = 0; i < 100000; i++) {	/* as many paths: few rows, and every request in one */
		snprintf(path, sizeof(path), "/w%c%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26,
			 'a' + i / 676 % 26, 'a' + i / 17576);
		x.path = path;
		x.status = i % 1000 ? 200 : 500;
		x.end_ns = 2000 + i;
		tally_add(t, &x);
	}
	assert_true(tally_write(t, fd, &h));
	assert_true(h.n_endpoints <= REPORT_ENDPOINTS);
	assert_int_equal(h.n_requests, REPORT_REQUESTS);
	assert_int_equal(h.left_out, 100000 - REPORT_REQUESTS);
	for (u32 i = 0; i < h.n_endpoints; i++) {
		assert_int_equal(pread(fd, &e, sizeof(e), (off_t)(i * sizeof(e))), sizeof(e));
		count += e.count;
		others += e.other;
	}
	assert_int_equal(count, 100000);
	assert_int_equal(others, 1);
	/* errors first, and among the rest the slowest; some of the first paths, which have rows, have their share */
	for (u32 i = 0, errors = 0, own = 0; i < h.n_requests; i++) {
		struct report_request q;
		off_t at = (off_t)(h.n_endpoints * sizeof(e) + h.n_statuses * sizeof(struct report_status) +
				   h.n_buckets * sizeof(struct report_bucket) + i * sizeof(q));

		assert_int_equal(pread(fd, &q, sizeof(q), at), sizeof(q));
		errors += q.status == 500;
		own += q.status != 500 && q.duration_ns < 2000 + REPORT_ENDPOINTS / 2;
		assert_true(q.status == 500 || q.duration_ns > 100000 || q.duration_ns < 2000 + REPORT_ENDPOINTS / 2);
		if (i + 1 == h.n_requests) {
			assert_int_equal(errors, 100);
			assert_true(own <= REPORT_REQUESTS / 2);
		}
	}
	close(fd);
	tally_free(t);
}

/* ---- which requests are listed ---- */

static void add_many(struct tally *t, u32 pid, char *path, u32 n, u64 took_ns, u32 status)
{
	for (u32 i = 0; i < n; i++) {
		struct exchange x = {
			.asked = true, .asked_done = true, .answered_done = true, .server = true, .tgid = pid,
			.start_ns = 1000, .end_ns = 1000 + took_ns + i, .method = "GET", .path = path, .status = status,
		};

		tally_add(t, &x);
	}
}

static u32 listed(const struct report *r, u32 pid, const char *path)
{
	u32 n = 0;

	for (u32 i = 0; i < r->head.n_requests; i++)
		n += r->requests[i].tgid == pid && !strcmp(r->requests[i].path, path);
	return n;
}

/* A quiet service and a quiet endpoint are listed beside busy, slow and failing ones. */
static void test_fair_list(void **s)
{
	struct tally *t = tally_new();
	struct report r = {};
	u64 unlisted = 0;
	u32 busy;
	int fd = memfd_create("test", 0);
	void *map;

	add_many(t, 3, "/early", 5, 10, 200);
	add_many(t, 1, "/busy", 5000, 100000, 500);
	add_many(t, 1, "/health", 7, 10, 200);
	add_many(t, 2, "/quiet", 40, 10, 200);
	add_many(t, 1, "/busy", 5000, 50, 200);
	assert_true(tally_write(t, fd, &r.head));
	map = mmap(NULL, report_size(&r.head), PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_true(report_is_sane(&r, map));
	assert_int_equal(r.head.n_requests, REPORT_REQUESTS);
	assert_int_equal(r.head.left_out, 10052 - REPORT_REQUESTS);
	assert_int_equal(listed(&r, 3, "/early"), 5);
	assert_int_equal(listed(&r, 1, "/health"), 7);
	assert_int_equal(listed(&r, 2, "/quiet"), 40);
	busy = listed(&r, 1, "/busy");
	assert_int_equal(busy, REPORT_REQUESTS - 52);
	for (u32 i = 0; i < r.head.n_requests; i++)	/* of those the slowest of the errors */
		if (!strcmp(r.requests[i].path, "/busy"))
			assert_true(r.requests[i].duration_ns >= 100000 + 5000 - busy);
	for (u32 i = 0; i < r.head.n_endpoints; i++)
		unlisted += r.endpoints[i].unlisted;
	assert_int_equal(unlisted, r.head.left_out);
	munmap(map, report_size(&r.head));
	close(fd);
	tally_free(t);
}

/* A process with very many paths does not push other processes' endpoints into their `other`. */
static void test_fair_rows(void **s)
{
	struct tally *t = tally_new();
	struct report r = {};
	int fd = memfd_create("test", 0);
	u32 own = 0, theirs = 0;
	char path[16] = "/w";
	void *map;

	for (u32 pid = 1; pid <= 4; pid++) {
		for (u32 i = 0; i < 2000; i++) {
			for (u32 k = 0, n = i; k < 4; k++, n /= 10)
				path[2 + k] = (char)('g' + n % 10);
			add_many(t, pid, path, 1, 10, 200);
		}
	}
	for (u32 i = 0; i < 10; i++) {
		path[2] = (char)('a' + i);
		add_many(t, 5, path, 1, 10, 200);
	}
	assert_true(tally_write(t, fd, &r.head));
	map = mmap(NULL, report_size(&r.head), PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_true(report_is_sane(&r, map));
	for (u32 i = 0; i < r.head.n_endpoints; i++) {
		own += r.endpoints[i].tgid == 1 && !r.endpoints[i].other;
		theirs += r.endpoints[i].tgid == 5 && !r.endpoints[i].other;
	}
	assert_int_equal(own, REPORT_ENDPOINTS / 4);
	assert_int_equal(theirs, 10);
	munmap(map, report_size(&r.head));
	close(fd);
	tally_free(t);
}

/* n requests of one endpoint, every thousandth failing; returns how many are reported. */
static u32 told(struct tally *t, u32 n, struct report_head *h, u32 *ret_errors)
{
	struct exchange x = {
		.asked = true, .asked_done = true, .answered_done = true, .server = true, .tgid = 1,
		.start_ns = 1000, .method = "GET", .path = (char *)"/",
	};
	int fd = memfd_create("test", 0);
	struct report_request q;
	u32 n_timed = 0;
	off_t at;

	for (u32 i = 0; i < n; i++) {
		x.status = i % 1000 ? 200 : 500;
		x.end_ns = 2000 + i * 7919ull % n;	/* no two take as long */
		tally_add(t, &x);
	}
	*h = (struct report_head){ 0 };
	assert_true(tally_write(t, fd, h));
	at = (off_t)(h->n_endpoints * sizeof(struct report_endpoint) + h->n_statuses * sizeof(struct report_status) +
		     h->n_buckets * sizeof(struct report_bucket));
	*ret_errors = 0;
	for (u32 i = 0; i < h->n_requests; i++) {
		assert_int_equal(pread(fd, &q, sizeof(q), at + (off_t)(i * sizeof(q))), sizeof(q));
		*ret_errors += q.status == 500;
		n_timed += q.duration_ns != 0;
	}
	close(fd);
	return n_timed;
}

/*
 * With all requests wanted there is room for 10,000 and more; beyond it errors come first, and the
 * rest is counted.
 */
static void test_all_requests(void **s)
{
	struct tally *t = tally_new();
	struct report_head h;
	u32 errors;

	(void)s;
	tally_all(t, true);
	for (u32 round = 0; round < 2; round++) {	/* what the first took is given back in between */
		assert_int_equal(told(t, 10000, &h, &errors), 10000);
		assert_int_equal(h.left_out, 0);
		assert_int_equal(h.n_listed, REPORT_REQUESTS);
		assert_int_equal(errors, 10);
		assert_int_equal(told(t, 100, &h, &errors), 100);
		assert_int_equal(h.n_listed, 100);
	}
	assert_int_equal(told(t, 50000, &h, &errors), REPORT_REQUESTS_ALL);
	assert_int_equal(h.left_out, 50000 - REPORT_REQUESTS_ALL);
	assert_int_equal(errors, 50);
	assert_true(report_size(&h) != SIZE_MAX);
	h.n_listed = REPORT_REQUESTS + 1;	/* of a reader that is not to be believed */
	assert_true(report_size(&h) == SIZE_MAX);
	tally_all(t, false);
	assert_int_equal(told(t, 10000, &h, &errors), REPORT_REQUESTS);
	assert_int_equal(h.left_out, 10000 - REPORT_REQUESTS);
	tally_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_tally),
		cmocka_unit_test(test_all_requests),
		cmocka_unit_test(test_fair_list),
		cmocka_unit_test(test_fair_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
