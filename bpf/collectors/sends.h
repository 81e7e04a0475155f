/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sends.h: when calls that send were entered. The program that counts calls runs at
 * each entry anyway: it notes the time for those tasks whose task_state.sends is
 * the generation given here, and only for them.
 */
#ifndef OTTOP_SENDS_H
#define OTTOP_SENDS_H

#include "bpf/model/base.h"

/* 0: for none. */
void syscalls_note_sends(u32 generation);

#endif
