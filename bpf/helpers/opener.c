// SPDX-License-Identifier: GPL-2.0-or-later
/* opener.c: see opener.h: the threads. Their work is in opener_work.c. */
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bpf/helpers/opener.h"
#include "bpf/model/thread.h"

#define MAX_THREADS 4
#define MAX_WAITING 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;

struct queue {
	struct opener_job *first, **end;
};

/* There may be thousands of stacks: files, which names depend on, have priority. */
static struct queue files = { NULL, &files.first }, stacks = { NULL, &stacks.first };
static struct opener_job *done, **done_end = &done;
static u32 n_waiting, n_threads, n_idle;
static int event = -1;

static struct opener_job *take_first(struct queue *q)
{
	struct opener_job *job = q->first;

	q->first = job->next;
	if (!q->first)
		q->end = &q->first;
	n_waiting--;
	return job;
}

static struct opener_job *next_job(void)
{
	n_idle++;
	while (!n_waiting)
		pthread_cond_wait(&more, &lock);
	n_idle--;
	return take_first(files.first ? &files : &stacks);
}

static void *work(void *arg)
{
	prctl(PR_SET_NAME, "ottop-opener");
	pthread_mutex_lock(&lock);
	for (;;) {
		struct opener_job *job = next_job();
		u64 one = 1;

		pthread_mutex_unlock(&lock);
		opener_work(job);
		pthread_mutex_lock(&lock);
		job->next = NULL;
		*done_end = job;
		done_end = &job->next;
		if (write(event, &one, sizeof(one)) < 0)
			log_line("opener: cannot tell");
	}
	return NULL;
}

static void start_thread(void)
{
	pthread_t t;

	if (!thread_start(&t, NULL, work, NULL)) {
		pthread_detach(t);
		n_threads++;
	}
}

int opener_ask(const struct opener_job *job)
{
	struct queue *q = job->kind >= READ_STACK ? &stacks : &files;
	struct opener_job *own;
	int err = 0;

	pthread_mutex_lock(&lock);
	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0 || n_waiting >= MAX_WAITING) {
		err = -EAGAIN;
	} else {
		own = xmalloc(sizeof(*own));
		*own = *job;
		own->next = NULL;
		*q->end = own;
		q->end = &own->next;
		n_waiting++;
		if (n_idle < n_waiting && n_threads < MAX_THREADS)
			start_thread();
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
	return err;
}

struct opener_job *opener_take(void)
{
	struct opener_job *job;
	u64 n;

	if (event < 0)
		return NULL;
	pthread_mutex_lock(&lock);
	job = done;
	if (job) {
		done = job->next;
		if (!done)
			done_end = &done;
	} else if (read(event, &n, sizeof(n)) < 0 && errno != EAGAIN) {
		log_line("opener: cannot be asked");
	}
	pthread_mutex_unlock(&lock);
	return job;
}

int opener_fd(void)
{
	return event;
}
