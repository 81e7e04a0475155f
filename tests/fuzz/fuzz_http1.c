// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_http1.c: both directions of a connection, in pieces of a kind, length and boundaries chosen
 * by the input. Reports must be consistent: parts of a started message, each once, with terminated
 * texts.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/paths.h"
#include "bpf/protocols/protocol.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 begun[N_ROLES], done[N_ROLES];

static void take(void *arg, const struct part *p)
{
	char folded[PATH_MAX_KEPT];

	if (p->role >= N_ROLES || p->kind > PART_BROKEN)
		abort();
	if (p->kind == PART_BROKEN && !p->number)
		return;
	if (p->kind == PART_BEGIN) {
		if (p->number < begun[p->role])
			abort();	/* numbers never go back; an interim answer has that of the final one */
		begun[p->role] = p->number;
	} else if (p->number < begun[p->role]) {
		abort();
	}
	if (p->kind == PART_DONE) {
		if (p->number <= done[p->role])
			abort();	/* ended twice */
		done[p->role] = p->number;
	}
	if (p->kind != PART_HEAD || p->role != ASKS)
		return;
	if (strlen(p->method) >= METHOD_MAX || strlen(p->path) >= PATH_MAX_KEPT || strchr(p->path, '?'))
		abort();
	path_fold(folded, sizeof(folded), p->path);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct sink sink = { take, NULL };
	void *state = calloc(1, http1_protocol.state_bytes);
	size_t at = 0;

	memset(begun, 0, sizeof(begun));
	memset(done, 0, sizeof(done));
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
			p.tail = size - at >= 8 && what & 64 ? data + at : NULL;
		} else {
			p.n = n % 600 < size - at ? n % 600 : size - at;
			copy = malloc(p.n ? p.n : 1);	/* of its size, so that nothing behind it is read */
			memcpy(copy, data + at, p.n);
			p.data = copy;
			at += p.n;
		}
		http1_protocol.read(state, what & 1 ? ANSWERS : ASKS, &p, &sink);
		free(copy);
	}
	http1_protocol.close(state);
	free(state);
	return 0;
}
