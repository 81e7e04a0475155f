// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_worker.c: see waits_worker.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "bpf/collectors/waits/waits_worker.h"
#include "bpf/model/thread.h"

#define HANGS_NS NSEC_PER_SEC	/* for one question */
#define WORKERS_MAX 4		/* hanging ones, after which no more are created */

/* One thread; an abandoned thread keeps its struct. */
struct worker {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	struct batch batch;
	u32 at;			/* index of the current question */
	u64 began_ns;		/* when it began that one */
	bool asked, done, stop, abandoned;
};

static struct worker *worker;
static atomic_uint n_hanging;

static void finish(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->asked = false;
	w->done = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* False: the worker was abandoned. */
static bool begin_question(struct worker *w, u32 i)
{
	bool go;

	pthread_mutex_lock(&w->lock);
	w->at = i;
	w->began_ns = boottime_ns();
	go = !w->abandoned;
	pthread_mutex_unlock(&w->lock);
	return go;
}

static void answer_batch(struct worker *w)
{
	u64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct batch *b = &w->batch;

	memset(b->a, 0, sizeof(b->a));
	for (u32 i = 0; i < b->n; i++) {
		if (!begin_question(w, i))
			return;
		question_answer(&b->q[i], &b->a[i]);
	}
	if (!begin_question(w, b->n))
		return;
	ends_find(b->q, b->a, b->n);
	b->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	bool stop;

	prctl(PR_SET_NAME, "ottop-waits");
	for (;;) {
		pthread_mutex_lock(&w->lock);
		while (!w->asked && !w->stop && !w->abandoned)
			pthread_cond_wait(&w->changed, &w->lock);
		stop = w->stop || w->abandoned;
		pthread_mutex_unlock(&w->lock);
		if (stop)
			break;
		answer_batch(w);
		finish(w);
	}
	if (w->abandoned) {	/* it no longer hangs */
		free(w);
		atomic_fetch_sub(&n_hanging, 1);
	}
	return NULL;
}

static int worker_make(void)
{
	pthread_condattr_t attr;
	int err;

	worker = xcalloc(1, sizeof(*worker));
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&worker->lock, NULL);
	err = thread_start(&worker->thread, NULL, worker_main, worker);
	if (err) {
		free(worker);
		worker = NULL;
	}
	return -err;
}

bool worker_idle(void)
{
	bool idle;

	if (!worker)
		return n_hanging < WORKERS_MAX;
	pthread_mutex_lock(&worker->lock);
	idle = !worker->asked && !worker->done;
	pthread_mutex_unlock(&worker->lock);
	return idle;
}

int worker_ask(const struct wait_question *q, u32 n)
{
	int err = worker ? 0 : worker_make();

	if (err)
		return err;
	pthread_mutex_lock(&worker->lock);
	worker->batch.n = min(n, (u32)BATCH_MAX);
	worker->batch.cpu_ns = 0;
	memcpy(worker->batch.q, q, worker->batch.n * sizeof(*q));
	worker->at = 0;
	worker->began_ns = boottime_ns();
	worker->asked = true;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	return 0;
}

/* With the lock held. Keeps the answers from before it hung. */
static void give_up(struct worker *w, struct batch *ret)
{
	*ret = w->batch;
	for (u32 i = w->at; i < ret->n; i++) {
		ret->a[i] = (struct wait_answer){ .failed = i != w->at, .hangs = i == w->at };
		if (i == w->at)
			answer_add(ret->a[i].text, "? (reading it hangs)");
	}
	for (u32 i = 0; i < min(w->at, ret->n); i++)	/* their peers were not searched for */
		ret->a[i].failed |= ret->a[i].end.ino && !ret->a[i].end.maybe_fifo;
	w->abandoned = true;
	pthread_detach(w->thread);
	worker = NULL;
	atomic_fetch_add(&n_hanging, 1);
}

bool worker_take(u64 wait_ns, struct batch *ret)
{
	struct worker *w = worker;
	u64 until = clock_ns(CLOCK_MONOTONIC) + wait_ns;
	struct timespec ts = { (time_t)(until / NSEC_PER_SEC), (long)(until % NSEC_PER_SEC) };
	bool taken = false;

	if (!w)
		return false;
	pthread_mutex_lock(&w->lock);
	while (w->asked && wait_ns && pthread_cond_timedwait(&w->changed, &w->lock, &ts) == 0)
		;
	if (w->done) {
		*ret = w->batch;
		w->done = false;
		taken = true;
	} else if (w->asked && boottime_ns() - w->began_ns > HANGS_NS) {
		give_up(w, ret);
		taken = true;
	}
	pthread_mutex_unlock(&w->lock);
	return taken;
}

bool worker_stop(void)
{
	struct batch *unwanted;
	struct worker *w = worker;

	if (!w)
		return !n_hanging;
	unwanted = xmalloc(sizeof(*unwanted));
	worker_take(HANGS_NS, unwanted);
	free(unwanted);
	if (!worker || !worker_idle())
		return false;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
	worker = NULL;
	return !n_hanging;
}
