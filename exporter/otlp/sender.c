// SPDX-License-Identifier: GPL-2.0-or-later
/* sender.c: see sender.h. No lock during a post; the posted batch stays in the queue, marked. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "exporter/otlp/grpc.h"
#include "exporter/otlp/http.h"
#include "bpf/model/thread.h"
#include "exporter/otlp/sender.h"

#define STACK_BYTES (512 << 10)	/* libcurl and OpenSSL need less than half */
#define HANG_NS (3 * NSEC_PER_SEC)	/* grace after the time limit at exit */
#define LAST_POST_MS 100	/* minimum time of an attempt at exit */

struct batch {
	struct batch *next;
	u8 *body;
	size_t n;
	u32 items;
	bool gzip, posting;
};

struct otlp_sender {
	const struct otlp_endpoint *endpoint;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct batch *head, **tail;
	struct otlp_stats stats;
	bool wait_requested;	/* until stats.next_ns, requested by the server */
	bool stopping;
	u64 until_ns;		/* when stopping: no posts after this time */
	_Atomic bool abort;
	struct http_answer answer;	/* used by the thread */
};

static u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* ---- the queue, with the lock held ------------------------------------------------------- */

static void batch_free(struct batch *b)
{
	free(b->body);
	free(b);
}

/* Removes the batch at *link from the queue. */
static struct batch *unlink_batch(struct otlp_sender *s, struct batch **link)
{
	struct batch *b = *link;

	*link = b->next;
	if (s->tail == &b->next)
		s->tail = link;
	s->stats.queued -= b->items;
	s->stats.queued_bytes -= b->n;
	return b;
}

/* Drops the oldest batch that is not being posted; false: there is none. */
static bool drop_oldest(struct otlp_sender *s)
{
	struct batch **link = &s->head, *b;

	if (*link && (*link)->posting)
		link = &(*link)->next;
	if (!*link)
		return false;
	b = unlink_batch(s, link);
	s->stats.dropped += b->items;
	batch_free(b);
	return true;
}

static void append(struct otlp_sender *s, struct batch *b)
{
	*s->tail = b;
	s->tail = &b->next;
	s->stats.queued += b->items;
	s->stats.queued_bytes += b->n;
}

void otlp_sender_push(struct otlp_sender *s, u8 *body, size_t n, bool gzip, u32 items)
{
	struct batch *b = xmalloc(sizeof(*b));

	*b = (struct batch){ .body = body, .n = n, .items = items, .gzip = gzip };
	pthread_mutex_lock(&s->lock);
	while (n <= s->stats.cap_bytes && s->stats.queued_bytes + n > s->stats.cap_bytes && drop_oldest(s))
		;
	if (s->stopping || s->stats.queued_bytes + n > s->stats.cap_bytes) {
		s->stats.dropped += items;
		batch_free(b);
	} else {
		append(s, b);
		pthread_cond_signal(&s->wake);
	}
	pthread_mutex_unlock(&s->lock);
}

void otlp_sender_discard(struct otlp_sender *s, u32 items, const char *why)
{
	pthread_mutex_lock(&s->lock);
	s->stats.dropped += items;
	snprintf(s->stats.error, sizeof(s->stats.error), "%s", why);
	s->stats.error_ns = now_ns();
	pthread_mutex_unlock(&s->lock);
}

void otlp_sender_stats(struct otlp_sender *s, struct otlp_stats *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->stats;
	pthread_mutex_unlock(&s->lock);
}

bool otlp_sender_waits(struct otlp_sender *s)
{
	bool waits;

	pthread_mutex_lock(&s->lock);
	waits = s->stats.failed || s->stats.queued_bytes > s->stats.cap_bytes / 4;
	pthread_mutex_unlock(&s->lock);
	return waits;
}

/* ---- the thread ----------------------------------------------------------------------------- */

static u32 random_u32(void)
{
	u32 r;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = (u32)(now_ns() * 2654435761u);
	return r;
}

static void wait_until(struct otlp_sender *s, u64 ns)
{
	struct timespec ts = { (time_t)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC) };

	pthread_cond_timedwait(&s->wake, &s->lock, &ts);
}

/* Waits for a batch that is due; NULL: stop. */
static struct batch *wait_for_batch(struct otlp_sender *s)
{
	for (;;) {
		u64 now = now_ns();

		if (s->stopping && (!s->head || now >= s->until_ns))
			return NULL;
		if (!s->head)
			pthread_cond_wait(&s->wake, &s->lock);
		else if (now >= s->stats.next_ns)
			return s->head;
		else
			wait_until(s, s->stopping ? min(s->stats.next_ns, s->until_ns) :
						    s->stats.next_ns);
	}
}

