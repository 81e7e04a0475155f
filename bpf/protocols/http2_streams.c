// SPDX-License-Identifier: GPL-2.0-or-later
/* http2_streams.c: see http2_streams.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/grpc.h"
#include "bpf/protocols/http2_streams.h"

#define MAX_STREAMS 256		/* open ones of a connection; beyond that the oldest is lost */
#define NEAR 64			/* maximum distance of stream ids that count as consecutive */

struct http2_stream {
	u32 id;
	u32 status;		/* of HTTP */
	u32 grpc_status;
	bool asked, headed, asked_done;	/* headed: the request's header block was read */
	bool named;		/* it has a field that only requests have */
	bool answered, answered_done;
	bool grpc, maybe_grpc;	/* maybe: too little of the request's headers could be decoded */
	bool unknown;		/* some of the answer's headers could not be decoded */
	u64 bytes[N_ROLES];
};

static struct http2_stream *find(struct http2_streams *s, u32 id)
{
	for (u32 i = s->n; i--; )
		if (s->all[i].id == id)
			return &s->all[i];
	return NULL;
}

static void forget(struct http2_streams *s, struct http2_stream *x)
{
	*x = s->all[--s->n];
}

static void emit(const struct sink *out, struct http2_stream *x, enum part_kind kind, enum role role)
{
	out->part(out->arg, &(struct part){ .kind = kind, .role = role, .number = x->id,
					    .bytes = x->bytes[role] });
}

static void give_up_oldest(struct http2_streams *s, const struct sink *out)
{
	struct http2_stream *oldest = &s->all[0];

	for (u32 i = 1; i < s->n; i++)
		if (s->all[i].id < oldest->id)
			oldest = &s->all[i];
	emit(out, oldest, PART_LOST, ANSWERS);
	forget(s, oldest);
}

static struct http2_stream *add(struct http2_streams *s, u32 id, const struct sink *out)
{
	if (s->n == MAX_STREAMS)
		give_up_oldest(s, out);
	s->all = grow(s->all, s->n, &s->cap, sizeof(*s->all));
	s->all[s->n] = (struct http2_stream){ .id = id };
	return &s->all[s->n++];
}

/* ---- requests ---- */

static void request_begins(struct http2_streams *s, struct http2_stream *x, const struct sink *out)
{
	x->asked = true;
	s->last_asked = max(s->last_asked, x->id);
	emit(out, x, PART_BEGIN, ASKS);
}

static void add_evidence(struct http2_streams *s, u32 n)
{
	s->evidence = min(s->evidence + n, (u32)ENOUGH_EVIDENCE);
}

static void note_named(struct http2_streams *s, struct http2_stream *x)
{
	x->named = true;
	if (s->last_named && x->id > s->last_named && x->id - s->last_named <= NEAR)
		add_evidence(s, 1);
	s->last_named = max(s->last_named, x->id);
}

/* Evidence: a stream with a request's method and an answer's status, whichever came last. */
static void note_answered(struct http2_streams *s, const struct http2_stream *x)
{
	if (x->named && x->answered)
		add_evidence(s, x->status >= 200 && x->status < 600 ? ENOUGH_EVIDENCE : 1);
}

static void request_head(struct http2_streams *s, struct http2_stream *x, const struct http2_message *m,
			 const struct sink *out)
{
	struct part p = { .kind = PART_HEAD, .role = ASKS, .number = x->id };

	x->headed = true;
	if (m->asks)
		note_named(s, x);
	note_answered(s, x);
	x->grpc |= m->grpc;
	x->maybe_grpc = m->unknown && !strcmp(m->method, "POST");
	p.method = m->method[0] ? m->method : "?";
	p.path = m->path[0] ? m->path : "*";
	p.trace_id = m->trace.trace_id[0] ? m->trace.trace_id : NULL;
	p.span_id = m->trace.span_id[0] ? m->trace.span_id : NULL;
	p.inner = x->grpc ? &grpc_protocol : NULL;
	out->part(out->arg, &p);
	if (x->answered_done) {		/* the answer's record came first: threads */
		emit(out, x, PART_DONE, ASKS);
		forget(s, x);
	}
}

/* Stream ids only grow: a lower one belongs to an older stream, such as its trailers. */
static bool is_new(const struct http2_streams *s, u32 id)
{
	return id & 1 && id > s->last_asked;
}

static void asks_head(struct http2_streams *s, u32 id, const struct http2_message *m, const struct sink *out)
{
	struct http2_stream *x = find(s, id);

	if (x && x->headed)
		return;		/* trailers */
	if (!x || !x->asked) {
		if (!is_new(s, id) || !(m->asks || m->unknown || s->whole))
			return;
		x = x ?: add(s, id, out);
		request_begins(s, x, out);
	}
	request_head(s, x, m, out);
}

