// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recording.c: opens and reads a recording. A file is indexed and its ticks stay on disk; ticks
 * from a pipe go into an ordinary history.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/record/recording.h"

#define READ_CHUNK (64u << 10)
#define READ_MOST (1u << 20)		/* bytes of a pipe per call, as the screen waits */

/* ---- problems ---- */

static char *how_it_ended(const struct recording *r)
{
	if (r->read_error)
		return xasprintf("recording cannot be read further: %s (%u tick%s read)",
				 strerror(-r->read_error), r->ticks, text_plural(r->ticks, "s"));
	if (r->cut_at >= 0)
		return xasprintf("recording ends in the middle of a chunk at byte %lld "
				 "(%u tick%s read)", (long long)r->cut_at, r->ticks, text_plural(r->ticks, "s"));
	if (r->ticks >= REC_MAX_TICKS)
		return xasprintf("recording has more than %u ticks, the rest is not shown",
				 REC_MAX_TICKS);
	if (!r->ended && r->after_damage)
		return xasprintf("nothing behind that can be read (%u tick%s read)", r->ticks, text_plural(r->ticks, "s"));
	if (!r->ended)
		return xasprintf("recording has no end mark, its writer was killed "
				 "(%u tick%s read)", r->ticks, text_plural(r->ticks, "s"));
	if (r->end_errno)
		return xasprintf("recording stopped early: %s (%u tick%s read)",
				 strerror((int)min(r->end_errno, 4095ull)), r->ticks,
				 text_plural(r->ticks, "s"));
	return r->ticks ? NULL : xstrdup("recording has no ticks");
}

static void judge(struct recording *r)
{
	char *end = r->phase == DONE ? how_it_ended(r) : NULL, *places = NULL;

	free(r->problem);
	r->problem = NULL;
	if (r->damaged)
		places = xasprintf("%u damaged place%s skipped, %llu tick%s missing%s",
				   r->damaged, text_plural(r->damaged, "s"),
				   (unsigned long long)r->lost, text_plural(r->lost, "s"), end ? "; " : "");
	if (places || end)
		r->problem = xasprintf("%s: %s%s", r->name, places ? places : "", end ? end : "");
	free(places);
	free(end);
}

/* ---- reading ---- */

/* End of the input: complete, cut short, or a read error. */
static void finish(struct recording *r)
{
	if (!r->history && !r->error && r->read_error)
		recording_refuse(r, xasprintf("%s: cannot be read: %s", r->name,
					      strerror(-r->read_error)));
	else if (!r->history && !r->error)
		recording_refuse(r, xasprintf("%s: ends inside its header, nothing can be shown",
					      r->name));
	r->phase = DONE;
}

/* One read(2) and its parsing; false: nothing to read now. */
static bool read_some(struct recording *r)
{
	ssize_t n = read(r->fd, buf_room(&r->buf, READ_CHUNK), READ_CHUNK);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	r->read_error = n < 0 ? -errno : 0;
	r->buf.n += (size_t)max(n, (ssize_t)0);
	r->eof = n <= 0;
	recording_parse(r);
	if (r->eof && r->phase != DONE)
		finish(r);
	return true;
}

struct recording *recording_open_fd(int fd, const char *name, bool stream, char **ret_error)
{
	struct recording *r = xcalloc(1, sizeof(*r));
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	r->fd = fd;
	r->name = xstrdup(name);
	r->stream = stream;
	r->cut_at = -1;
	while (r->phase <= (stream ? AT_HEADER : SEARCHING)) {
		if (stream)
			poll(&pfd, 1, -1);
		read_some(r);
	}
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

	while (r->phase != DONE && r->base + r->buf.n - start < READ_MOST &&
	       poll(&pfd, 1, 0) > 0 && read_some(r))
		;
	judge(r);
	return r->read_error && r->ticks == before ? r->read_error : (int)(r->ticks - before);
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
	stored_schema_free(r->schema);
	close(r->fd);
	free(r->buf.data);
	free(r->name);
	free(r->error);
	free(r->problem);
	free(r);
}
