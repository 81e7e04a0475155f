/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol.h: messages on the socket pair between client.c and server.c. A question carries the
 * descriptors of a file and its debug file; a reply carries a memfd with the payload, whose sizes
 * the client checks before use.
 */
#pragma once

#include <fcntl.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/message.h"
#include "symbolizer/symbolizer.h"

/* A checked payload must not change, nor shrink under a reader (SIGBUS). */
#define PAYLOAD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct question {
	u32 kind;	/* enum symbolizer_answer_kind */
	u32 file;
	u32 n;
	u32 seq;	/* counts up from 1 */
	u64 addrs[SYMBOLIZER_BATCH];	/* ANSWER_SYMBOLS: NUL-terminated names instead */
};

struct reply {
	u32 kind, file;
	u32 seq;	/* of the question; kind 0: the server died handling it */
	u32 pad;
	s32 err;
	u32 n_segments, build_id_len;
	u32 n_words, n_infos;	/* payload: words, then infos */
	u32 n_names;		/* payload: addrs, then names */
	u32 missing;
	u64 generation;
	u32 n_lines, n_done;	/* payload: addrs, then lines, then their texts */
	u64 base, names_size;
	u64 offsets[SYMBOLIZER_SYMBOLS];
	u64 cpu_ns;
	struct symbolizer_segment segments[4];
	u8 build_id[BUILD_ID_MAX];
	char debuglink[DEBUGLINK_MAX];
};

/* The two processes; tables are urgent. The number of the question that killed one is reported. */
extern const struct helper_spec server_of_tables, server_of_names;

/* Answers a question for lines (lines.c): a descriptor with the payload, or -1. Fills the reply. */
int lines_answer(const struct question *q, const int fds[MESSAGE_FDS], struct reply *r);
/* No questions for that many seconds: frees memory, after a minute everything. */
void lines_idle(u32 seconds);
/* Frees least recently used files down to `bytes`, the last one after seconds. CLOCK_BOOTTIME. */
void lines_rest(size_t bytes, u64 now_ns);
