/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sender.h: batches of one signal on their way to one endpoint: a queue bounded in bytes and
 * a thread that posts its head until the endpoint takes or refuses it. Who pushes never
 * waits; when there is no room the oldest batch goes, and is counted.
 */
#ifndef OTTOP_OTLP_SENDER_H
#define OTTOP_OTLP_SENDER_H

#include "exporter/otlp/answer.h"
#include "exporter/otlp/config.h"

enum otlp_sender_state { OTLP_IDLE, OTLP_POSTING, OTLP_WAITING };

/* Items are data points, spans or log records. */
struct otlp_stats {
	enum otlp_sender_state state;
	u64 sent;		/* items that the endpoint took */
	u64 refused;		/* that it will not take: they are not sent again */
	u64 dropped;		/* there was no room, or no time at the end */
	u64 queued, queued_bytes, cap_bytes;
	u64 sent_bytes;		/* of bodies that it took, as they were on the wire */
	u64 posts, failures;	/* attempts, and those of them that must be made again */
	u64 last_ns, took_ns;	/* CLOCK_MONOTONIC: end and length of the last attempt */
	u64 begun_ns;		/* POSTING: when */
	u64 next_ns;		/* WAITING: when the next one is made */
	u32 failed;		/* attempts in a row that must be made again */
	char error[200];	/* the last one, "" when there was none */
	u64 error_ns;		/* when; 0: there was none */
	bool failing;		/* the last attempt had one */
	enum otlp_verdict verdict;	/* of the last attempt */
	u64 cpu_ns;		/* of the thread until the last attempt ended */
};

struct otlp_sender;

/* e must outlive it. NULL and errno on failure. */
struct otlp_sender *otlp_sender_start(const struct otlp_endpoint *e, u64 cap_bytes);
/* Takes `body` (from malloc); never waits for the network. */
void otlp_sender_push(struct otlp_sender *s, u8 *body, size_t n, bool gzip, u32 items);
/* Counts what is not even pushed as dropped, and says why. */
void otlp_sender_discard(struct otlp_sender *s, u32 items, const char *why);
/* Whether what is pushed now will wait: the endpoint does not take what it gets. */
bool otlp_sender_waits(struct otlp_sender *s);
void otlp_sender_stats(struct otlp_sender *s, struct otlp_stats *ret);
/* Makes the next attempt now; false: the server has asked to wait, and that is kept to. */
bool otlp_sender_hurry(struct otlp_sender *s);
/* No more pushes: what is queued may be posted until then (CLOCK_MONOTONIC). Returns at once. */
void otlp_sender_finish(struct otlp_sender *s, u64 until_ns);
/*
 * Waits for that and frees. False: the thread hangs (a name server, a file of a network that
 * is gone): it stays, with what it uses. *ret has the final numbers in both cases.
 */
bool otlp_sender_stop(struct otlp_sender *s, struct otlp_stats *ret);

#endif
