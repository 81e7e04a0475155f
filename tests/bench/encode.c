// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encode FOLDER: CPU time and bytes of a span and a data point, encoded as by --otlp: 1,000
 * requests over 64 connections and 100 processes, repeatedly. Prints "spans ITEMS NS BYTES" and
 * "points ...", of one request, and leaves that request in FOLDER for the SDK measured beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/processes.h"
#include "exporter/otlp/spans.h"

#define REQUESTS 1000
#define CONNECTIONS 64
#define PROCESSES 100
#define ROUNDS 400
#define UNIX_OFFSET_NS (1700000000 * (s64)NSEC_PER_SEC)

static struct session session = { .host_name = "bench" };
static struct otlp_config config = { .sample_ratio = 1 };

static void add_request(struct builder *b, u64 seq)
{
	struct requests_row *r = builder_row(b, TABLE_requests);
	char path[48], peer[48];

	snprintf(path, sizeof(path), "/api/orders/%llu", (unsigned long long)seq);
	snprintf(peer, sizeof(peer), "10.0.0.7:%llu", 51000 + (unsigned long long)seq % CONNECTIONS);
	r->seq = seq;
	r->start_time_ns = 1000000000 + seq * 1000;
	r->duration_ns = 1500000 + seq;
	r->pid = 4000 + seq % 4;	/* one of four workers */
	r->process_start_ns = 1;
	r->comm = str_new("nginx");
	r->side = str_new("server");
	r->protocol = str_new("http/1.1");
	r->method = str_new("GET");
	r->path = str_new(path);
	r->endpoint = str_new("/api/orders/{id}");
	r->status = seq % 50 ? 200 : 503;
	r->cookie = 1 + seq % CONNECTIONS;
	r->peer = str_new(peer);
	r->rx_bytes = 210;
	r->tx_bytes = 1800;
}

static void add_connection(struct builder *b, u64 i)
{
	struct connections_row *c = builder_row(b, TABLE_connections);

	c->cookie = 1 + i;
	c->local_addr = str_new("10.0.0.1");
	c->local_port = 80;
	c->remote_addr = str_new("10.0.0.7");
	c->remote_port = 51000 + i;
}

static void add_process(struct builder *b, u64 pid, u64 round)
{
	struct processes_row *p = builder_row(b, TABLE_processes);

	p->pid = pid;
	p->start_time_ns = 1;
	p->comm = str_new("worker");
	p->user = str_new("www-data");
	p->threads = 8;
	p->cpu_pct = (float)(pid % 90) + 1;
	p->rss_bytes = pid << 12;
	p->cpu_ns = 1000003 * (pid + round);
	p->syscalls = 100 * (pid + round);
	p->read_bytes = p->write_bytes = 4096 * round;
	p->row.first_seen_ns = 1;
}

static const struct snapshot *tick(u64 round)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, round, round * NSEC_PER_SEC, UNIX_OFFSET_NS, NSEC_PER_SEC);
	for (u64 i = 0; i < REQUESTS; i++)
		add_request(b, round * REQUESTS + i);
	for (u64 i = 0; i < CONNECTIONS; i++)
		add_connection(b, i);
	for (u64 i = 0; i < PROCESSES; i++)
		add_process(b, 4000 + i, round);
	builder_status(b, TABLE_requests, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

static void leave(const char *folder, const char *name, const u8 *data, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.pb", folder, name);
	f = fopen(path, "we");
	if (!f || fwrite(data, 1, n, f) != n || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static struct scratch scratch;	/* kept, as by the sink */

static u8 *pack_spans(const struct snapshot *s, size_t *n, u32 *items)
{
	static struct event_cursor cursor = { .begun = true };
	static struct otlp_links *links;
	static struct otlp_due due;
	u8 *all = NULL, *part;
	size_t n_part;
	u32 some;

	links = links ?: otlp_links_new();
	otlp_spans_due(&due, &cursor, s);
	for (*n = *items = 0; (part = otlp_spans_pack(&scratch, &due, links, s, &config, &n_part, &some)); free(part)) {
		all = xrealloc(all, *n + n_part);	/* concatenated messages are one message */
		memcpy(all + *n, part, n_part);
		*n += n_part;
		*items += some;
	}
	return all;
}

static u8 *pack_points(const struct snapshot *s, size_t *n, u32 *items)
{
	static struct otlp_processes *processes;
	struct metrics m;
	u8 *data;

	processes = processes ?: otlp_processes_new(PROCESSES);
	otlp_processes_take(processes, s);
	metrics_begin(&m, &scratch, unix_ns(s, s->time_ns), UNIX_OFFSET_NS);
	otlp_processes_export(processes, s, &config, &m);
	data = metrics_pack(&m, n);
	*items = m.points;
	scratch_reset(&scratch);
	return data;
}

static void measure(const char *folder, const char *name, u8 *(*pack)(const struct snapshot *, size_t *, u32 *))
{
	u64 ns = 0, all = 0;
	size_t n = 0;
	u32 items = 0;

	for (u64 round = 1; round <= ROUNDS; round++) {
		const struct snapshot *s = tick(round);
		u64 begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		u8 *data = pack(s, &n, &items);

		ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
		all += items;
		if (round == ROUNDS)
			leave(folder, name, data, n);
		free(data);
		snapshot_put(s);
	}
	printf("%s %u %.1f %.1f\n", name, items, (double)ns / (double)all, (double)n / items);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	measure(argv[1], "spans", pack_spans);
	measure(argv[1], "points", pack_points);
	return 0;
}
