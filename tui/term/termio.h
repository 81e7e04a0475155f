/* SPDX-License-Identifier: GPL-2.0-or-later */
/* termio.h: modes, signals and bytes of the terminal; for term*.c only. */
#pragma once

#include "bpf/model/base.h"

/* Raw mode on in_fd. 0 or -errno. */
int termio_raw(int in_fd);
/* Reopens fd's terminal for non-blocking writes, which on fd affect the shell; -1: use fd. */
int termio_open_out(int fd);
/* Restores the modes from before termio_raw(). */
void termio_cooked(void);
/* Signals (WINCH, CONT, TSTP, TERM, HUP, INT) wake termio_signal_fd(); a crash writes `restore`. */
void termio_signals(int out_fd, const char *restore);
void termio_signals_default(void);
/* Reinstalls only the handlers that wake (after a stop). */
void termio_signals_watch(void);
int termio_signal_fd(void);

enum termio_event { EV_NONE, EV_RESIZE, EV_CONTINUE, EV_SUSPEND, EV_END };
/* The most important event since the last call. */
enum termio_event termio_event(void);

/* Writes everything; -errno when the terminal is gone or the program must end. Counts the bytes. */
int termio_write(int fd, const char *data, size_t n);
u64 termio_bytes(void);

/* Palette numbers from `first` on become exact colours ("38;2;R;G;B"). out: 2 * n + 32 bytes. */
size_t termio_true_colour(char *out, const char *in, size_t n, const s32 *rgb, u32 first, u32 count);

/* Shortens ncurses's output in place (redundant resets, joined SGRs). Returns the length. */
size_t termio_shorten(char *buf, size_t n);

/*
 * Queries the terminal's background colour (OSC 11) and mode 2026; in raw mode, waits at most
 * wait_ms. 1 light, 0 dark, -1 no answer. A late answer is dropped by term_key(). Plain keys typed
 * meanwhile are in termio_typed().
 */
int termio_light_background(int in_fd, int out_fd, int wait_ms);
/* Whether it supports synchronized output (mode 2026), by its answer to that query. */
bool termio_synchronizes(void);
/* As termio_write(), marking the frame's beginning and end for such a terminal. */
int termio_write_screen(int fd, const char *data, size_t n);
const char *termio_typed(void);
/* 1, 0 or -1 for an answer like "\033]11;rgb:ffff/ffff/dddd\007". */
int termio_parse_background(const char *answer);

/* Restores modes, cursor and screen, if opened. Async-signal-safe. */
void termio_restore(void);
/* Stops frames from all threads: the process is dying. Async-signal-safe. */
void termio_close(void);