static void count(struct otlp_sender *s, struct batch *b, const struct otlp_outcome *o)
{
	u64 rejected = min(o->rejected, (u64)b->items);

	s->stats.last_ns = now_ns();
	s->stats.took_ns = s->answer.took_ns;
	s->stats.posts++;
	s->stats.failing = *o->message != '\0';
	s->stats.verdict = o->verdict;
	s->stats.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (*o->message) {
		memcpy(s->stats.error, o->message, sizeof(s->stats.error));
		s->stats.error_ns = s->stats.last_ns;
	}
	if (o->verdict == OTLP_SENT) {
		s->stats.sent_bytes += b->n;
		s->stats.sent += b->items - rejected;
		s->stats.refused += rejected;
	} else if (o->verdict == OTLP_REFUSED) {
		s->stats.refused += b->items;
	} else {
		s->stats.failures++;
	}
}

/* Handles the result of a post. */
static void settle(struct otlp_sender *s, struct batch *b, const struct otlp_outcome *o)
{
	b->posting = false;
	count(s, b, o);
	s->wait_requested = false;
	if (o->verdict == OTLP_RETRY) {
		u64 backoff_ms = otlp_backoff_ms(++s->stats.failed, random_u32());
		u64 ms = o->wait_ms ? o->wait_ms : backoff_ms;

		s->wait_requested = o->wait_ms != 0;
		s->stats.next_ns = now_ns() + ms * NSEC_PER_MSEC;
		s->stats.state = OTLP_WAITING;
		return;
	}
	s->stats.failed = 0;
	s->stats.next_ns = 0;
	s->stats.state = OTLP_IDLE;
	batch_free(unlink_batch(s, &s->head));
}

static void post(struct otlp_sender *s, struct http_client *client, struct batch *b)
{
	u64 ms = s->endpoint->timeout_ms, now = now_ns();
	struct otlp_outcome outcome;

	b->posting = true;
	s->stats.state = OTLP_POSTING;
	s->stats.begun_ns = now;
	if (s->stopping)
		ms = min(ms, max((s->until_ns - now) / NSEC_PER_MSEC, (u64)LAST_POST_MS));
	pthread_mutex_unlock(&s->lock);
	http_client_post(client, b->body, b->n, b->gzip, ms, &s->answer);
	if (s->endpoint->grpc)
		grpc_judge(&s->answer, &outcome);
	else
		otlp_judge(&s->answer, time(NULL), &outcome);
	pthread_mutex_lock(&s->lock);
	settle(s, b, &outcome);
}

static void *sender_main(void *arg)
{
	struct otlp_sender *s = arg;
	struct http_client *client = http_client_new(s->endpoint, &s->abort);
	struct batch *b;

	thread_background("ottop-sender");
	pthread_mutex_lock(&s->lock);
	while (client && (b = wait_for_batch(s)))
		post(s, client, b);
	pthread_mutex_unlock(&s->lock);
	http_client_free(client);
	return NULL;
}

/* ---- beginning and end ---------------------------------------------------------------------- */

static void sender_free(struct otlp_sender *s)
{
	while (s->head)
		batch_free(unlink_batch(s, &s->head));
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s);
}

static int start_thread(struct otlp_sender *s)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = thread_start(&s->thread, &attr, sender_main, s);
	pthread_attr_destroy(&attr);
	return err;
}

struct otlp_sender *otlp_sender_start(const struct otlp_endpoint *e, u64 cap_bytes)
{
	struct otlp_sender *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int err;

	s->endpoint = e;
	s->stats.cap_bytes = cap_bytes;
	s->tail = &s->head;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	err = start_thread(s);
	if (!err)
		return s;
	sender_free(s);
	errno = err;
	return NULL;
}

bool otlp_sender_hurry(struct otlp_sender *s)
{
	bool may;

	pthread_mutex_lock(&s->lock);
	may = !s->wait_requested || s->stats.next_ns <= now_ns();
	if (may)
		s->stats.next_ns = 0;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	return may;
}

void otlp_sender_finish(struct otlp_sender *s, u64 until_ns)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	s->until_ns = until_ns;
	if (!s->wait_requested)	/* skips our own backoff, but not a delay the server asked for */
		s->stats.next_ns = 0;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static bool join_until(struct otlp_sender *s, u64 ns)
{
	struct timespec ts = { (time_t)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC) };

	return !pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, &ts);
}

bool otlp_sender_stop(struct otlp_sender *s, struct otlp_stats *ret)
{
	bool joined = join_until(s, s->until_ns);

	if (!joined) {
		atomic_store(&s->abort, true);
		joined = join_until(s, now_ns() + HANG_NS);
	}
	pthread_mutex_lock(&s->lock);
	while (drop_oldest(s))
		;
	*ret = s->stats;
	pthread_mutex_unlock(&s->lock);
	if (joined)
		sender_free(s);
	return joined;
}
