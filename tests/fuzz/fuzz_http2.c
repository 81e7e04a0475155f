// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_http2.c: both directions of a connection, in pieces of a kind, length and boundaries chosen
 * by the input. Reports must be consistent: no stream is named before it started or after it ended,
 * a bounded number is open, and texts are terminated.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/paths.h"
#include "bpf/protocols/protocol.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define MOST 256

static struct { u64 number; bool asked, answered; } open_streams[MOST];
static u32 n_open;

static u32 find(u64 number)
{
	u32 i = 0;

	while (i < n_open && open_streams[i].number != number)
		i++;
	return i;
}

static void take(void *arg, const struct part *p)
{
	char folded[PATH_MAX_KEPT];
	u32 i = find(p->number);

	if (p->role >= N_ROLES || p->kind > PART_LOST)
		abort();
	if (!p->number) {
		if (p->kind != PART_BROKEN)
			abort();
		n_open = 0;
		return;
	}
	if (!(p->number & 1))
		abort();	/* the server's own streams are never reported */
	if (p->kind == PART_BEGIN && i == n_open) {
		if (n_open == MOST)
			abort();
		memset(&open_streams[i], 0, sizeof(open_streams[i]));
		open_streams[n_open++].number = p->number;
	} else if (i == n_open) {
		abort();
	}
	open_streams[i].asked |= p->role == ASKS && p->kind == PART_BEGIN;
	if (p->kind == PART_DONE && p->role == ANSWERS) {
		if (open_streams[i].answered)
			abort();	/* ended twice */
		open_streams[i].answered = true;
	}
	if (p->kind >= PART_BROKEN || (p->kind == PART_DONE && open_streams[i].asked && open_streams[i].answered))
		open_streams[i] = open_streams[--n_open];
	if (p->kind != PART_HEAD || p->role != ASKS)
		return;
	if (strlen(p->method) >= METHOD_MAX || strlen(p->path) >= PATH_MAX_KEPT || strchr(p->path, '?'))
		abort();
	path_fold(folded, sizeof(folded), p->path);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct sink sink = { take, NULL };
	void *state = calloc(1, http2_protocol.state_bytes);
	size_t at = 0;

	n_open = 0;
	while (at + 3 <= size) {
		u8 what = data[at];
		u64 n = data[at + 1] | (u64)data[at + 2] << 8;
		struct piece p = { .begins = what & 4, .n = n };
		u8 *copy = NULL;

		at += 3;
		if ((what >> 3) % 8 == 7) {
			p.kind = what & 2 ? PIECE_LOST : PIECE_END;
		} else if (what & 2) {
			p.kind = PIECE_GAP;
		} else {
			p.n = n % 600 < size - at ? n % 600 : size - at;
			copy = malloc(p.n ? p.n : 1);	/* of its size, so that nothing behind it is read */
			memcpy(copy, data + at, p.n);
			p.data = copy;
			at += p.n;
		}
		http2_protocol.read(state, what & 1 ? ANSWERS : ASKS, &p, &sink);
		free(copy);
	}
	http2_protocol.close(state);
	free(state);
	return 0;
}
