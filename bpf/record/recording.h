/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recording.h: a recording being read. Private to recording.c and recording_chunks.c. */
#pragma once

#include "bpf/record/record_format.h"
#include "bpf/record/ticks.h"

#define REC_MAX_TICKS (1u << 23)	/* in the index of a file */

enum phase { AT_PREAMBLE, AT_HEADER, AT_CHUNKS, SEARCHING, DONE };

struct recording {
	int fd;
	char *name;
	bool stream, eof;
	enum phase phase;
	struct buf_out buf;	/* bytes not parsed yet */
	size_t pos;		/* of these, done */
	u64 base;		/* offset of buf[0] in the input */
	struct stored_schema *schema;
	const struct session *session;
	struct history *history;
	struct decoder *decoder;	/* of a stream */
	char *error;		/* why it is unreadable */
	u32 ticks;		/* read so far */
	u64 last_seq, last_time_ns;
	u64 lost;	/* ticks inside damaged places */
	u32 in_group;
	u32 damaged;		/* places in the input */
	bool after_damage;	/* deltas are skipped until a key tick */
	u64 searched;
	s64 cut_at;		/* offset of an incomplete chunk, or -1 */
	bool ended;		/* saw the end mark */
	u64 end_ticks, end_lost, end_errno;
	int read_error;		/* -errno of the failed read */
	char *problem;
};

/* Parses r->buf as far as possible; r->eof: no more will come. */
void recording_parse(struct recording *r);
/* Ends the recording as unreadable; takes over `why`. */
void recording_refuse(struct recording *r, char *why);
