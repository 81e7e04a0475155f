// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server.c: the unprivileged protocol reader. While reports are wanted it drains the ring by a
 * timer; BPF programs never wake it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/message.h"
#include "bpf/protocols/report.h"
#include "bpf/protocols/ring.h"
#include "bpf/protocols/tally.h"

#define DRAIN_MS 20
#define BUSY_MS 2
#define BUSY_BYTES (HTTP_RING_BYTES / 8)	/* of the ring, where it is drained sooner */
#define DRAIN_RECORDS 20000	/* at once, before it checks for questions */
#define RELEASE_RECORDS 64	/* released together */
#define SWEEP_NS (10 * NSEC_PER_SEC)

static struct ring ring;
static struct follower *follower;
static struct tally *tally;
static u64 now_ns, swept_ns, drained_ns;
static int pause_ms;		/* until the ring is drained again */

static void take_done(void *arg, const struct exchange *x)
{
	tally_add(tally, x);
}

static void take_open(void *arg, const struct exchange *x)
{
	tally_open(tally, x, now_ns);
}

static void take_over(void *arg, u64 cookie)
{
	tally_over(tally, cookie);
}

static void begin(int fd)
{
	const struct follow_sink sink = { .done = take_done, .over = take_over };

	if (ring.consumer || fd < 0)
		return;
	if (ring_map(&ring, fd, HTTP_RING_BYTES))
		_exit(1);
	follower = follower_new(&sink);
	tally = tally_new();
}

static void rest(void)
{
	ring_unmap(&ring);
	if (follower)
		follower_free(follower);
	tally_free(tally);
	follower = NULL;
	tally = NULL;
}

/*
 * Draining preempts the writers: the pause ends when an eighth of the ring is full at the last
 * rate; more than half full is a burst.
 */
static void set_pause(u64 bytes, bool more)
{
	u64 now = boottime_ns(), ns = (now - drained_ns) * BUSY_BYTES / max(bytes, 1ull);

	drained_ns = now;
	pause_ms = bytes > HTTP_RING_BYTES / 2 ? BUSY_MS : (int)min(max(ns / NSEC_PER_MSEC, (u64)BUSY_MS), (u64)DRAIN_MS);
	if (more)
		pause_ms = 0;
}

static void drain(void)
{
	const void *record;
	u32 len, i = 0;
	u64 from;

	if (!ring.consumer)
		return;
	from = *ring.at;
	for (; i < DRAIN_RECORDS && (record = ring_next(&ring, &len)); i++) {
		follower_read(follower, record, len);
		if (i % RELEASE_RECORDS == 0)
			ring_release(&ring);
	}
	ring_release(&ring);
	set_pause(*ring.at - from, i == DRAIN_RECORDS);
}

static void fill_counts(struct report_head *h)
{
	struct follow_counts c = follower_counts(follower);

	h->connections = c.connections;
	h->open_requests = c.open_requests;
	h->records = c.records;
	h->lost_records = c.lost_records;
	h->lost_requests = c.lost_requests;
	h->lost_messages = c.lost_messages;
	h->refused = c.refused;
}

static void answer(int sock, const struct protocols_question *q)
{
	struct report_head h = { .seq = q->seq };
	int mem = memfd_create("ottop-report", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	drain();
	now_ns = boottime_ns();
	follower_each_open(follower, take_open, NULL);
	fill_counts(&h);
	if (mem < 0 || !tally_write(tally, mem, &h))
		_exit(1);
	tally_all(tally, q->all);
	fcntl(mem, F_ADD_SEALS, PROTOCOLS_SEALS);
	while (message_send(sock, &h, sizeof(h), mem, 0) == -ETOOMANYREFS)
		usleep(1000);
	close(mem);
	if (now_ns - swept_ns > SWEEP_NS) {
		follower_sweep(follower, now_ns);
		swept_ns = now_ns;
	}
}

void protocols_main(const void *arg)
{
	struct protocols_question q;
	u32 work = 0;
	int n, fd;

	for (;;) {
		struct pollfd p = { .fd = HELPER_SOCK, .events = POLLIN };
		int ready = poll(&p, 1, ring.consumer ? pause_ms : -1);

		helper_work(++work ?: ++work);
		if (ready <= 0) {
			drain();
			helper_work(0);
			continue;
		}
		n = message_receive(HELPER_SOCK, &q, sizeof(q), &fd, MSG_DONTWAIT);
		if (n == sizeof(q) && q.rest) {
			rest();
		} else if (n == sizeof(q)) {
			begin(fd);
			if (ring.consumer)
				answer(HELPER_SOCK, &q);
		} else if (n != -EAGAIN && n != -EINTR) {
			return;
		}
		file_close(fd);
		helper_work(0);
	}
}
