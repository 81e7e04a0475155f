// SPDX-License-Identifier: GPL-2.0-or-later
/* recording_chunks.c: parses chunks. Damage is skipped up to the next key tick, and counted. */
#include "bpf/record/recording.h"

#define PIPE_CAP_BYTES (64u << 20)	/* of ticks from a pipe */
#define SEARCH_MOST (512ull << 20)	/* bytes checksummed while resynchronizing */

/* ---- sessions: never freed, as snapshots point to them ---- */

struct kept {
	struct kept *next;
	struct session session;
};

static struct kept *kept;

static const struct session *session_keep(const struct session *s)
{
	struct kept *k = xcalloc(1, sizeof(*k));

	k->session = *s;
	k->next = kept;
	kept = k;
	return &k->session;
}

static void get_text(struct buf_in *in, char *dst, size_t cap)
{
	u64 n = buf_get_max(in, 4096);
	const u8 *p = buf_get_bytes(in, n);

	if (p)
		memcpy(dst, p, min((size_t)n, cap - 1));
}

static const struct session *session_get(struct buf_in *in)
{
	struct session s;

	memset(&s, 0, sizeof(s));
	get_text(in, s.host_name, sizeof(s.host_name));
	get_text(in, s.boot_id, sizeof(s.boot_id));
	get_text(in, s.kernel, sizeof(s.kernel));
	get_text(in, s.arch, sizeof(s.arch));
	get_text(in, s.version, sizeof(s.version));
	s.start_ns = buf_get_varint(in);
	s.replay = true;
	return in->bad ? NULL : session_keep(&s);
}

/* ---- chunks ---- */

struct chunk {
	u32 type, len;
	const u8 *payload;
	u64 offset;	/* of the payload in the input */
};

enum found { FOUND, MORE, DAMAGED };

static bool crc_good(const struct chunk *f, u32 crc)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return true;	/* a fuzzer cannot guess checksums */
#else
	return chunk_crc(f->type, f->payload, f->len) == crc;
#endif
}

static enum found chunk_at(struct recording *r, size_t at, struct chunk *f)
{
	struct buf_in in = { r->buf.data + at, r->buf.data + r->buf.n, false };
	u32 crc;

	f->type = buf_get_u32(&in);
	f->len = buf_get_u32(&in);
	crc = buf_get_u32(&in);
	if (in.bad)
		return MORE;
	if ((f->type & 0xffffff) != (CHUNK_TYPE(0) & 0xffffff) || f->len > CHUNK_MAX)
		return DAMAGED;
	if ((size_t)(in.end - in.p) < f->len)
		return MORE;
	f->payload = in.p;
	f->offset = r->base + at + CHUNK_HEAD;
	return crc_good(f, crc) ? FOUND : DAMAGED;
}

static void damage(struct recording *r)
{
	if (!r->after_damage)
		r->damaged++;
	r->after_damage = true;
}

/* Keeps the tick; false: invalid. */
static bool keep_tick(struct recording *r, const struct chunk *f, const struct tick_head *head)
{
	const struct snapshot *s;

	if (!r->stream) {
		history_add_file_tick(r->history, head, f->offset, f->len);
		return true;
	}
	if (decoder_tick(r->decoder, f->payload, f->len))
		return false;
	s = decoder_snapshot(r->decoder);
	history_append(r->history, s);
	snapshot_put(s);
	return true;
}

static void tick_chunk(struct recording *r, const struct chunk *f)
{
	struct buf_in in = { f->payload, f->payload + f->len, false };
	struct tick_head head = tick_head_get(&in);
	bool key = f->type == CHUNK_KEY;

	if (!key && r->after_damage)
		return;
	/* times must increase: the console searches in them */
	if (in.bad || head.key != key || head.seq <= r->last_seq ||
	    head.time_ns < r->last_time_ns || (!key && !r->in_group) ||
	    (!key && r->in_group >= CODEC_MAX_GROUP) ||
	    r->ticks >= REC_MAX_TICKS || !keep_tick(r, f, &head)) {
		damage(r);
		return;
	}
	if (r->after_damage && r->ticks && head.seq > r->last_seq)
		r->lost += head.seq - r->last_seq - 1;
	r->after_damage = false;
	r->in_group = key ? 1 : r->in_group + 1;
	r->last_seq = head.seq;
	r->last_time_ns = head.time_ns;
	r->ticks++;
}

static void end_chunk(struct recording *r, const struct chunk *f)
{
	struct buf_in in = { f->payload, f->payload + f->len, false };

	r->end_ticks = buf_get_varint(&in);
	r->end_lost = buf_get_varint(&in);
	r->end_errno = buf_get_varint(&in);
	if (r->damaged)		/* more exact than the gaps in tick numbers */
		r->lost = r->end_ticks > r->ticks ? r->end_ticks - r->ticks : 0;
	r->ended = true;
	r->phase = DONE;
}

