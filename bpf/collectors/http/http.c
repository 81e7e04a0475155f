// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http.c: the tables http and requests. BPF programs copy what HTTP connections move into a ring;
 * an unprivileged process (bpf/protocols/) parses it and reports once a tick.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/collector.h"
#include "bpf/collectors/http/http_durations.h"
#include "bpf/collectors/http/http_probes.h"
#include "bpf/collectors/http/http_sessions.h"
#include "bpf/collectors/http/http_totals.h"
#include "bpf/collectors/http/http_unseen.h"
#include "bpf/collectors/threads.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/kernel/features.h"
#include "bpf/kernel/probes.h"
#include "bpf/protocols/wire.h"
#include "bpf/uprobes/attach.h"
#include "symbolizer/symbolizer.h"
#include "http.skel.h"

#define SOCKETS_MIN 8192
#define SOCKETS_ROOM 4	/* times the sockets there are */
#define WAIT_MS 100	/* for the report of a tick; a later one is added to the next */

static struct http *skel;
static struct bpf_link *links[9];
static struct report_head last;		/* counts since the reader was started */
static struct report_head gone;		/* sums of those that died */
static u64 deaths;
static u64 left_out;			/* requests of this tick that were counted only */
static u64 unlisted;			/* the same, plus those listed only for WANT_ALL_REQUESTS */
static u64 spanless;			/* sum of left_out while all requests were wanted */
static struct http_socket *places;	/* of the programs: see http_sockets.bpf.h */
static bool missing;			/* the report of this tick did not come */
static u64 unrecorded;			/* requests so far, up to the last tick */

/* ---- what the reader says ---- */

static void note_death(u32 n)
{
	deaths += n;
	gone.lost_records += last.lost_records;
	gone.lost_requests += last.lost_requests + last.open_requests;
	gone.lost_messages += last.lost_messages;
	gone.refused += last.refused;
	memset(&last, 0, sizeof(last));
}

/* Marks connections that are not (or no longer) HTTP: their calls cost little from now on. */
static void forget_sockets(const struct report *r)
{
	for (u32 i = 0; i < r->head.n_over; i++) {
		int fd;
		struct http_socket s, *at = places + place_by_number(r->over[i], skel->rodata->places_mask);

		if (at->key == r->over[i]) {
			if (at->class != HTTP_IN_TLS)
				at->class = HTTP_NO;
			continue;
		}
		fd = bpf_map__fd(skel->maps.sockets);
		if (bpf_map_lookup_elem(fd, &r->over[i], &s) || s.class == HTTP_IN_TLS)
			continue;	/* there is none, or it goes on in TLS */
		s.class = HTTP_NO;
		bpf_map_update_elem(fd, &r->over[i], &s, BPF_EXIST);
	}
}

static void take_reports(int wait_ms)
{
	struct report r;
	int err;

	while (!(err = protocols_receive(&r, wait_ms)) || err == -EBADMSG) {
		if (err) {
			log_line("http: a report of the protocol reader is not in order");
			continue;
		}
		if (r.head.died) {
			note_death(r.head.died);
			continue;
		}
		missing = false;
		last = r.head;
		left_out += r.head.left_out;
		http_totals_report(&r);
		http_durations_report(&r);
		forget_sockets(&r);
		protocols_done(&r);
		wait_ms = 0;
	}
}

/* ---- one tick ---- */

static bool http_swap(const struct tick *t)
{
	left_out = 0;
	take_reports(0);	/* a late one: no question can be asked before it is taken */
	missing = protocols_ask(bpf_map__fd(skel->maps.records), t->want & WANT_ALL_REQUESTS) >= 0;
	return false;
}

static void count_losses(void)
{
	loss_set("http ring full", skel->bss->lost_ring);
	loss_set("http requests not recorded (who serves)", skel->bss->lost_requests[HTTP_RX]);
	loss_set("http requests not recorded (who asks)", skel->bss->lost_requests[HTTP_TX]);
	loss_set("http requests without their answer", gone.lost_requests + last.lost_requests);
	loss_set("http messages not seen whole", gone.lost_messages + last.lost_messages);
	loss_set("http connections full", gone.refused + last.refused + skel->bss->lost_sockets);
	loss_set("http durations of too many kinds", http_durations_lost());
	loss_set("http reader died", deaths);
	loss_set("http requests too many to be sent", spanless);
}

static void clear_process(struct proc *p, void *arg)
{
	hist_put(p->http_hist);
	p->http_hist = NULL;
	p->http_requests = 0;
	p->http_serves = false;
}

