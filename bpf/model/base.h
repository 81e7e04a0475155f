/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base.h: for every file: fixed-width types, macros, clocks, allocation, text, and the log. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define OTTOP_VERSION "0.1"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
/* For qsort(): <, = or > 0. cmp(a1, b1) ?: cmp(a2, b2) orders by several members. */
#define cmp(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); (a_ > b_) - (a_ < b_); })
/*
 * Binary search: the first i in from .. to - 1 for which the expression `before` is false, else
 * `to`. `before` must be true up to one place and false after it.
 */
#define bisect(i, from, to, before) ({ \
	u32 lo_ = (from), hi_ = (to); \
	while (lo_ < hi_) { \
		u32 i = lo_ + (hi_ - lo_) / 2; \
		if (before) \
			lo_ = i + 1; \
		else \
			hi_ = i; \
	} \
	lo_; })
#define exchange(a, b) do { typeof(a) old_ = (a); (a) = (b); (b) = old_; } while (0)
#define __printf(f, a) __attribute__((format(printf, f, a)))

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

/* Now on this process's clock: for its own timers and CPU times. */
static inline u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

/*
 * ns by which CLOCK_MONOTONIC and CLOCK_BOOTTIME of our time namespace are ahead of the host's,
 * which BPF uses (time_namespaces(7)). 0 without a namespace, and for other clocks.
 */
s64 clock_ahead_ns(clockid_t clock);
/* Now on the host's clock, to be compared with times of the kernel. */
static inline u64 kernel_ns(clockid_t clock)
{
	return clock_ns(clock) - (u64)clock_ahead_ns(clock);
}

/* The host's CLOCK_BOOTTIME, ns: the clock of all times in ottop. */
static inline u64 boottime_ns(void)
{
	return kernel_ns(CLOCK_BOOTTIME);
}

/*
 * SIGABRT; the handler (main_crash.c) prints `why`, a static text. died_why(): that text, or NULL.
 */
void die(const char *why) __attribute__((noreturn));
const char *died_why(void);

/* Cannot fail: out of memory ends the program with one line. The caller frees the result. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __printf(1, 2);

/* Makes room for element n of an array with room for `cap` elements; returns the array. */
void *grow(void *items, u32 n, u32 *cap, size_t size);
/* The same for an array whose *n elements are all in use; new ones are zeroed. */
void *grow_to(void *items, u32 *n, u32 at, size_t size);

/* For qsort() of an array of u64, ascending. */
int u64_order(const void *a, const void *b);

/*
 * The only sanitizer: all text from outside (comm, argv, path, symbol) passes it on its way to a
 * terminal or file.
 *
 * TEXT_SCREEN: control characters, C1, bidi controls, other invisible characters and invalid UTF-8
 * become a middle dot, newlines and tabs a space. TEXT_SCREEN_ASCII: '.' for the dot, '?' for all
 * else beyond ASCII.
 * TEXT_UTF8: only invalid UTF-8 is replaced, by U+FFFD (for JSON, whose writer escapes the rest).
 * TEXT_EXPORT: also what draws nothing, except newlines and tabs (for OTLP).
 *
 * Writes at most cap-1 bytes of whole characters and a NUL; returns the length.
 */
enum text_mode { TEXT_SCREEN, TEXT_SCREEN_ASCII, TEXT_UTF8, TEXT_EXPORT };
size_t text_clean(char *dst, size_t cap, const char *src, enum text_mode mode);
/* Decodes a character; its bytes (1..4), or 0: invalid (overlong, surrogate, > U+10FFFF too). */
u32 text_decode(const char *src, u32 *ret_char);
/* Value of a hexadecimal digit of either case; -1: not one. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether s is `want`; false if it is NULL. */
static inline bool text_is(const char *s, const char *want)
{
	return s && !strcmp(s, want);
}

/* Whether both texts are equal, or both NULL. */
static inline bool text_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/*
 * Appends to the text in buf, behind `between` unless that text is empty; what is beyond cap - 1 bytes
 * is left out.
 */
void text_add(char *buf, size_t cap, const char *between, const char *fmt, ...) __printf(4, 5);
/* "%u connection%s", n, text_plural(n, "s"): the ending of a noun after a count; "" for 1. */
const char *text_plural(u64 n, const char *ending);
#define THOUSANDS_MAX 27
char *text_thousands(char buf[THOUSANDS_MAX], u64 v);	/* 1,204 */

/*
 * The log: the last LOG_LINES lines, also written to stderr while there is no screen. Any thread.
 */
#define LOG_LINES 200
void log_to_stderr(bool on);
void log_line(const char *fmt, ...) __printf(1, 2);
/* Calls fn for each line, oldest first. */
void log_each(void (*fn)(void *arg, const char *line), void *arg);

/* Closes fd unless it is negative. Returns -1. */
int file_close(int fd);
/* Waits where fd takes no more for now. False: errno says why. */
bool file_write_all(int fd, const void *data, size_t n);
/* Gives a file that was made with sudo to the user who called it; what fails is logged. */
void file_give_away(int fd, const char *path);
