// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * seeds.c: makes the first inputs of the fuzzers: seeds DIR writes DIR/recording/,
 * DIR/ticks/, DIR/report/ and DIR/text/.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/protocols/report.h"
#include "bpf/record/history.h"
#include "tests/fuzz/http2_captures.h"
#include "tests/unit/gen.h"

static const char *path(const char *dir, const char *kind, u32 i)
{
	static char buf[4096];

	snprintf(buf, sizeof(buf), "%s/%s", dir, kind);
	mkdir(buf, 0700);
	snprintf(buf, sizeof(buf), "%s/%s/seed%u", dir, kind, i);
	unlink(buf);
	return buf;
}

static int save(const char *name, const void *data, size_t n)
{
	FILE *f = fopen(name, "w");

	if (!f || fwrite(data, 1, n, f) != n || fclose(f)) {
		perror(name);
		return -1;
	}
	return 0;
}

static int recording(const char *dir, u32 i)
{
	char *error = NULL;
	struct recorder *r;
	struct gen g;

	gen_init(&g, i, 1 + i);
	r = recorder_open(path(dir, "recording", i), &g.session, &error);
	if (!r) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	for (u32 k = 0; k < 2 + i; k++)
		if (recorder_write(r, gen_random(&g)))
			return -1;
	gen_end(&g);
	return recorder_close(r);
}

/* What the reader says of one endpoint and one request, twice. */
static int report(const char *dir, u32 i)
{
	static const struct {
		struct report_head head;
		struct report_endpoint endpoint;
		struct report_status statuses[2];
		struct report_bucket bucket;
		struct report_request request;
		u64 over;
	} one = {
		.head = { .seq = 1, .n_endpoints = 1, .n_statuses = 2, .n_buckets = 1, .n_requests = 1, .n_listed = 1, .n_over = 1 },
		.endpoint = { .process_start_ns = 6, .tgid = 1, .server = 1, .method = "GET", .path = "/a",
			      .count = 3, .errors = 1, .sum_ns = 3000, .min_ns = 500, .max_ns = 2000 },
		.statuses = { { 0, 200, 2 }, { 0, 503, 1 } },
		.bucket = { 0, 80, 3 },
		.request = { .start_ns = 9, .duration_ns = 500, .tgid = 1, .tid = 1, .status = 200, .has_peer = 1,
			     .method = "GET", .path = "/a", .name = "/a" },
	};
	u8 twice[2 * sizeof(one)];

	memcpy(twice, &one, sizeof(one));
	memcpy(twice + sizeof(one), &one, sizeof(one));
	return save(path(dir, "report", i), twice, sizeof(one) * (1 + i));
}

static int ticks(const char *dir, u32 i)
{
	struct encoder *e = encoder_new();
	struct buf_out all = { 0 };
	struct gen g;
	int err;

	gen_init(&g, i, 1 + i);
	for (u32 k = 0; k < 3 + i; k++) {
		struct buf_out o = { 0 };

		encoder_tick(e, gen_random(&g), k % 6 == 0, &o);
		buf_put_u8(&all, (u8)o.n);
		buf_put_u8(&all, (u8)(o.n >> 8));
		buf_put_bytes(&all, o.data, o.n);
		free(o.data);
	}
	err = save(path(dir, "ticks", i), all.data, all.n);
	free(all.data);
	encoder_free(e);
	gen_end(&g);
	return err;
}

/* A request and its answer, as fuzz_http1.c and fuzz_follow.c take them apart. */
static int messages(const char *dir, u32 i)
{
	static const char *const pairs[][2] = {
		{ "GET /a/1?q HTTP/1.1\r\nHost: h\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
		  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
		{ "PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n",
		  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n" },
		{ "HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n" },
		{ "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n\x81\x01x" },
	};
	u8 reader[1024], follower[1024];
	size_t r = 0, f = 0;

	for (u32 role = 0; role < 2; role++) {
		size_t n = strlen(pairs[i][role]);

		memcpy(reader + r, (u8[]){ (u8)(role | 4), (u8)n, 0 }, 3);
		memcpy(reader + r + 3, pairs[i][role], n);
		memcpy(follower + f, (u8[]){ 0, (u8)role, 3, (u8)n }, 4);
		memcpy(follower + f + 4, pairs[i][role], n);
		r += n + 3;
		f += n + 4;
	}
	return save(path(dir, "http1", i), reader, r) || save(path(dir, "follow", i), follower, f);
}

/* Conversations of HTTP/2, as fuzz_http2.c and fuzz_follow.c take them apart. */
static int conversation(const char *dir, u32 i, const struct captured *c, u32 n)
{
	u8 reader[4096], follower[8192];
	size_t r = 0, f = 0;

	for (u32 k = 0; k < n; k++) {
		memcpy(reader + r, (u8[]){ (u8)(c[k].answers | 4), (u8)c[k].n, (u8)(c[k].n >> 8) }, 3);
		memcpy(reader + r + 3, c[k].bytes, c[k].n);
		r += c[k].n + 3;
		for (u32 at = 0, len; at < c[k].n; at += len) {
			len = c[k].n - at < 255 ? c[k].n - at : 255;
			memcpy(follower + f, (u8[]){ 0, (u8)c[k].answers, 3, (u8)len }, 4);
			memcpy(follower + f + 4, c[k].bytes + at, len);
			f += len + 4;
		}
	}
	return save(path(dir, "http2", i), reader, r) || save(path(dir, "follow", 10 + i), follower, f);
}

int main(int argc, char **argv)
{
	static const char *const texts[] = {
		"plain", "\033[31mred\033[0m\007", "two\nlines\tand tab", "gr\xc3\xbc\xc3\x9f",
		"\xe2\x80\xaegnp.exe", "\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80",
		"\xc2\x9b" "31m", "\xf0\x9f\x98\x80 e\xcc\x81", "cut\xe2\x82",
	};
	static const char *const maps[] = {	/* the first byte is the size of the steps */
		"\x10" "1000 10 one\n1008 10 two\n1000 40 three\n", "\xff" "0x2000 0x20 a b\n",
		"\x05" "zz 1 x\n1 ffffffffffffffff y\n1000 10 \033[31mz\n",
	};
	int err = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIR\n");
		return 2;
	}
	for (u32 i = 0; i < 6 && !err; i++)
		err = recording(argv[1], i) || ticks(argv[1], i) || report(argv[1], i % 2);
	for (u32 i = 0; i < ARRAY_SIZE(texts) && !err; i++)
		err = save(path(argv[1], "text", i), texts[i], strlen(texts[i]));
	for (u32 i = 0; i < ARRAY_SIZE(maps) && !err; i++)
		err = save(path(argv[1], "perfmap", i), maps[i], strlen(maps[i]));
	for (u32 i = 0; i < 4 && !err; i++)
		err = messages(argv[1], i);
	err = err || conversation(argv[1], 0, captured_nghttp, ARRAY_SIZE(captured_nghttp)) ||
	      conversation(argv[1], 1, captured_grpc, ARRAY_SIZE(captured_grpc));
	return err ? 1 : 0;
}