/* Reports requests that are in no row, as their records were lost. */
static void report_unrecorded(struct builder *b)
{
	u64 n = skel->bss->lost_requests[HTTP_RX] + skel->bss->lost_requests[HTTP_TX];
	char text[96], count[THOUSANDS_MAX];

	if (n > unrecorded) {
		snprintf(text, sizeof(text), "the ring was full: %s requests do not count",
			 text_thousands(count, n - unrecorded));
		builder_lacks(b, TABLE_http, text);
	}
	unrecorded = n;
}

static void report(const struct tick *t)
{
	char why[96], count[THOUSANDS_MAX];
	const char *late;

	if (protocols_fd() < 0) {
		builder_status(t->b, TABLE_http, TS_BLOCKED, "the protocol reader cannot run", 0);
		builder_status(t->b, TABLE_requests, TS_BLOCKED, "the protocol reader cannot run", 0);
		builder_status(t->b, TABLE_http_durations, TS_BLOCKED, "the protocol reader cannot run", 0);
		return;
	}
	late = missing ? "the report of this interval is late: its requests count in the next" : NULL;
	builder_status(t->b, TABLE_http, missing ? TS_PARTIAL : TS_OK, late, t->interval_ns);
	builder_status(t->b, TABLE_http_durations, missing ? TS_PARTIAL : TS_OK, late, t->interval_ns);
	snprintf(why, sizeof(why), "errors and the slowest are listed, %s others only counted",
		 text_thousands(count, unlisted));
	builder_status(t->b, TABLE_requests, unlisted ? TS_PARTIAL : TS_OK, unlisted ? why : NULL,
		       t->interval_ns);
	report_unrecorded(t->b);
	unseen_report(t->b);
}

static int http_read(const struct tick *t)
{
	take_reports(WAIT_MS);
	http_probes_tick();
	http_sessions_tick(skel, places);
	unseen_tick(bpf_map__fd(skel->maps.unseen));
	proctab_each(clear_process, NULL);
	http_totals_rows(t);
	unlisted = left_out + http_requests_more();
	http_requests_rows(t, left_out);
	http_durations_rows(t);
	if (t->want & WANT_ALL_REQUESTS)
		spanless += left_out;
	count_losses();
	report(t);
	return 0;
}

static u32 http_fds(int *fds)
{
	fds[0] = symbolizer_fd();
	return fds[0] >= 0;
}

/* ---- open and close ---- */

static int map_places(void)
{
	size_t bytes = (skel->rodata->places_mask + 1) * sizeof(*places);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(skel->maps.places), 0);

	if (p == MAP_FAILED)
		return -errno;
	places = p;
	return 0;
}

static void unmap_places(void)
{
	if (places)
		munmap(places, (skel->rodata->places_mask + 1) * sizeof(*places));
	places = NULL;
}

static void http_close(void)
{
	http_probes_close();
	unseen_clear();
	probes_detach(links, ARRAY_SIZE(links));
	protocols_rest();
	probes_forget("http");
	unmap_places();
	http_sessions_clear();
	http__destroy(skel);
	skel = NULL;
	unrecorded = 0;
	proctab_each(clear_process, NULL);
	http_totals_clear();
	http_durations_clear();
}

static int attach(void)
{
	bool classic = bpf_program__autoload(skel->progs.on_send_tp);
	struct bpf_program *const progs[] = {
		skel->rodata->by_descriptor ? skel->progs.on_return :
		classic ? skel->progs.on_send_tp : skel->progs.on_send,
		classic ? skel->progs.on_receive_tp : skel->progs.on_receive,
		classic ? skel->progs.on_state_tp : skel->progs.on_state, skel->progs.on_switch,
		skel->progs.number_on_state, skel->progs.number_on_send, skel->progs.number_on_receive,
	};
	int err = probes_attach(progs, ARRAY_SIZE(progs), links);

	if (bpf_program__autoload(skel->progs.on_ring))	/* without it some processes are not named */
		links[ARRAY_SIZE(progs)] = probe_attach(skel->progs.on_ring);
	return err > 0 ? -ENOENT : err;
}

