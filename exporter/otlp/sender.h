/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sender.h: sends the batches of one signal to one endpoint: a queue bounded in bytes, and a thread
 * that posts its head until the endpoint accepts or rejects it. Pushing never blocks: a full queue
 * drops its oldest batch and counts it.
 */
#pragma once

#include "exporter/otlp/answer.h"
#include "exporter/otlp/config.h"

enum otlp_sender_state { OTLP_IDLE, OTLP_POSTING, OTLP_WAITING };

/* Items are data points, spans or log records. */
struct otlp_stats {
	enum otlp_sender_state state;
	u64 sent;		/* items accepted */
	u64 refused;		/* items rejected: not sent again */
	u64 dropped;		/* items lost: queue full, or out of time at exit */
	u64 queued, queued_bytes, cap_bytes;
	u64 sent_bytes;		/* bodies accepted, as transmitted */
	u64 posts, failures;	/* attempts, and those to be retried */
	u64 last_ns, took_ns;	/* CLOCK_MONOTONIC: end and duration of the last attempt */
	u64 begun_ns;		/* POSTING: start of the attempt */
	u64 next_ns;		/* WAITING: time of the next attempt */
	u32 failed;		/* consecutive attempts to be retried */
	char error[200];	/* the latest, "" if none */
	u64 error_ns;		/* time of error; 0: none */
	bool failing;		/* the last attempt failed */
	enum otlp_verdict verdict;	/* of the last attempt */
	u64 cpu_ns;		/* CPU time of the thread up to the end of the last attempt */
};

struct otlp_sender;

/* e must outlive the sender. NULL and errno on failure. */
struct otlp_sender *otlp_sender_start(const struct otlp_endpoint *e, u64 cap_bytes);
/* Takes `body` (from malloc); never waits for the network. */
void otlp_sender_push(struct otlp_sender *s, u8 *body, size_t n, bool gzip, u32 items);
/* Counts items that cannot be pushed as dropped, with the reason. */
void otlp_sender_discard(struct otlp_sender *s, u32 items, const char *why);
/* Whether a pushed batch would have to wait, because the endpoint is not accepting. */
bool otlp_sender_waits(struct otlp_sender *s);
void otlp_sender_stats(struct otlp_sender *s, struct otlp_stats *ret);
/* Makes the next attempt now; false: the server asked to wait. */
bool otlp_sender_hurry(struct otlp_sender *s);
/* No more pushes; the queue may be posted until until_ns (CLOCK_MONOTONIC). Returns at once. */
void otlp_sender_finish(struct otlp_sender *s, u64 until_ns);
/*
 * Ends and frees the thread. False: it hangs (name server, NFS) and is left. *ret: final numbers.
 */
bool otlp_sender_stop(struct otlp_sender *s, struct otlp_stats *ret);
