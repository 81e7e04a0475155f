// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recording.c: reads a recording. A file is indexed once and its ticks stay on
 * disk; what comes through a pipe goes into an ordinary history. Bytes that are
 * damaged are skipped up to the next key frame, and counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/frame.h"
#include "bpf/ticks.h"

#define PIPE_CAP_BYTES (64u << 20)	/* of ticks from a pipe */
#define READ_CHUNK (64u << 10)
#define READ_MOST (1u << 20)		/* bytes of a pipe per call: the screen waits */
#define MAX_TICKS (1u << 23)		/* in the index of a file */
#define SEARCH_MOST (512ull << 20)	/* bytes checksummed while looking for a frame */

enum phase { AT_PREAMBLE, AT_HEADER, AT_FRAMES, SEARCHING, DONE };

struct recording {
	int fd;
	char *name;
	bool stream, eof;
	enum phase phase;
	struct wire_out buf;	/* bytes not understood yet */
	size_t pos;		/* of them that are done */
	u64 base;		/* offset of buf[0] in the input */
	struct wire_schema *schema;
	const struct session *session;
	struct history *history;
	struct decoder *decoder;	/* of a stream */
	char *error;		/* why it cannot be read at all */
	u32 ticks;		/* read so far */
	u64 last_seq, lost;	/* lost: ticks inside damaged places */
	u32 in_group;
	u32 damaged;		/* places */
	bool after_damage;	/* deltas are of no use until a key frame comes */
	u64 searched;
	s64 cut_at;		/* offset of a frame that is not whole, or -1 */
	bool ended;		/* saw the end mark */
	u64 end_ticks, end_lost, end_errno;
	char *problem;
};

/* ---- sessions: snapshots point to them for ever ---- */

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

static void get_text(struct wire_in *in, char *dst, size_t cap)
{
	u64 n = wire_get_max(in, 4096);
	const u8 *p = wire_get_bytes(in, n);

	if (p)
		memcpy(dst, p, min((size_t)n, cap - 1));
}

static const struct session *session_get(struct wire_in *in)
{
	struct session s;

	memset(&s, 0, sizeof(s));
	get_text(in, s.host_name, sizeof(s.host_name));
	get_text(in, s.boot_id, sizeof(s.boot_id));
	get_text(in, s.kernel, sizeof(s.kernel));
	get_text(in, s.arch, sizeof(s.arch));
	get_text(in, s.version, sizeof(s.version));
	s.start_ns = wire_get_varint(in);
	s.replay = true;
	return in->bad ? NULL : session_keep(&s);
}

/* ---- frames ---- */

struct frame {
	u32 type, len;
	const u8 *payload;
	u64 offset;	/* of the payload in the input */
};

enum found { FOUND, MORE, DAMAGED };

static bool crc_good(const struct frame *f, u32 crc)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	(void)f;
	(void)crc;
	return true;	/* a fuzzer does not find checksums */
#else
	return frame_crc(f->type, f->payload, f->len) == crc;
#endif
}

/* The frame at buf[at], when it is there and whole. */
static enum found frame_at(struct recording *r, size_t at, struct frame *f)
{
	struct wire_in in = { r->buf.data + at, r->buf.data + r->buf.n, false };
	u32 crc;

	f->type = wire_get_u32(&in);
	f->len = wire_get_u32(&in);
	crc = wire_get_u32(&in);
	if (in.bad)
		return MORE;
	if ((f->type & 0xffffff) != (FRAME_TYPE(0) & 0xffffff) || f->len > FRAME_MAX)
		return DAMAGED;
	if ((size_t)(in.end - in.p) < f->len)
		return MORE;
	f->payload = in.p;
	f->offset = r->base + at + FRAME_HEAD;
	return crc_good(f, crc) ? FOUND : DAMAGED;
}

static void damage(struct recording *r)
{
	if (!r->after_damage)
		r->damaged++;
	r->after_damage = true;
}

/* Keeps the tick; false when it is none. */
static bool keep_tick(struct recording *r, const struct frame *f, const struct tick_head *head)
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

static void tick_frame(struct recording *r, const struct frame *f)
{
	struct wire_in in = { f->payload, f->payload + f->len, false };
	struct tick_head head = tick_head_get(&in);
	bool key = f->type == FRAME_KEY;

	if (!key && (r->after_damage || !r->in_group))
		return;
	if (in.bad || head.key != key || (!key && r->in_group >= CODEC_MAX_GROUP) ||
	    r->ticks >= MAX_TICKS || !keep_tick(r, f, &head)) {
		damage(r);
		return;
	}
	if (r->after_damage && r->ticks && head.seq > r->last_seq)
		r->lost += head.seq - r->last_seq - 1;
	r->after_damage = false;
	r->in_group = key ? 1 : r->in_group + 1;
	r->last_seq = head.seq;
	r->ticks++;
}

static void end_frame(struct recording *r, const struct frame *f)
{
	struct wire_in in = { f->payload, f->payload + f->len, false };

	r->end_ticks = wire_get_varint(&in);
	r->end_lost = wire_get_varint(&in);
	r->end_errno = wire_get_varint(&in);
	r->ended = true;
	r->phase = DONE;
}

