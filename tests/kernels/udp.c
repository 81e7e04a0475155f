// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams over loopback between a connected and an unconnected socket, by every call that moves
 * them:
 *
 *	flood [N]	four threads with N rounds each, new sockets all the time: whatever the moment at
 *		which ottop swaps its maps, there is a call under way
 *	rests [N]	N pairs that say something, rest for two seconds, say something and are gone: some
 *		of them while ottop reads
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/uio.h>

#include "sockets.h"

#define THREADS 4
#define SIZE 19
#define BATCH 3
#define ROUNDS_OF_A_PAIR 100
#define REST_US 2000000
#define GAP_US 37000

struct pair {
	int c, u;
	struct sockaddr_in from;	/* the peer of u */
};

static long pairs, to_u, to_c;		/* number, bytes */

static void pair_open(struct pair *p)
{
	struct sockaddr_in sa;

	p->u = bound(SOCK_DGRAM, &sa);
	p->c = socket(AF_INET, SOCK_DGRAM, 0);
	must(!connect(p->c, (void *)&sa, sizeof(sa)));
	__sync_fetch_and_add(&pairs, 1);
}

static void pair_close(struct pair *p)
{
	close(p->c);
	close(p->u);
}

static void by_name(struct pair *p)
{
	socklen_t len = sizeof(p->from);
	char buf[64] = "";

	must(write(p->c, buf, SIZE) == SIZE);
	must(recvfrom(p->u, buf, sizeof(buf), 0, (void *)&p->from, &len) == SIZE);
	must(sendto(p->u, buf, SIZE + 1, 0, (void *)&p->from, sizeof(p->from)) == SIZE + 1);
	must(read(p->c, buf, sizeof(buf)) == SIZE + 1);
}

static void by_message(struct pair *p)
{
	char buf[64] = "";
	struct iovec v = { buf, SIZE };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	must(writev(p->c, &v, 1) == SIZE);
	m.msg_name = &p->from;
	m.msg_namelen = sizeof(p->from);
	must(recvmsg(p->u, &m, 0) == SIZE);
	v.iov_len = SIZE + 1;
	must(sendmsg(p->u, &m, 0) == SIZE + 1);
	must(readv(p->c, &v, 1) == SIZE + 1);
}

static void by_batch(struct pair *p)
{
	struct sockaddr_in names[BATCH];
	char bufs[BATCH][64] = {};
	struct iovec v[BATCH];
	struct mmsghdr m[BATCH] = {};

	for (int i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){ bufs[i], SIZE };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	must(sendmmsg(p->c, m, BATCH, 0) == BATCH);
	for (int i = 0; i < BATCH; i++) {
		m[i].msg_hdr.msg_name = &names[i];
		m[i].msg_hdr.msg_namelen = sizeof(names[i]);
	}
	must(recvmmsg(p->u, m, BATCH, 0, NULL) == BATCH);
	p->from = names[0];
	for (int i = 0; i < BATCH; i++)
		v[i].iov_len = SIZE + 1;
	must(sendmmsg(p->u, m, BATCH, 0) == BATCH);
	for (int i = 0; i < BATCH; i++)
		must(recv(p->c, bufs[i], sizeof(bufs[i]), 0) == SIZE + 1);
}

static void round_trip(struct pair *p, int kind)
{
	static void (*const ways[])(struct pair *) = { by_name, by_message, by_batch };
	int datagrams = kind % 3 == 2 ? BATCH : 1;

	ways[kind % 3](p);
	__sync_fetch_and_add(&to_u, datagrams * SIZE);
	__sync_fetch_and_add(&to_c, datagrams * (SIZE + 1));
}

static void *flood(void *arg)
{
	struct pair p;

	for (long i = 0, rounds = (long)arg; i < rounds; i++) {
		if (i % ROUNDS_OF_A_PAIR == 0)
			pair_open(&p);
		round_trip(&p, i);
		if ((i + 1) % ROUNDS_OF_A_PAIR == 0 || i + 1 == rounds)
			pair_close(&p);
	}
	return NULL;
}

static void *rest(void *arg)
{
	struct pair p;

	usleep((long)arg * GAP_US);
	pair_open(&p);
	round_trip(&p, 0);
	usleep(REST_US);
	round_trip(&p, 1);
	pair_close(&p);
	return NULL;
}

int main(int argc, char **argv)
{
	int resting = argc > 1 && !strcmp(argv[1], "rests");
	long amount = argc > 2 ? atol(argv[2]) : resting ? 20 : 300, n = resting ? amount : THREADS;
	pthread_t *threads = calloc(n, sizeof(*threads));
	char name[64];

	for (long i = 0; i < n; i++)
		must(!pthread_create(&threads[i], NULL, resting ? rest : flood,
				     (void *)(resting ? i : amount)));
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	snprintf(name, sizeof(name), "%s.%s", program_invocation_short_name, resting ? "rests" : "flood");
	expect_begin(name, program_invocation_short_name, getpid());
	expect_add("],\"connections\":[");
	expect_conn("udp", "", "", 2 * pairs, to_u + to_c, to_u + to_c);
	expect_add("],\"exit_code\":0,\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n");
	expect_write();
	return 0;
}
