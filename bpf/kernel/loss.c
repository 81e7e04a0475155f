// SPDX-License-Identifier: GPL-2.0-or-later
/* loss.c: see loss.h. Sampler thread only. */
#include <string.h>

#include "bpf/kernel/loss.h"

#define LOSS_LEAST 10	/* one of nine is more than 1 %, and says nothing of the others */

static struct loss {
	const char *cause;
	u64 total;
	bool minor;	/* see loss_set_of() */
} *losses;
static u32 n_losses, cap_losses;
static u64 alarming;

static void note_loss(const char *cause, u64 total, bool minor)
{
	u32 i = 0;

	while (i < n_losses && strcmp(losses[i].cause, cause))
		i++;
	if (i == n_losses) {
		losses = grow(losses, n_losses, &cap_losses, sizeof(*losses));
		memset(&losses[n_losses], 0, sizeof(*losses));
		losses[n_losses++].cause = cause;
	}
	if (!minor && total > losses[i].total)
		alarming += total - losses[i].total;
	losses[i].total = total;
	losses[i].minor = minor;
}

void loss_set(const char *cause, u64 total)
{
	note_loss(cause, total, false);
}

void loss_set_of(const char *cause, u64 total, u64 of)
{
	note_loss(cause, total, total < LOSS_LEAST || total < of / 100);
}

u64 loss_alarming(void)
{
	return alarming;
}

u64 loss_total(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < n_losses; i++)
		sum += losses[i].total;
	return sum;
}

void loss_rows(struct builder *b)
{
	for (u32 i = 0; i < n_losses; i++) {
		struct lost_row *r = builder_row(b, TABLE_lost);

		r->cause = str_new(losses[i].cause);
		r->count = losses[i].total;
		r->minor = losses[i].minor;
	}
	builder_status(b, TABLE_lost, TS_OK, NULL, 0);
}
