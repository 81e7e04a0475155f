// SPDX-License-Identifier: GPL-2.0-or-later
/* termio.c: modes, signals and bytes of the terminal, without ncurses. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bpf/model/thread.h"
#include "tui/term/termio.h"

#define STUCK_MS 200	/* at exit: maximum wait for a terminal that accepts nothing */

static struct termios saved;
static int tty_fd = -1;		/* the terminal with the modes `saved` */
static int screen_fd = -1;	/* where a crash writes `restore_text` */
static char restore_text[256];
static int wake[2] = { -1, -1 };
static volatile sig_atomic_t got_resize, got_continue, got_suspend, got_end;
static volatile sig_atomic_t closed;	/* the process is dying: no more frames */
static _Atomic u64 bytes;

static const int watched[] = { SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGHUP, SIGINT, SIGQUIT };

/* ---- modes ------------------------------------------------------------------ */

int termio_raw(int in_fd)
{
	struct termios raw;

	if (tty_fd != in_fd && tcgetattr(in_fd, &saved) < 0)
		return -errno;
	tty_fd = in_fd;
	raw = saved;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(in_fd, TCSADRAIN, &raw) < 0 ? -errno : 0;
}

static bool is_writable(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, wait_ms) > 0;
}

/* A terminal that accepts nothing (Ctrl-S, a dead connection) must not block the program. */
void termio_cooked(void)
{
	bool drain = tty_fd >= 0 && is_writable(tty_fd, STUCK_MS);

	if (tty_fd < 0)
		return;
	if (!drain)
		tcflush(tty_fd, TCOFLUSH);
	tcsetattr(tty_fd, drain ? TCSADRAIN : TCSANOW, &saved);
}

int termio_open_out(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return isatty(fd) ? open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
}

/* ---- signals ------------------------------------------------------------------ */

static void on_signal(int sig)
{
	int saved_errno = errno;

	switch (sig) {
	case SIGWINCH:
		got_resize = 1;
		break;
	case SIGCONT:
		got_continue = 1;
		break;
	case SIGTSTP:
		got_suspend = 1;
		break;
	default:
		got_end = 1;
	}
	if (write(wake[1], "", 1) < 0)
		errno = saved_errno;	/* the pipe is full, so the reader wakes anyway */
	errno = saved_errno;
}

void termio_close(void)
{
	closed = 1;
}

void termio_restore(void)
{
	size_t n = strlen(restore_text), done = 0;

	termio_close();
	while (screen_fd >= 0 && done < n) {	/* the last frame may fill the terminal's buffer */
		ssize_t wrote = write(screen_fd, restore_text + done, n - done);

		if (wrote > 0)
			done += (size_t)wrote;
		else if ((errno != EAGAIN && errno != EINTR) || !is_writable(screen_fd, STUCK_MS))
			screen_fd = -1;
	}
	if (tty_fd >= 0)
		tcsetattr(tty_fd, TCSANOW, &saved);
}

