/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A workload's report: one JSON line per process, which ./check compares with ottop's rows. Written
 * with one write(2) at the end, as stdio's calls would not be known.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char expect_text[128 * 1024];
static size_t expect_length;

__attribute__((format(printf, 1, 2))) static inline void expect_add(const char *format, ...)
{
	size_t room = sizeof(expect_text) - expect_length;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(expect_text + expect_length, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		abort();
	expect_length += n;
}

/* Fields of every call; errors -1: unspecified. The caller closes the brace. */
static inline void expect_call(const char *abi, const char *name, long count, long errors)
{
	expect_add("%s{\"abi\":\"%s\",\"syscall\":\"%s\",\"count\":%ld,\"errors\":%ld",
		   expect_text[expect_length - 1] == '[' ? "" : ",", abi, name, count, errors);
}

static inline void expect_begin(const char *name, const char *comm, long pid)
{
	expect_add("{\"name\":\"%s\",\"comm\":\"%s\",\"pid\":%ld,\"calls\":[", name, comm, pid);
}

static inline void expect_write(void)
{
	if (write(STDOUT_FILENO, expect_text, expect_length) != (ssize_t)expect_length)
		abort();
}
