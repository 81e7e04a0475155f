// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP over a lossy loopback (netem), in a network namespace of its own. Retransmits by the kernel's
 * counter of that namespace (RetransSegs, as in nstat), over both ends of all connections: SYN,
 * data and FIN.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "sockets.h"

#define CONNECTIONS 8
#define PIECES 60
#define PIECE 1400
#define LOSS (~0u / 12)		/* of 2^32 */

struct request {
	struct nlmsghdr head;
	struct tcmsg tc;
	char attributes[128];
};

static void attribute(struct request *r, int type, const void *value, size_t size)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(size);
	memcpy(RTA_DATA(a), value, size);
	r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* tc qdisc add dev lo root netem loss 8.3%. 0 or -errno. */
static int lose(int ifindex)
{
	struct tc_netem_qopt netem = { .limit = 1000, .loss = LOSS };
	struct request r = {
		.head = { NLMSG_LENGTH(sizeof(struct tcmsg)), RTM_NEWQDISC,
			  NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0, 0 },
		.tc = { .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT },
	};
	struct { struct nlmsghdr head; struct nlmsgerr err; char more[256]; } answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	attribute(&r, TCA_KIND, "netem", sizeof("netem"));
	attribute(&r, TCA_OPTIONS, &netem, sizeof(netem));
	must(fd >= 0 && send(fd, &r, r.head.nlmsg_len, 0) == (ssize_t)r.head.nlmsg_len);
	must(recv(fd, &answer, sizeof(answer), 0) > 0 && answer.head.nlmsg_type == NLMSG_ERROR);
	close(fd);
	return answer.err.error;
}

/* Small packets, or one loss would be 64 KB. */
static int lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = 1500 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must(!ioctl(fd, SIOCSIFMTU, &ifr));
	ifr.ifr_flags = IFF_UP;
	must(!ioctl(fd, SIOCSIFFLAGS, &ifr) && !ioctl(fd, SIOCGIFINDEX, &ifr));
	close(fd);
	return ifr.ifr_ifindex;
}

/* /proc/net/snmp: a line of names, then one of values. */
static long retransmitted(void)
{
	static char text[8192];
	int fd = open("/proc/thread-self/net/snmp", O_RDONLY), column = 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *names, *values, *name, *save;

	must(n > 0);
	close(fd);
	text[n] = '\0';
	names = strstr(text, "Tcp:");
	values = strstr(names + 1, "Tcp:");
	values[-1] = '\0';
	for (name = strtok_r(names, " ", &save); name && strcmp(name, "RetransSegs"); column++)
		name = strtok_r(NULL, " ", &save);
	must(name != NULL);
	for (name = strtok_r(values, " ", &save); column--;)
		name = strtok_r(NULL, " ", &save);
	return atol(name);
}

/* Sockets of this namespace that are neither listening nor closed. */
static int unfinished(void)
{
	FILE *f = fopen("/proc/thread-self/net/tcp", "r");
	char line[512];
	unsigned int state;
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*d: %*s %*s %x", &state) == 1)
			n += state != TCP_TIME_WAIT && state != TCP_LISTEN;
	must(f != NULL);
	fclose(f);
	return n;
}

static void talk(int listener, const struct sockaddr_in *sa)
{
	int c = socket(AF_INET, SOCK_STREAM, 0), one = 1, a;

	must(!setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	must(!connect(c, (const void *)sa, sizeof(*sa)));
	a = accept(listener, NULL, NULL);
	must(a >= 0);
	for (int i = 0; i < PIECES; i++)
		must(write(c, data, PIECE) == PIECE);
	read_all(a, PIECES * PIECE);
	must(!shutdown(c, SHUT_WR) && read(a, data, 1) == 0);
	close(a);
	must(read(c, data, 1) == 0);
	close(c);
}

int main(void)
{
	long bytes = (long)CONNECTIONS * PIECES * PIECE;
	struct sockaddr_in sa;
	int listener;

	must(!unshare(CLONE_NEWNET) && !lose(lo_up()));
	listener = bound(SOCK_STREAM, &sa);
	must(!listen(listener, 8));
	for (int i = 0; i < CONNECTIONS; i++)
		talk(listener, &sa);
	while (unfinished())
		usleep(50000);
	expect_begin("loss", "loss", getpid());
	expect_add("],\"retransmits\":%ld,\"connections\":[", retransmitted());
	expect_conn("tcp", "opened", "closed", CONNECTIONS, 0, bytes);
	expect_conn("tcp", "accepted", "closed", CONNECTIONS, bytes, 0);
	expect_add("],\"exit_code\":0,\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n");
	expect_write();
	return 0;
}