/* If no other handler (main_crash.c) is installed: restores the terminal, then dies as usual. */
static void on_fatal(int sig)
{
	termio_restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void make_wake(void)
{
	if (wake[0] >= 0 || pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
}

void termio_signals_watch(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	for (u32 i = 0; i < ARRAY_SIZE(watched); i++)
		sigaction(watched[i], &sa, NULL);
}

void termio_signals(int out_fd, const char *restore)
{
	struct sigaction sa = { .sa_handler = on_fatal }, old;

	make_wake();
	snprintf(restore_text, sizeof(restore_text), "%s", restore);
	screen_fd = out_fd;
	termio_signals_watch();
	signal(SIGPIPE, SIG_IGN);
	for (u32 i = 0; i < n_fault_signals; i++)
		/* Keep a sanitizer's own handler, which reports more. */
		if (!sigaction(fault_signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(fault_signals[i], &sa, NULL);
}

void termio_signals_default(void)
{
	screen_fd = -1;
	for (u32 i = 0; i < ARRAY_SIZE(watched); i++)
		signal(watched[i], SIG_DFL);
	for (u32 i = 0; i < n_fault_signals; i++)
		signal(fault_signals[i], SIG_DFL);
}

int termio_signal_fd(void)
{
	make_wake();
	return wake[0];
}

enum termio_event termio_event(void)
{
	char drop[64];

	while (read(wake[0], drop, sizeof(drop)) > 0)
		;
	if (got_end)
		return EV_END;
	if (got_suspend) {
		got_suspend = 0;
		return EV_SUSPEND;
	}
	if (got_continue) {
		got_continue = 0;
		return EV_CONTINUE;
	}
	if (got_resize) {
		got_resize = 0;
		return EV_RESIZE;
	}
	return EV_NONE;
}

/* ---- bytes ---------------------------------------------------------------------- */

int termio_write(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t done = write(fd, data, n);
		int err = done < 0 ? errno : 0;
		bool writable = done == (ssize_t)n || is_writable(fd, STUCK_MS);

		while (closed)	/* another thread crashed: it ends this one, too */
			pause();
		if (got_end && !writable)
			return -EINTR;
		if (err == EAGAIN || err == EINTR)
			continue;
		if (err)
			return -err;
		bytes += (u64)done;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

u64 termio_bytes(void)
{
	return bytes;
}

/* Length of "38;5;N" or "48;5;N" at p, its number in *ret_n; 0: not there. */
static size_t palette_at(const char *p, const char *end, u32 *ret_n)
{
	const char *digit = p + 5;

	if (end - p < 7 || (*p != '3' && *p != '4') || memcmp(p + 1, "8;5;", 4))
		return 0;
	for (*ret_n = 0; digit < end && *digit >= '0' && *digit <= '9'; digit++)
		*ret_n = *ret_n * 10 + (u32)(*digit - '0');
	return digit < end && *digit == 'm' ? (size_t)(digit - p) : 0;
}

size_t termio_true_colour(char *out, const char *in, size_t n, const s32 *rgb, u32 first, u32 count)
{
	const char *end = in + n;
	char *o = out;

	while (in < end) {
		u32 number;
		size_t len = in[0] == '[' ? palette_at(in + 1, end, &number) : 0;

		if (len && number >= first && number < first + count && rgb[number - first] >= 0) {
			u32 v = (u32)rgb[number - first];

			o += sprintf(o, "[%c8;2;%u;%u;%u", in[1], v >> 16, (v >> 8) & 255, v & 255);
			in += len + 1;
		} else {
			*o++ = *in++;
		}
	}
	return (size_t)(o - out);
}

#define SGR_MAX_BYTES 48	/* some terminals read at most 16 parameters */

static bool begins(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && !memcmp(s, with, n);
}

/* Length of the SGR sequence ("ESC [ 1 ; 38 ; 5 ; 16 m") at s; 0: not there. */
static size_t sgr_length(const char *s, const char *end)
{
	const char *p = s + 2;

	if (!begins(s, end, "\033["))
		return 0;
	while (p < end && ((*p >= '0' && *p <= '9') || *p == ';'))
		p++;
	return p < end && *p == 'm' && p > s + 2 ? (size_t)(p + 1 - s) : 0;
}

/* Length of "ESC ( B", which selects ASCII: no other character set is ever used. */
static size_t reset_length(const char *s, const char *end)
{
	static const char *const resets[] = {
		"\033[39;49m\033(B\033[m", "\033[39m\033(B\033[m", "\033[49m\033(B\033[m", "\033(B\033[m",
	};

	for (u32 i = 0; i < ARRAY_SIZE(resets); i++)
		if (begins(s, end, resets[i]))
			return strlen(resets[i]);
	return 0;
}

size_t termio_shorten(char *buf, size_t n)
{
	const char *in = buf, *end = buf + n;
	char *o = buf;

	while (in < end) {
		size_t reset = reset_length(in, end), first, second;

		if (reset) {
			memcpy(o, "\033[m", 3);
			o += 3;
			in += reset;
			continue;
		}
		first = sgr_length(in, end);
		second = first ? sgr_length(in + first, end) : 0;
		if (!second || reset_length(in + first, end) || first + second > SGR_MAX_BYTES) {
			*o++ = *in++;
			continue;
		}
		memmove(o, in, first - 1);
		o += first - 1;
		*o++ = ';';
		memmove(o, in + first + 2, second - 2);
		o += second - 2;
		in += first + second;
	}
	return (size_t)(o - buf);
}

/* ---- light or dark ---------------------------------------------------------------- */

int termio_parse_background(const char *answer)
{
	const char *p = strstr(answer, "]11;rgb:");
	u32 r, g, b;
	int digits;

	if (!p || sscanf(p + 8, "%x/%n%x/%x", &r, &digits, &g, &b) != 3)
		return -1;
	for (; digits > 3; digits--) {	/* 16 or 8 bits a channel: 8 are sufficient */
		r >>= 4;
		g >>= 4;
		b >>= 4;
	}
	return 299 * r + 587 * g + 114 * b > 127500;
}

#define ASK_SYNC "\033[?2026$p"	/* DECRQM; before OSC 11, so that its answer comes first */
#define BEGIN_SYNC "\033[?2026h"
#define END_SYNC "\033[?2026l"

static char typed[64];
static bool synchronizes;

bool termio_synchronizes(void)
{
	return synchronizes;
}

int termio_write_screen(int fd, const char *data, size_t n)
{
	char *all;
	int r;

	if (!synchronizes)
		return termio_write(fd, data, n);
	all = xmalloc(strlen(BEGIN_SYNC) + n + strlen(END_SYNC));
	memcpy(all, BEGIN_SYNC, strlen(BEGIN_SYNC));
	memcpy(all + strlen(BEGIN_SYNC), data, n);
	memcpy(all + strlen(BEGIN_SYNC) + n, END_SYNC, strlen(END_SYNC));
	r = termio_write(fd, all, strlen(BEGIN_SYNC) + n + strlen(END_SYNC));
	free(all);
	return r;
}

/* Keeps what was typed before the answer; escape sequences in it are ambiguous and dropped. */
static void keep_typed(const char *got)
{
	const char *answer = strchr(got, 27);
	size_t n = answer ? (size_t)(answer - got) : strlen(got);

	snprintf(typed, sizeof(typed), "%.*s", (int)min(n, sizeof(typed) - 1), got);
}

const char *termio_typed(void)
{
	return typed;
}

int termio_light_background(int in_fd, int out_fd, int wait_ms)
{
	u64 end_ns = boottime_ns() + (u64)wait_ms * NSEC_PER_MSEC;
	char answer[256] = "";
	size_t n = 0;

	synchronizes = false;
	if (termio_write(out_fd, ASK_SYNC "\033]11;?\033\\", strlen(ASK_SYNC) + 8) < 0)
		return -1;
	while (n < sizeof(answer) - 1) {
		s64 left_ns = (s64)(end_ns - boottime_ns());
		struct pollfd p = { .fd = in_fd, .events = POLLIN };
		ssize_t got;

		if (left_ns <= 0 || poll(&p, 1, (int)(left_ns / 1000000) + 1) <= 0)
			break;
		got = read(in_fd, answer + n, sizeof(answer) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		answer[n] = '\0';
		if (strchr(answer, '\007') || strstr(answer, "\033\\"))
			break;
	}
	keep_typed(answer);
	/* 1: on, 2: off; 0 and 4: not supported. */
	synchronizes = strstr(answer, "\033[?2026;1$y") || strstr(answer, "\033[?2026;2$y");
	return termio_parse_background(answer);
}