static void take_chunk(struct recording *r, const struct chunk *f)
{
	r->pos += CHUNK_HEAD + f->len;
	if (f->type == CHUNK_KEY || f->type == CHUNK_TICK)
		tick_chunk(r, f);
	else if (f->type == CHUNK_END)
		end_chunk(r, f);
}

/* ---- the phases: false when more bytes are needed ---- */

void recording_refuse(struct recording *r, char *why)
{
	free(r->error);
	r->error = why;
	r->phase = DONE;
}

static bool read_preamble(struct recording *r)
{
	struct buf_in in = { r->buf.data, r->buf.data + r->buf.n, false };
	size_t n = min(r->buf.n, (size_t)REC_MAGIC_LEN);
	u32 major;

	if (!r->buf.n && r->eof)
		recording_refuse(r, xasprintf("%s: is empty, not an ottop recording", r->name));
	else if (n && memcmp(r->buf.data, REC_MAGIC, n))
		recording_refuse(r, xasprintf("%s: not an ottop recording", r->name));
	if (r->phase == DONE || r->buf.n < REC_PREAMBLE)
		return false;
	buf_get_bytes(&in, REC_MAGIC_LEN);
	major = buf_get_u32(&in);
	if (major > REC_MAJOR || !major) {
		recording_refuse(r, xasprintf("%s: recording format %u, this ottop reads %u; "
					    "update ottop", r->name, major, REC_MAJOR));
		return false;
	}
	r->pos = REC_PREAMBLE;
	r->phase = AT_HEADER;
	return true;
}

static bool read_header(struct recording *r)
{
	struct buf_in in;
	struct chunk f;
	enum found found = chunk_at(r, r->pos, &f);

	if (found == MORE)
		return false;
	if (found == FOUND && f.type == CHUNK_HEADER) {
		in = (struct buf_in){ f.payload, f.payload + f.len, false };
		r->session = session_get(&in);
		r->schema = r->session ? stored_schema_get(&in) : NULL;
	}
	if (!r->schema) {
		recording_refuse(r, xasprintf("%s: the header of the recording is damaged, "
					    "it cannot be read; record again", r->name));
		return false;
	}
	r->pos += CHUNK_HEAD + f.len;
	r->phase = AT_CHUNKS;
	r->history = r->stream ? history_new(PIPE_CAP_BYTES) :
		     history_new_file(r->fd, r->schema, r->session);
	r->decoder = r->stream ? decoder_new(r->schema, r->session) : NULL;
	return true;
}

static bool read_chunks(struct recording *r)
{
	struct chunk f;
	enum found found = chunk_at(r, r->pos, &f);

	if (found == FOUND) {
		take_chunk(r, &f);
		return r->phase != DONE;
	}
	if (found == MORE && !r->eof)
		return false;
	if (found == MORE && r->pos == r->buf.n)
		return false;
	/* at the end: a torn chunk, or a damaged length */
	if (found == MORE)
		r->cut_at = (s64)(r->base + r->pos);
	else
		damage(r);
	r->phase = SEARCHING;
	r->pos++;
	return true;
}

/* Searches the next whole key tick or end mark. */
static bool search_chunk(struct recording *r)
{
	static const char mark[] = { 'O', 'T', 'f' };
	const u8 *data = r->buf.data, *p;
	enum found found;
	struct chunk f;

	if (r->searched > SEARCH_MOST) {
		r->phase = DONE;
		return false;
	}
	p = memmem(data + r->pos, r->buf.n - r->pos, mark, sizeof(mark));
	if (!p) {
		r->pos = max(r->pos, r->buf.n - min(r->buf.n, sizeof(mark) - 1));
		return false;
	}
	r->pos = (size_t)(p - data);
	found = chunk_at(r, r->pos, &f);
	if (found == MORE && !r->eof)
		return false;
	if (found != MORE)
		r->searched += f.len <= CHUNK_MAX ? f.len : 0;
	if (found == FOUND && (f.type == CHUNK_KEY || f.type == CHUNK_END)) {
		damage(r);
		r->cut_at = -1;
		r->phase = AT_CHUNKS;
	} else {
		r->pos++;
	}
	return true;
}

void recording_parse(struct recording *r)
{
	bool more = true;

	while (more && r->phase != DONE) {
		if (r->phase == AT_PREAMBLE)
			more = read_preamble(r);
		else if (r->phase == AT_HEADER)
			more = read_header(r);
		else if (r->phase == AT_CHUNKS)
			more = read_chunks(r);
		else
			more = search_chunk(r);
	}
	if (r->pos)
		memmove(r->buf.data, r->buf.data + r->pos, r->buf.n - r->pos);
	r->buf.n -= r->pos;
	r->base += r->pos;
	r->pos = 0;
}
