/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wake.h: when the reader of a ring buffer is woken before its time. Rings are read by a timer, and
 * no record wakes anybody, but those that find the ring filled up to a mark: one wake-up for all of it.
 */
#ifndef OTTOP_WAKE_H
#define OTTOP_WAKE_H

/*
 * True for a record that is written where `full` bytes wait already, if these have just passed the
 * mark. step: what is written between two looks at most; each look within it wakes, so that none is
 * passed over, and beyond it none does, so that a reader who is late is not woken for each record.
 */
static inline int wakes_reader(unsigned long full, unsigned long mark, unsigned long step)
{
	return full >= mark && full - mark < step;
}

#endif
