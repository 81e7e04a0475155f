/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol.h: what goes over the socket pair between client.c and server.c. A
 * question carries the file's descriptor (and its debug file's); an answer carries a memfd with the
 * payload, whose sizes the client checks before it believes them.
 */
#ifndef OTTOP_SYMBOLIZER_PROTOCOL_H
#define OTTOP_SYMBOLIZER_PROTOCOL_H

#include <fcntl.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/message.h"
#include "symbolizer/symbolizer.h"

/* What was checked must not change afterwards, nor vanish under a reader (SIGBUS). */
#define PAYLOAD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct question {
	u32 kind;	/* enum symbolizer_answer_kind */
	u32 file;
	u32 n;
	u32 seq;	/* counts up from 1 */
	u64 addrs[SYMBOLIZER_BATCH];	/* ANSWER_SYMBOLS: names, a NUL behind each */
};

struct reply {
	u32 kind, file;
	u32 seq;	/* of the question; kind 0: the server died over it */
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

/*
 * The two processes: one is asked for tables only, which are urgent. Their work is the
 * number of a question.
 */
extern const struct helper_spec server_of_tables, server_of_names;

/* Writes all n bytes to the end of a payload; false with errno. */
bool payload_write(int mem, const void *data, size_t n);

/* Lines (lines.c): a descriptor with the payload, or -1. Fills the reply. */
int lines_answer(const struct question *q, const int fds[MESSAGE_FDS], struct reply *r);
/* Nothing was asked for so long: gives memory back, after a minute all of it. */
void lines_idle(u32 seconds);
/*
 * Gives memory back until the heap has at most so many bytes in use: of what was used least lately first. The file
 * that was asked last stays for some seconds. now_ns: CLOCK_BOOTTIME.
 */
void lines_rest(size_t bytes, u64 now_ns);

#endif