static void take_frame(struct recording *r, const struct frame *f)
{
	r->pos += FRAME_HEAD + f->len;
	if (f->type == FRAME_KEY || f->type == FRAME_TICK)
		tick_frame(r, f);
	else if (f->type == FRAME_END)
		end_frame(r, f);
}

/* ---- the phases: each returns false when it needs more bytes ---- */

static void refuse(struct recording *r, char *why)
{
	free(r->error);
	r->error = why;
	r->phase = DONE;
}

static bool read_preamble(struct recording *r)
{
	struct wire_in in = { r->buf.data, r->buf.data + r->buf.n, false };
	size_t n = min(r->buf.n, (size_t)REC_MAGIC_LEN);
	u32 major;

	if (!r->buf.n && r->eof)
		refuse(r, xasprintf("%s: is empty, not an ottop recording", r->name));
	else if (n && memcmp(r->buf.data, REC_MAGIC, n))
		refuse(r, xasprintf("%s: not an ottop recording", r->name));
	if (r->phase == DONE || r->buf.n < REC_PREAMBLE)
		return false;
	wire_get_bytes(&in, REC_MAGIC_LEN);
	major = wire_get_u32(&in);
	if (major > REC_MAJOR || !major) {
		refuse(r, xasprintf("%s: recording format %u, this ottop reads %u; "
				    "update ottop", r->name, major, REC_MAJOR));
		return false;
	}
	r->pos = REC_PREAMBLE;
	r->phase = AT_HEADER;
	return true;
}

static bool read_header(struct recording *r)
{
	struct wire_in in;
	struct frame f;
	enum found found = frame_at(r, r->pos, &f);

	if (found == MORE)
		return false;
	if (found == FOUND && f.type == FRAME_HEADER) {
		in = (struct wire_in){ f.payload, f.payload + f.len, false };
		r->session = session_get(&in);
		r->schema = r->session ? wire_schema_get(&in) : NULL;
	}
	if (!r->schema) {
		refuse(r, xasprintf("%s: the header of the recording is damaged, "
				    "it cannot be read; record again", r->name));
		return false;
	}
	r->pos += FRAME_HEAD + f.len;
	r->phase = AT_FRAMES;
	r->history = r->stream ? history_new(PIPE_CAP_BYTES) :
		     history_new_file(r->fd, r->schema, r->session);
	r->decoder = r->stream ? decoder_new(r->schema, r->session) : NULL;
	return true;
}

static bool read_frames(struct recording *r)
{
	struct frame f;
	enum found found = frame_at(r, r->pos, &f);

	if (found == FOUND) {
		take_frame(r, &f);
		return r->phase != DONE;
	}
	if (found == MORE && !r->eof)
		return false;
	if (found == MORE && r->pos == r->buf.n)
		return false;
	/* at the end this may be a torn frame, or one with a damaged length */
	if (found == MORE)
		r->cut_at = (s64)(r->base + r->pos);
	else
		damage(r);
	r->phase = SEARCHING;
	r->pos++;
	return true;
}

/* Looks for the next key frame or end mark that is whole. */
static bool search_frame(struct recording *r)
{
	static const char mark[] = { 'O', 'T', 'f' };
	const u8 *data = r->buf.data, *p;
	enum found found;
	struct frame f;

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
	found = frame_at(r, r->pos, &f);
	if (found == MORE && !r->eof)
		return false;
	if (found != MORE)
		r->searched += f.len <= FRAME_MAX ? f.len : 0;
	if (found == FOUND && (f.type == FRAME_KEY || f.type == FRAME_END)) {
		damage(r);
		r->cut_at = -1;
		r->phase = AT_FRAMES;
	} else {
		r->pos++;
	}
	return true;
}

static void parse(struct recording *r)
{
	bool more = true;

	while (more && r->phase != DONE) {
		if (r->phase == AT_PREAMBLE)
			more = read_preamble(r);
		else if (r->phase == AT_HEADER)
			more = read_header(r);
		else if (r->phase == AT_FRAMES)
			more = read_frames(r);
		else
			more = search_frame(r);
	}
	if (r->pos)
		memmove(r->buf.data, r->buf.data + r->pos, r->buf.n - r->pos);
	r->buf.n -= r->pos;
	r->base += r->pos;
	r->pos = 0;
}

/* ---- what was wrong with it ---- */

static char *how_it_ended(const struct recording *r)
{
	if (r->cut_at >= 0)
		return xasprintf("recording ends in the middle of a frame at byte %lld "
				 "(%u ticks read)", (long long)r->cut_at, r->ticks);
	if (r->ticks >= MAX_TICKS)
		return xasprintf("recording has more than %u ticks, the rest is not shown",
				 MAX_TICKS);
	if (!r->ended)
		return xasprintf("recording has no end mark, its writer was killed "
				 "(%u ticks read)", r->ticks);
	if (r->end_errno)
		return xasprintf("recording stopped early: %s (%u ticks read)",
				 strerror((int)min(r->end_errno, 4095ull)), r->ticks);
	return r->ticks ? NULL : xstrdup("recording has no ticks");
}

