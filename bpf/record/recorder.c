// SPDX-License-Identifier: GPL-2.0-or-later
/* recorder.c: writes a recording with one write(2) a tick: if killed, at most one chunk is torn. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/record/record_format.h"

struct recorder {
	int fd;
	bool file;	/* can be truncated */
	int error;	/* -errno of the failed write; nothing is written after it */
	u64 bytes;	/* whole chunks so far */
	u64 ticks, lost, last_seq;
	u32 in_group;
	struct encoder *encoder;
	struct buf_out chunk;
};

/* ---- making the file ---- */

/* A regular file that begins like a recording. */
static bool is_recording(int fd)
{
	char magic[REC_MAGIC_LEN];
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, REC_MAGIC, sizeof(magic));
}

/* Removes an old recording. NULL, or why it cannot be replaced (free() it). */
static char *remove_old(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	bool ours = fd >= 0 && is_recording(fd);

	if (fd < 0 && errno == ELOOP)
		return xasprintf("%s: is a symbolic link, nothing is written through it; "
				 "name the file itself", path);
	file_close(fd);
	if (!ours)
		return xasprintf("%s: exists and is not an ottop recording, not overwritten; "
				 "choose another name", path);
	if (unlink(path))
		return xasprintf("%s: the old recording cannot be removed: %s; "
				 "choose another name", path, strerror(errno));
	return NULL;
}

static int create_file(const char *path, char **ret_error)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		*ret_error = remove_old(path);
		if (*ret_error)
			return -1;
		fd = open(path, flags, 0600);
	}
	if (fd < 0) {
		*ret_error = xasprintf("%s: cannot be created: %s; choose another place", path,
				       strerror(errno));
		return -1;
	}
	if (fchmod(fd, 0600))
		log_line("%s: mode stays as it is: %s", path, strerror(errno));
	file_give_away(fd, path);
	return fd;
}

static int open_output(const char *path, char **ret_error)
{
	if (strcmp(path, "-"))
		return create_file(path, ret_error);
	if (isatty(STDOUT_FILENO)) {
		*ret_error = xstrdup("standard output is a terminal, no place for a recording; "
				     "redirect it to a file or a pipe");
		return -1;
	}
	return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

/* ---- chunks ---- */

/* Leaves room for the head of the chunk. */
static struct buf_out *begin_chunk(struct recorder *r)
{
	r->chunk.n = 0;
	memset(buf_room(&r->chunk, CHUNK_HEAD), 0, CHUNK_HEAD);
	r->chunk.n = CHUNK_HEAD;
	return &r->chunk;
}

static int end_chunk(struct recorder *r, u32 type)
{
	u32 len = (u32)(r->chunk.n - CHUNK_HEAD);
	struct buf_out head = { r->chunk.data, 0, CHUNK_HEAD };
	int err;

	buf_put_u32(&head, type);
	buf_put_u32(&head, len);
	buf_put_u32(&head, chunk_crc(type, r->chunk.data + CHUNK_HEAD, len));
	err = r->chunk.n > CHUNK_MAX ? -EFBIG : file_write_all(r->fd, r->chunk.data, r->chunk.n) ? 0 : -errno;
	if (!err) {
		r->bytes += r->chunk.n;
		return 0;
	}
	if (r->file && (ftruncate(r->fd, (off_t)r->bytes) ||
			lseek(r->fd, (off_t)r->bytes, SEEK_SET) < 0))
		log_line("recording: the torn chunk at its end stays: %s", strerror(errno));
	r->error = r->error ? r->error : err;
	return err;
}

static int write_header(struct recorder *r, const struct session *session)
{
	struct buf_out pre = { 0 };
	int err;

	buf_put_bytes(&pre, REC_MAGIC, REC_MAGIC_LEN);
	buf_put_u32(&pre, REC_MAJOR);
	buf_put_u32(&pre, REC_MINOR);
	err = file_write_all(r->fd, pre.data, pre.n) ? 0 : -errno;
	r->bytes = pre.n;
	free(pre.data);
	if (err)
		return err;
	session_put(begin_chunk(r), session);
	stored_schema_put(&r->chunk);
	return end_chunk(r, CHUNK_HEADER);
}

static void recorder_free(struct recorder *r)
{
	close(r->fd);
	encoder_free(r->encoder);
	free(r->chunk.data);
	free(r);
}

/* ---- interface ---- */

struct recorder *recorder_open(const char *path, const struct session *session, char **ret_error)
{
	int fd = open_output(path, ret_error), err;
	struct recorder *r;
	struct stat st;

	if (fd < 0)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	r->file = strcmp(path, "-") && !fstat(fd, &st) && S_ISREG(st.st_mode);
	r->encoder = encoder_new();
	err = write_header(r, session);
	if (!err)
		return r;
	*ret_error = xasprintf("%s: cannot be written: %s", r->file ? path : "standard output",
			       strerror(-err));
	if (r->file)
		unlink(path);
	recorder_free(r);
	return NULL;
}

int recorder_write(struct recorder *r, const struct snapshot *s)
{
	bool key = r->in_group == 0 || r->in_group >= CODEC_GROUP_TICKS ||
		   encoder_is_full(r->encoder);
	int err;

	if (r->error)
		return r->error;
	encoder_tick(r->encoder, s, key, begin_chunk(r));
	err = end_chunk(r, key ? CHUNK_KEY : CHUNK_TICK);
	if (err)
		return err;
	if (r->ticks && s->seq > r->last_seq)
		r->lost += s->seq - r->last_seq - 1;
	r->last_seq = s->seq;
	r->ticks++;
	r->in_group = key ? 1 : r->in_group + 1;
	return 0;
}

u64 recorder_bytes(const struct recorder *r)
{
	return r->bytes;
}

int recorder_close(struct recorder *r)
{
	int err;

	if (!r)
		return 0;
	/* also after a failure: this small chunk may still fit and has the reason */
	if (!r->error || r->file) {
		buf_put_varint(begin_chunk(r), r->ticks);
		buf_put_varint(&r->chunk, r->lost);
		buf_put_varint(&r->chunk, (u64)-r->error);
		end_chunk(r, CHUNK_END);
	}
	err = r->error;
	/* late write errors (NFS, quota) */
	if (!err && r->file && fsync(r->fd))
		err = -errno;
	recorder_free(r);
	return err;
}
