/* SPDX-License-Identifier: GPL-2.0-or-later */
/* termio.h: modes, signals and bytes of the terminal; for term*.c only. */
#ifndef OTTOP_TERMIO_H
#define OTTOP_TERMIO_H

#include "bpf/model/base.h"

/* Raw mode on in_fd. 0 or -errno. */
int termio_raw(int in_fd);
/*
 * The terminal of fd once more, for writing without waiting (a flag on fd itself
 * would be the shell's too); -1: fd is all there is.
 */
int termio_open_out(int fd);
/* The modes from before termio_raw(). */
void termio_cooked(void);
/*
 * Handlers: SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGHUP, SIGINT wake the fd of
 * termio_signal_fd(); a crash writes `restore` and the old modes first.
 */
void termio_signals(int out_fd, const char *restore);
void termio_signals_default(void);
/* Only the handlers that wake, again (after a stop). */
void termio_signals_watch(void);
int termio_signal_fd(void);

enum termio_event { EV_NONE, EV_RESIZE, EV_CONTINUE, EV_SUSPEND, EV_END };
/* The most important thing that happened since the last call. */
enum termio_event termio_event(void);

/* Writes all; -errno when the terminal is gone or the program shall end. Counts the bytes. */
int termio_write(int fd, const char *data, size_t n);
u64 termio_bytes(void);

/*
 * Replaces palette numbers first.. by exact colours in what ncurses wrote
 * ("38;5;N" becomes "38;2;R;G;B"). `out` must have room for 2 * n + 32 bytes.
 */
size_t termio_true_colour(char *out, const char *in, size_t n, const s32 *rgb, u32 first, u32 count);

/*
 * Makes what ncurses wrote shorter, in place, without another meaning: a colour that
 * is given back just before all attributes are reset, and two sequences of
 * attributes in a row, which can be one. Returns the new length.
 */
size_t termio_shorten(char *buf, size_t n);

/*
 * Asks the terminal for its background colour (OSC 11) and for mode 2026; in raw mode, waits at
 * most wait_ms. 1 light, 0 dark, -1 no answer. The late answer is left to
 * term_key(), which drops it. Plain keys that were typed meanwhile are in
 * termio_typed().
 */
int termio_light_background(int in_fd, int out_fd, int wait_ms);
/* It was asked as well whether it shows a frame at once (mode 2026), and said so. */
bool termio_synchronizes(void);
/* As termio_write(), and such a terminal is told where the frame begins and ends. */
int termio_write_frame(int fd, const char *data, size_t n);
const char *termio_typed(void);
/* 1, 0 or -1 for an answer like "\033]11;rgb:ffff/ffff/dddd\007". */
int termio_parse_background(const char *answer);

/* Gives the terminal back: its modes, cursor and screen. Async-signal-safe; nothing where none was taken. */
void termio_restore(void);
/* From now on no frame is written, by whatever thread: the program dies. Signal-safe. */
void termio_close(void);

#endif
