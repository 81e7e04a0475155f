// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_answer.c: a collector's answer, whatever it is: lengths, and what may be said of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/grpc.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	const u8 *p;
	size_t n;
};

/* A header's text: a byte with its length, then so many. */
static void take_text(struct input *in, char *buf, size_t cap)
{
	size_t n = in->n ? min((size_t)in->p[0] * 2, in->n - 1) : 0;

	memset(buf, 0, cap);
	if (!in->n)
		return;
	for (size_t i = 0; i < min(n, cap - 1); i++)
		buf[i] = (char)in->p[1 + i];
	in->p += 1 + n;
	in->n -= 1 + n;
}

static void take_grpc(struct input *in, u8 flags, struct grpc_trailers *g)
{
	g->is_grpc = flags & 64;
	g->last = flags & 128;
	take_text(in, g->status, sizeof(g->status));
	take_text(in, g->message, sizeof(g->message));
	take_text(in, g->details, sizeof(g->details));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u32 statuses[] = { 0, 200, 204, 302, 400, 429, 500, 503 };
	struct http_answer *a;
	struct otlp_outcome o;
	struct input in = { data + 1, size - 1 };
	bool grpc;

	if (!size)
		return 0;
	a = calloc(1, sizeof(*a));
	a->status = statuses[data[0] & 7];
	a->is_protobuf = data[0] & 8;
	a->cut = data[0] & 16;
	grpc = data[0] & 32;
	if (grpc)
		take_grpc(&in, data[0], &a->grpc);
	else
		take_text(&in, a->retry_after, sizeof(a->retry_after));
	a->n = (u32)min(in.n, sizeof(a->body));
	memcpy(a->body, in.p, a->n);
	if (grpc)
		grpc_judge(a, &o);
	else
		otlp_judge(a, 1700000000, &o);
	if (o.wait_ms > OTLP_WAIT_MAX_MS || strlen(o.message) >= sizeof(o.message) ||
	    (o.verdict == OTLP_RETRY && o.rejected))
		abort();
	free(a);
	return 0;
}
