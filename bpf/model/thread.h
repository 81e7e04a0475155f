/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread.h: the one way to start a thread. */
#ifndef OTTOP_THREAD_H
#define OTTOP_THREAD_H

#include <pthread.h>

#include "bpf/model/base.h"

/* Signals of a fault of the program itself. */
extern const int fault_signals[];
extern const u32 n_fault_signals;

/*
 * As pthread_create(3); `attr` may be NULL. The thread leaves signals to the main thread, but
 * not those of its own faults: of a blocked one the kernel kills the program without calling
 * the handler, which gives the terminal back. It has a stack for that handler, too.
 */
int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/*
 * Names the calling thread (15 characters at most) and gives it the ordinary priority: the one it
 * inherits is that of who draws and samples (setpriority(2): of one thread, on Linux).
 */
void thread_background(const char *name);

#endif
