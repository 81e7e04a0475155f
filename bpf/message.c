// SPDX-License-Identifier: GPL-2.0-or-later
/* message.c: messages with a descriptor over a SOCK_SEQPACKET pair; unix(7), cmsg(3). */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/message.h"

int message_send(int sock, const void *data, size_t n, int fd, int flags)
{
	struct iovec io = { (void *)data, n };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = control.buf;
		m.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(sock, &m, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int message_receive(int sock, void *data, size_t cap, int *ret_fd, int flags)
{
	struct iovec io = { data, cap };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	struct pollfd wait = { .fd = sock, .events = POLLIN };
	ssize_t n;

	/* waiting for work is poll's business: in recvmsg it would look like a call that hangs */
	if (!(flags & MSG_DONTWAIT))
		while (poll(&wait, 1, -1) < 0 && errno == EINTR)
			;
	n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	*ret_fd = -1;
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	return (int)n;
}
