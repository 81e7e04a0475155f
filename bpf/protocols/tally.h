/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tally.h: sums exchanges by endpoint until the next report, and selects the requests to list. */
#pragma once

#include "bpf/protocols/follow.h"
#include "bpf/protocols/report.h"

struct tally;

struct tally *tally_new(void);
/* Are unlisted requests reported too? To be called between two reports. */
void tally_all(struct tally *t, bool all);
void tally_add(struct tally *t, const struct exchange *x);
/* One that is still open at now_ns. */
void tally_open(struct tally *t, const struct exchange *x, u64 now_ns);
/* A connection that turned out to be no known protocol, by its cookie. */
void tally_over(struct tally *t, u64 cookie);
/* Writes the arrays into fd and their sizes into *head, and resets them. False with errno. */
bool tally_write(struct tally *t, int fd, struct report_head *head);
void tally_free(struct tally *t);