/* include/trace/events/sock.h: sock_send_length and sock_recv_length came with 6.3. */
static void choose_programs(void)
{
	bool classic = probes_prefer_classic(), traced;
	struct features f;

	features_read(&f);
	traced = f.major > 6 || (f.major == 6 && f.minor >= 3);
	skel->rodata->by_descriptor = !traced;
	bpf_program__set_autoload(skel->progs.on_ring, !traced && f.major == 6);
	bpf_program__set_autoload(skel->progs.on_send, traced && !classic);
	bpf_program__set_autoload(skel->progs.on_receive, traced && !classic);
	bpf_program__set_autoload(skel->progs.on_state, !classic);
	bpf_program__set_autoload(skel->progs.on_return, !traced);
	bpf_program__set_autoload(skel->progs.on_send_tp, classic);
	bpf_program__set_autoload(skel->progs.on_receive_tp, classic);
	bpf_program__set_autoload(skel->progs.on_state_tp, classic);
	bpf_program__set_autoload(skel->progs.number_on_state, classic);
	bpf_program__set_autoload(skel->progs.number_on_send, classic);
	bpf_program__set_autoload(skel->progs.number_on_receive, classic);
}

/* TCP sockets of all network namespaces ("alloc", net/ipv4/proc.c); unknown: very many. */
static u64 sockets_used(void)
{
	char text[1024], *tcp;
	unsigned n;

	if (procfs_read("net/sockstat", text, sizeof(text)) <= 0 || !(tcp = strstr(text, "TCP: ")) ||
	    sscanf(tcp, "TCP: inuse %*u orphan %*u tw %*u alloc %u", &n) != 1)
		return UINT32_MAX;
	return n;
}

/*
 * The array is allocated in full: sized for the sockets there are now. The rest is in a hash map.
 */
static void size_maps(void)
{
	u32 most = HTTP_SOCKETS_MAX, n = SOCKETS_MIN;
	struct bpf_map *const parts[] = { skel->maps.go_calls, skel->maps.peers };

	while (n < most && n < SOCKETS_ROOM * sockets_used())
		n *= 2;
	bpf_map__set_max_entries(skel->maps.places, n);
	skel->rodata->places_mask = n - 1;
	for (u32 i = 0; i < ARRAY_SIZE(parts); i++)
		bpf_map__set_max_entries(parts[i], bpf_map__max_entries(parts[i]) / (most / n));
}

static int load(bool tls)
{
	int err, tasks = tasks_map_fd();
	struct timespec jiffy = { .tv_nsec = 1 };

	skel = http__open();
	if (!skel)
		return -errno;
	choose_programs();
	size_maps();
	http_probes_prepare(skel, tls);
	clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy);
	skel->rodata->jiffy_ns = (u64)jiffy.tv_nsec;
	err = tasks < 0 ? -ENOENT : bpf_map__reuse_fd(skel->maps.tasks, tasks);
	if (!err)
		err = http__load(skel);
	if (!err)
		err = map_places();
	if (err) {
		http__destroy(skel);
		skel = NULL;
	}
	return err;
}

static int http_open(char *reason, size_t cap)
{
	const char *no_tls = uprobe_returns_obstacle();
	int err;

	if (protocols_fd() < 0) {
		snprintf(reason, cap, "the process that reads protocols (ottop-protocols) does not run");
		return -ESRCH;
	}
	if (!no_tls)
		http_probes_ask();
	err = load(!no_tls);
	if (err && !no_tls) {	/* without TLS, plain HTTP can still be observed */
		no_tls = "this kernel does not load the programs for it";
		err = load(false);
	}
	if (!err) {
		probes_add("http", skel->obj);
		probe_misses_nothing(skel->progs.number_on_state);	/* or on the first bytes */
		probe_misses_nothing(skel->progs.number_on_send);
		probe_misses_nothing(skel->progs.number_on_receive);
		probe_misses_nothing(skel->progs.on_ring);
		err = attach();
	}
	if (err)
		return err;
	if (no_tls)
		probe_blocked("http", "TLS", no_tls);
	else
		http_probes_open(skel);
	http_totals_begin(boottime_ns());
	http_durations_begin(boottime_ns());
	protocols_ask(bpf_map__fd(skel->maps.records), true);	/* whether all are wanted is known at the tick */
	return 0;
}

const struct collector http_collector = {
	.name = "http",
	.tables = TABLE_BIT(TABLE_http) | TABLE_BIT(TABLE_requests) | TABLE_BIT(TABLE_http_durations),
	.linger_ns = 120 * NSEC_PER_SEC,	/* it is the largest: 6 MB of maps and more */
	.what = "calls on sockets",
	.open = http_open,
	.swap = http_swap,
	.drain = http_probes_drain,
	.fds = http_fds,
	.read = http_read,
	.close = http_close,
};
