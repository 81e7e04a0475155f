/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tally.h: adds up exchanges by endpoint until the next report, and keeps the requests worth listing. */
#ifndef OTTOP_TALLY_H
#define OTTOP_TALLY_H

#include "bpf/protocols/follow.h"
#include "bpf/protocols/report.h"

struct tally;

struct tally *tally_new(void);
/* Whether requests that are not listed are told too. Between two reports. */
void tally_all(struct tally *t, bool all);
void tally_add(struct tally *t, const struct exchange *x);
/* One that is under way at now_ns. */
void tally_open(struct tally *t, const struct exchange *x, u64 now_ns);
/* A connection that is over, by its cookie. */
void tally_over(struct tally *t, u64 cookie);
/* Writes the arrays into fd and their sizes into *head; starts anew. False with errno. */
bool tally_write(struct tally *t, int fd, struct report_head *head);
void tally_free(struct tally *t);

#endif