/* ---- answers ---- */

static u32 status_of(const struct http2_stream *x)
{
	if (!x->grpc)
		return x->status;
	if (x->grpc_status)
		return x->grpc_status;
	if (x->unknown)
		return STATUS_UNKNOWN;
	return grpc_status_of_http(x->status);
}

static void answer_head(struct http2_stream *x, const struct sink *out)
{
	out->part(out->arg, &(struct part){ .kind = PART_HEAD, .role = ANSWERS, .number = x->id,
					    .status = status_of(x),
					    .inner = x->grpc ? &grpc_protocol : NULL });
}

static void answers_head(struct http2_streams *s, u32 id, const struct http2_message *m, const struct sink *out)
{
	struct http2_stream *x = find(s, id);

	if (!x || (m->status >= 100 && m->status < 200))
		return;		/* no request was seen, or its answer has not begun */
	x->unknown |= m->unknown;
	x->grpc |= m->grpc || m->grpc_status;
	x->grpc_status = m->grpc_status ?: x->grpc_status;
	if (!x->answered) {
		x->status = m->status ?: STATUS_UNKNOWN;
		x->answered = true;
		note_answered(s, x);
	}
	/* possibly gRPC, with trailers that could not be decoded: it may have failed in spite of 200 */
	if (m->ends && x->maybe_grpc && x->unknown && x->status == 200)
		x->status = STATUS_UNKNOWN;
	if (!x->grpc)
		answer_head(x, out);
}

static void answer_ends(struct http2_streams *s, struct http2_stream *x, const struct sink *out)
{
	if (x->answered_done)
		return;
	x->answered_done = true;
	if (x->grpc)
		answer_head(x, out);
	if (x->asked && !x->asked_done)
		emit(out, x, PART_DONE, ASKS);	/* answered, so the rest of the request does not matter */
	emit(out, x, PART_DONE, ANSWERS);
	if (x->asked)
		forget(s, x);
}

/* ---- frames ---- */

void streams_take_over(struct http2_streams *s)
{
	struct http2_stream *x = add(s, 1, NULL);

	x->asked = x->headed = x->asked_done = true;
	s->last_asked = 1;
	s->whole = true;
	s->evidence = ENOUGH_EVIDENCE;
}

void streams_begin(struct http2_streams *s, enum role role, u32 id, const struct sink *out)
{
	struct http2_stream *x = find(s, id);

	if (role == ASKS) {
		/* if the connection was not seen from its start these may be trailers */
		if ((!x || !x->asked) && is_new(s, id) && (s->whole || s->last_asked))
			request_begins(s, x ?: add(s, id, out), out);
		return;
	}
	if (!x && is_new(s, id) && (s->whole || s->last_asked))
		x = add(s, id, out);	/* its record may precede the request's: threads */
	if (x && !x->answered)
		emit(out, x, PART_BEGIN, ANSWERS);
}

void streams_head(struct http2_streams *s, enum role role, u32 id, const struct http2_message *m,
		  const struct sink *out)
{
	if (role == ASKS)
		asks_head(s, id, m, out);
	else
		answers_head(s, id, m, out);
}

void streams_end(struct http2_streams *s, enum role role, u32 id, const struct sink *out)
{
	struct http2_stream *x = find(s, id);

	if (x && role == ANSWERS && x->answered) {
		answer_ends(s, x, out);
	} else if (x && role == ASKS && x->asked && !x->asked_done) {
		x->asked_done = true;
		emit(out, x, PART_DONE, ASKS);
	}
}

void streams_reset(struct http2_streams *s, u32 id, const struct sink *out)
{
	struct http2_stream *x = find(s, id);

	if (!x || x->answered_done)
		return;
	emit(out, x, PART_BROKEN, ANSWERS);
	forget(s, x);
}

void streams_add_bytes(struct http2_streams *s, enum role role, u32 id, u64 n)
{
	struct http2_stream *x = id ? find(s, id) : NULL;

	if (x)
		x->bytes[role] += n;
}

void streams_lose(struct http2_streams *s, enum role role, const struct sink *out)
{
	s->lost++;
	s->n = 0;
	s->whole = false;
	out->part(out->arg, &(struct part){ .kind = PART_BROKEN, .role = role, .number = 0 });
}

void streams_free(struct http2_streams *s)
{
	free(s->all);
	*s = (struct http2_streams){};
}
