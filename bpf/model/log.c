// SPDX-License-Identifier: GPL-2.0-or-later
/* log.c: the log ring, and allocation that ends the program on failure. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/base.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *ring[LOG_LINES];
static u32 next_line;
static bool echo = true;

void log_to_stderr(bool on)
{
	echo = on;
}

void log_line(const char *fmt, ...)
{
	va_list ap;
	char *line;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	while (n > 0 && line[n - 1] == '\n')
		line[--n] = '\0';

	pthread_mutex_lock(&lock);
	if (echo)
		fprintf(stderr, "ottop: %s\n", line);
	free(ring[next_line % LOG_LINES]);
	ring[next_line++ % LOG_LINES] = line;
	pthread_mutex_unlock(&lock);
}

void log_each(void (*fn)(void *arg, const char *line), void *arg)
{
	pthread_mutex_lock(&lock);
	for (u32 i = next_line > LOG_LINES ? next_line - LOG_LINES : 0; i < next_line; i++)
		fn(arg, ring[i % LOG_LINES]);
	pthread_mutex_unlock(&lock);
}

static const char *why_died;

void die(const char *why)
{
	why_died = why;
	abort();
}

const char *died_why(void)
{
	return why_died;
}

static void *checked(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

void *xmalloc(size_t n)
{
	return checked(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size));
}

void *xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n ? n : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : s);
}

void *grow(void *items, u32 n, u32 *cap, size_t size)
{
	if (n < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 16;
	return xrealloc(items, (size_t)*cap * size);
}

void *grow_to(void *items, u32 *n, u32 at, size_t size)
{
	u32 old = *n;

	if (at < old)
		return items;
	*n = max(at + 1, max(old * 2, 256u));
	items = xrealloc(items, *n * size);
	memset((char *)items + old * size, 0, (*n - old) * size);
	return items;
}

int u64_order(const void *a, const void *b)
{
	return cmp(*(const u64 *)a, *(const u64 *)b);
}
