/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolver.h: names of addresses, and of user ids that are not in /etc/passwd, from an unprivileged
 * process ("ottop-names"), because a lookup may block for seconds. Nothing here blocks: questions
 * are sent, answers are taken when they arrive, and after RESOLVER_GIVE_UP_NS there is a reason
 * instead of a name. Nothing is sent to the network before the first question.
 */
#pragma once

#include "bpf/model/base.h"

#define RESOLVER_MAX 4096			/* addresses and user ids that are remembered */
#define RESOLVER_GIVE_UP_NS (4 * NSEC_PER_SEC)
#define RESOLVER_KEEP_NS (600 * NSEC_PER_SEC)	/* lifetime of a name */
#define RESOLVER_RETRY_NS (60 * NSEC_PER_SEC)	/* lifetime of a failure */

/* Forks it. Before threads exist and before any BPF is loaded. 0 or -errno. */
int resolver_start(void);
/* Does not wait for pending answers. */
void resolver_stop(void);
/* Does it run? */
bool resolver_runs(void);
/* For poll(): readable while answers are pending. -1: not running. */
int resolver_fd(void);

/* Asks once for an address's name ("10.0.0.7", "2001:db8::1"). Any thread; up to RESOLVER_MAX. */
void resolver_ask(const char *addr);
/* Takes pending answers, sends queued questions, times out old ones. */
void resolver_step(u64 now_ns);

/* A user id's name from NSS, sanitized. False: none, or not known yet; then it is asked for. */
bool resolver_user(u32 uid, char *name, size_t cap);
/* Changes when results of resolver_user() may have changed. */
u32 resolver_users_version(void);

/* One address: its name, or a reason why there is none, or neither yet. The resolver owns the texts. */
typedef void (*resolver_fn)(void *arg, const char *addr, const char *name, const char *reason);
void resolver_each(resolver_fn fn, void *arg);
