/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base.h: the one header everybody may include: short names for fixed-width
 * types, a few macros, clocks, and the log that never writes over the screen.
 */
#ifndef OTTOP_BASE_H
#define OTTOP_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
/* Order for qsort(): less than, equal to, or greater than 0; cmp(a1, b1) ?: cmp(a2, b2) by several members. */
#define cmp(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); (a_ > b_) - (a_ < b_); })
/*
 * Binary search: the first i of from .. to - 1 for which `before`, an expression of
 * i, is not true; `to`: it is for all. It must be true up to one place, not after it.
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

/* Now, as this process sees the clock: for its own timers and for CPU times. */
static inline u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

/*
 * How far, in ns, CLOCK_MONOTONIC and CLOCK_BOOTTIME of our time namespace are ahead of the host's, which
 * BPF programs use (time_namespaces(7)). 0 without a namespace, and for other clocks.
 */
s64 clock_ahead_ns(clockid_t clock);
/* Now on the host's clock: what is compared with times of the kernel. */
static inline u64 kernel_ns(clockid_t clock)
{
	return clock_ns(clock) - (u64)clock_ahead_ns(clock);
}

/* Now on CLOCK_BOOTTIME of the host, in ns: the clock of every time inside ottop. */
static inline u64 boottime_ns(void)
{
	return kernel_ns(CLOCK_BOOTTIME);
}

/*
 * Ends the program by SIGABRT; the handler (main_crash.c) prints `why`, which must be static.
 * died_why(): the reason passed to die(), or NULL.
 */
void die(const char *why) __attribute__((noreturn));
const char *died_why(void);

/*
 * Allocation that cannot fail: out of memory ends the program with one line.
 * The caller owns the result and gives it to free().
 */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __printf(1, 2);

/*
 * Grows an array in place: `items` has room for `cap` elements of `size`
 * bytes and shall hold `n + 1`. Returns the (possibly moved) array.
 */
void *grow(void *items, u32 n, u32 *cap, size_t size);
/* The same of an array of which all *n elements are in use: makes more, zeroed, where it has no element `at`. */
void *grow_to(void *items, u32 *n, u32 at, size_t size);

/* For qsort() of an array of u64, ascending. */
int u64_order(const void *a, const void *b);

/*
 * The one sanitizer: every byte that came from outside (comm, argv, path,
 * symbol) passes it before it reaches a terminal or a file.
 *
 * TEXT_SCREEN: control bytes, C1, bidi controls and other invisible format
 *	characters, and invalid UTF-8 become a middle dot ('.' with ascii),
 *	newlines and tabs one space; with `ascii` everything beyond ASCII is '?'.
 * TEXT_UTF8: only invalid UTF-8 is replaced, by U+FFFD (for JSON, whose
 *	writer escapes what is left).
 * TEXT_EXPORT: so is what draws nothing, but for newlines and tabs (for OTLP,
 *	whose readers show it as it is).
 *
 * Writes at most cap-1 bytes of whole characters and a NUL; returns the length.
 */
enum text_mode { TEXT_SCREEN, TEXT_SCREEN_ASCII, TEXT_UTF8, TEXT_EXPORT };
size_t text_clean(char *dst, size_t cap, const char *src, enum text_mode mode);
/*
 * Decodes one character; returns its bytes (1..4) or 0 when src does not start
 * with valid UTF-8 (overlong forms, surrogates and > U+10FFFF are invalid).
 */
u32 text_decode(const char *src, u32 *ret_char);
/* "%u connection%s", n, text_plural(n, "s"): the ending of a noun after a count; "" after 1. */
const char *text_plural(u64 n, const char *ending);
#define THOUSANDS_MAX 27
char *text_thousands(char buf[THOUSANDS_MAX], u64 v);	/* 1,204 */

/*
 * The log: one line an event, kept in a ring of the last LOG_LINES and, when
 * no screen is in use, also written to stderr. Safe from any thread.
 */
#define LOG_LINES 200
void log_to_stderr(bool on);
void log_line(const char *fmt, ...) __printf(1, 2);
/* Calls fn for each kept line, oldest first. */
void log_each(void (*fn)(void *arg, const char *line), void *arg);

#endif
