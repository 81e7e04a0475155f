// SPDX-License-Identifier: GPL-2.0-or-later
/* http1_known.c: see http1_known.h. */
#include <string.h>

#include "bpf/protocols/http1_known.h"

#define PLACES 128	/* a power of two; some 120 KB, of the process that reads */
#define LEAST 16
#define STEP 24		/* the hash samples 8 bytes of each STEP */

/* A head is cached when it comes to its place a second time in a row, so that unique heads do not evict others. */
static struct known {
	u32 tag, asked;		/* hash of the cached head; of the last one that missed */
	u32 len;		/* 0: empty */
	enum role role;
	struct http1_head head;
	u8 bytes[KNOWN_BYTES];
} places[PLACES];

static u32 tag_of(enum role role, const u8 *p, u64 n)
{
	u64 h = n << 1 | role, word;

	for (u64 at = 0; at + sizeof(word) <= n; at += STEP) {
		memcpy(&word, p + at, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return (u32)(h >> 32) | 1;
}

const struct http1_head *http1_known_find(enum role role, const u8 *p, u64 n, u32 *ret_len)
{
	u32 tag = n >= LEAST ? tag_of(role, p, min(n, (u64)KNOWN_BYTES)) : 0;
	const struct known *k = &places[tag >> 1 & (PLACES - 1)];

	if (!tag || k->tag != tag || !k->len || k->len > n || k->role != role || memcmp(k->bytes, p, k->len))
		return NULL;
	*ret_len = k->len;
	return &k->head;
}

void http1_known_keep(enum role role, const u8 *p, u64 n, u32 len, const struct http1_head *x)
{
	u32 tag = n >= LEAST ? tag_of(role, p, min(n, (u64)KNOWN_BYTES)) : 0;
	struct known *k = &places[tag >> 1 & (PLACES - 1)];
	bool again = k->asked == tag;

	k->asked = tag;
	if (!tag || !again || len > KNOWN_BYTES)
		return;
	k->tag = tag;
	k->len = len;
	k->role = role;
	k->head = *x;
	memcpy(k->bytes, p, len);
}