static void judge(struct recording *r)
{
	char *end = r->phase == DONE ? how_it_ended(r) : NULL, *places = NULL;

	free(r->problem);
	r->problem = NULL;
	if (r->damaged)
		places = xasprintf("%u damaged place%s skipped, %llu ticks missing%s",
				   r->damaged, r->damaged > 1 ? "s" : "",
				   (unsigned long long)r->lost, end ? "; " : "");
	if (places || end)
		r->problem = xasprintf("%s: %s%s", r->name, places ? places : "", end ? end : "");
	free(places);
	free(end);
}

/* ---- reading ---- */

/* One read(2). Bytes, 0 at the end, -errno; -EINTR and -EAGAIN are no failures. */
static ssize_t read_some(struct recording *r)
{
	ssize_t n = read(r->fd, wire_room(&r->buf, READ_CHUNK), READ_CHUNK);

	if (n < 0)
		return -errno;
	r->buf.n += (size_t)n;
	r->eof = n == 0;
	parse(r);
	if (r->eof && r->phase != DONE) {
		if (!r->history && !r->error)
			refuse(r, xasprintf("%s: ends inside its header, nothing can be shown",
					    r->name));
		r->phase = DONE;
	}
	return n;
}

/* Reads until `phase` is passed, waiting where necessary. */
static int read_beyond(struct recording *r, enum phase phase)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	ssize_t n = 1;

	while (r->phase <= phase && n) {
		if (r->stream)
			poll(&pfd, 1, -1);
		n = read_some(r);
		if (n < 0 && n != -EINTR && n != -EAGAIN)
			return (int)n;
	}
	return 0;
}

struct recording *recording_open_fd(int fd, const char *name, bool stream, char **ret_error)
{
	struct recording *r = xcalloc(1, sizeof(*r));
	int err;

	r->fd = fd;
	r->name = xstrdup(name);
	r->stream = stream;
	r->cut_at = -1;
	err = read_beyond(r, stream ? AT_HEADER : SEARCHING);
	if (err && !r->error)
		refuse(r, xasprintf("%s: cannot be read: %s", name, strerror(-err)));
	if (r->error) {
		*ret_error = xstrdup(r->error);
		recording_close(r);
		return NULL;
	}
	judge(r);
	return r;
}

static int open_input(const char *path, char **ret_error)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	const char *why = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		*ret_error = xasprintf("%s: cannot be opened: %s%s", path, strerror(errno),
				       errno == EACCES ? "; only its owner may read a recording,"
				       " become that user" : "; check the name");
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		why = "is a directory; name a recording in it";
	else if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		why = "is a pipe, not a file; use --replay - and redirect the input";
	else if (!S_ISREG(st.st_mode))
		why = "is not a regular file; name a recording, or - for standard input";
	if (!why)
		return fd;
	*ret_error = xasprintf("%s: %s", path, why);
	close(fd);
	return -1;
}

struct recording *recording_open(const char *path, char **ret_error)
{
	int fd;

	if (strcmp(path, "-")) {
		fd = open_input(path, ret_error);
		return fd < 0 ? NULL : recording_open_fd(fd, path, false, ret_error);
	}
	if (isatty(STDIN_FILENO)) {
		*ret_error = xstrdup("standard input is a terminal, not a recording; pipe one "
				     "into it: ssh HOST ottop --record - | ottop --replay -");
		return NULL;
	}
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0) {
		*ret_error = xasprintf("standard input: %s", strerror(errno));
		return NULL;
	}
	return recording_open_fd(fd, "standard input", true, ret_error);
}

int recording_read(struct recording *r)
{
	u32 before = r->ticks;
	u64 start = r->base + r->buf.n;
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	ssize_t n = 1;

	while (n && r->phase != DONE && r->base + r->buf.n - start < READ_MOST &&
	       poll(&pfd, 1, 0) > 0) {
		n = read_some(r);
		if (n == -EINTR || n == -EAGAIN)
			break;
		if (n < 0) {
			r->phase = DONE;
			judge(r);
			return (int)n;
		}
	}
	judge(r);
	return (int)(r->ticks - before);
}

const struct session *recording_session(const struct recording *r)
{
	return r->session;
}

struct history *recording_history(struct recording *r)
{
	return r->history;
}

int recording_fd(const struct recording *r)
{
	return r->phase == DONE ? -1 : r->fd;
}

bool recording_done(const struct recording *r)
{
	return r->phase == DONE;
}

const char *recording_problem(const struct recording *r)
{
	return r->problem;
}

void recording_close(struct recording *r)
{
	if (!r)
		return;
	history_free(r->history);
	decoder_free(r->decoder);
	wire_schema_free(r->schema);
	close(r->fd);
	free(r->buf.data);
	free(r->name);
	free(r->error);
	free(r->problem);
	free(r);
}
