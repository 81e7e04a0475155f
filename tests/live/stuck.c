// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stuck.c: one kind of wait each, for waits.test.
 *
 *	stuck KIND [PATH]	prints "PID [OTHER...]" when all is set up, then waits in the call
 *
 * OTHER is the process or thread that it waits for, where there is one. It is built with -g: gdb
 * prints who holds the mutex.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *path;
static char byte;

static void say(long other)
{
	if (other)
		printf("%d %ld\n", getpid(), other);
	else
		printf("%d\n", getpid());
	fflush(stdout);
}

/* A child that only sleeps, and dies with its parent. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "stuck-other");
	for (;;)
		pause();
}

static void do_pipe_read(void)
{
	int p[2];
	pid_t other;

	if (pipe(p))
		exit(1);
	other = sleeper();
	close(p[1]);
	say(other);
	(void)!read(p[0], &byte, 1);
}

static void do_pipe_write(void)
{
	static char block[1 << 20];
	int p[2];
	pid_t other;

	if (pipe(p))
		exit(1);
	other = sleeper();
	close(p[0]);
	say(other);
	(void)!write(p[1], block, sizeof(block));
}

static void do_pipe_self(void)
{
	int p[2];

	if (pipe(p))
		exit(1);
	say(0);
	(void)!read(p[0], &byte, 1);
}

static void do_fifo_open(void)
{
	say(0);
	(void)!open(path, O_RDONLY);
}

static void do_fifo_read(void)
{
	int fd = open(path, O_RDWR);
	pid_t other = sleeper();

	close(fd);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	fcntl(fd, F_SETFL, 0);
	say(other);
	(void)!read(fd, &byte, 1);
}

static int listener(struct sockaddr_in *a)
{
	socklen_t n = sizeof(*a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(fd, (void *)a, sizeof(*a)) || listen(fd, 8) || getsockname(fd, (void *)a, &n))
		exit(1);
	return fd;
}

/* Prints the port too. */
static void do_tcp(void)
{
	struct sockaddr_in a;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), s;
	pid_t other;

	if (connect(c, (void *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0)
		exit(1);
	close(l);
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "stuck-other");
		close(c);
		for (;;)
			pause();
	}
	close(s);
	printf("%d %d %d\n", getpid(), other, ntohs(a.sin_port));
	fflush(stdout);
	(void)!recv(c, &byte, 1, 0);
}

static void do_accept(void)
{
	struct sockaddr_in a;
	int l = listener(&a);

	printf("%d 0 %d\n", getpid(), ntohs(a.sin_port));
	fflush(stdout);
	accept(l, NULL, NULL);
}

static void do_unix(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), s;
	pid_t other;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (bind(l, (void *)&a, sizeof(a)) || listen(l, 8) || connect(c, (void *)&a, sizeof(a)) ||
	    (s = accept(l, NULL, NULL)) < 0)
		exit(1);
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "stuck-other");
		close(c);
		for (;;)
			pause();
	}
	close(s);
	close(l);
	say(other);
	(void)!read(c, &byte, 1);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile pid_t holder;

static void *hold(void *arg)
{
	pthread_mutex_lock(&mutex);
	holder = gettid();
	for (;;)
		pause();
	return NULL;
}

static void wait_for_mutex(int type, int protocol, int robust)
{
	pthread_mutexattr_t attr;
	pthread_t t;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setprotocol(&attr, protocol);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutex_init(&mutex, &attr);
	pthread_create(&t, NULL, hold, NULL);
	while (!holder)
		usleep(1000);
	say(holder);
	pthread_mutex_lock(&mutex);
}

static void do_mutex(void)
{
	wait_for_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
}

static void do_mutex_pi(void)
{
	wait_for_mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
}

static void do_mutex_robust(void)
{
	wait_for_mutex(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
}

static void do_cond(void)
{
	pthread_mutex_lock(&mutex);
	say(0);
	pthread_cond_wait(&cond, &mutex);
}

static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;

static void *embrace(void *arg)
{
	pthread_mutex_lock(&second);
	holder = gettid();
	pthread_mutex_lock(&mutex);
	return NULL;
}

static void do_deadlock(void)
{
	pthread_t t;

	pthread_mutex_lock(&mutex);
	pthread_create(&t, NULL, embrace, NULL);
	while (!holder)
		usleep(1000);
	say(holder);
	pthread_mutex_lock(&second);
}

static void *linger(void *arg)
{
	holder = gettid();
	for (;;)
		pause();
	return NULL;
}

static void do_join(void)
{
	pthread_t t;

	pthread_create(&t, NULL, linger, NULL);
	while (!holder)
		usleep(1000);
	say(holder);
	pthread_join(t, NULL);
}

/* Another process holds the lock; it reports that through a pipe. */
static void lock_in_child(int use_fcntl)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int p[2], fd;
	pid_t other;

	if (pipe(p))
		exit(1);
	other = fork();
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "stuck-other");
		if (use_fcntl ? fcntl(fd, F_SETLK, &l) : flock(fd, LOCK_EX))
			exit(1);
		(void)!write(p[1], "x", 1);
		for (;;)
			pause();
	}
	(void)!read(p[0], &byte, 1);
	say(other);
	if (use_fcntl)
		fcntl(fd, F_SETLKW, &l);
	else
		flock(fd, LOCK_EX);
}

static void do_flock(void)
{
	lock_in_child(0);
}

static void do_fcntl(void)
{
	lock_in_child(1);
}

static void do_child(void)
{
	pid_t other = sleeper();

	say(other);
	waitpid(other, NULL, 0);
}

static void do_any_child(void)
{
	siginfo_t i;
	pid_t other = sleeper();

	say(other);
	waitid(P_ALL, 0, &i, WEXITED);
}

static int timer(int seconds)
{
	struct itimerspec ts = { .it_value.tv_sec = seconds };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	timerfd_settime(fd, 0, &ts, NULL);
	return fd;
}

static void do_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0), s[2];

	for (int i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
			exit(1);
		epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &e);
	}
	epoll_ctl(ep, EPOLL_CTL_ADD, timer(3600), &e);
	say(0);
	epoll_wait(ep, &e, 1, -1);
}

static void do_poll(void)
{
	struct pollfd fds[3] = {};
	int p[2], s[2];

	if (pipe(p) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		exit(1);
	for (int i = 0; i < 3; i++)
		fds[i].events = POLLIN;
	fds[0].fd = p[0];
	fds[1].fd = s[0];
	fds[2].fd = -1;
	say(0);
	poll(fds, 3, -1);
}

static void do_select(void)
{
	fd_set set;
	int p[2];
	pid_t other;

	if (pipe(p))
		exit(1);
	other = sleeper();
	close(p[1]);
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	say(other);
	select(p[0] + 1, &set, NULL, NULL, NULL);
}

static void do_sleep(void)
{
	struct timespec ts = { .tv_sec = 300 };

	say(0);
	nanosleep(&ts, NULL);
}

static void do_until(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 300;
	say(0);
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL);
}

static void do_pause(void)
{
	say(0);
	pause();
}

static void do_eventfd(void)
{
	unsigned long long n;
	int fd = eventfd(0, 0);

	say(0);
	(void)!read(fd, &n, 8);
}

static void do_timerfd(void)
{
	unsigned long long n;
	int fd = timer(300);

	say(0);
	(void)!read(fd, &n, 8);
}

static void do_signalfd(void)
{
	struct signalfd_siginfo i;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, 0);
	say(0);
	(void)!read(fd, &i, sizeof(i));
}

static void do_inotify(void)
{
	char buf[4096];
	int fd = inotify_init();

	say(0);
	(void)!read(fd, buf, sizeof(buf));
}

static void do_tty(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY), t;

	if (grantpt(fd) || unlockpt(fd) || (t = open(ptsname(fd), O_RDWR | O_NOCTTY)) < 0)
		exit(1);
	printf("%d 0 %s\n", getpid(), ptsname(fd));
	fflush(stdout);
	(void)!read(t, &byte, 1);
}

static void do_semaphore(void)
{
	struct sembuf op = { .sem_num = 1, .sem_op = -1 };
	int id = semget(IPC_PRIVATE, 2, 0600);

	printf("%d 0 %d\n", getpid(), id);
	fflush(stdout);
	semop(id, &op, 1);
}

static void do_queue(void)
{
	struct { long type; char text[8]; } m;
	int id = msgget(IPC_PRIVATE, 0600);

	printf("%d 0 %d\n", getpid(), id);
	fflush(stdout);
	msgrcv(id, &m, sizeof(m.text), 0, 0);
}

static void do_vfork(void)
{
	pid_t pid = getpid();

	printf("%d\n", pid);
	fflush(stdout);
	if (!vfork()) {
		struct timespec ts = { .tv_sec = 600 };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		syscall(SYS_nanosleep, &ts, NULL);
		_exit(0);
	}
}

/* Each waits for the other to write. */
static void do_mutual(void)
{
	int a[2], b[2];
	pid_t other;

	if (pipe(a) || pipe(b))
		exit(1);
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "stuck-other");
		close(a[1]);
		close(b[0]);
		(void)!read(a[0], &byte, 1);
		exit(0);
	}
	close(a[0]);
	close(b[1]);
	say(other);
	(void)!read(b[0], &byte, 1);
}

static struct pollfd *hidden;

static void *poll_hidden(void *arg)
{
	holder = gettid();
	poll(hidden, 1, -1);
	return NULL;
}

/* A poll(2) set in memory that hangs every reader. */
static void do_unreadable(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC), p[2];
	pthread_t t;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || pipe(p)) {
		printf("%d 0 no-userfaultfd\n", getpid());
		fflush(stdout);
		return;
	}
	hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hidden->fd = p[0];
	hidden->events = POLLIN;
	pthread_create(&t, NULL, poll_hidden, NULL);
	while (!holder)
		usleep(1000);
	usleep(200000);		/* poll has copied its set */
	reg.range.start = (unsigned long)hidden;
	reg.range.len = 4096;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg) || madvise(hidden, 4096, MADV_DONTNEED))
		exit(1);
	say(holder);
	pause();
}

#define MODE(name) { #name, do_##name }
static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	MODE(pipe_read), MODE(pipe_write), MODE(pipe_self), MODE(fifo_open), MODE(fifo_read), MODE(tcp),
	MODE(accept), MODE(unix), MODE(mutex), MODE(mutex_pi), MODE(mutex_robust), MODE(cond),
	MODE(deadlock), MODE(join), MODE(flock), MODE(fcntl), MODE(child), MODE(any_child), MODE(epoll),
	MODE(poll), MODE(select), MODE(sleep), MODE(until), MODE(pause), MODE(eventfd), MODE(timerfd),
	MODE(signalfd), MODE(inotify), MODE(tty), MODE(semaphore), MODE(queue), MODE(vfork),
	MODE(mutual), MODE(unreadable),
};

int main(int argc, char **argv)
{
	path = argc > 2 ? argv[2] : NULL;
	for (unsigned i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name)) {
			modes[i].run();
			return 0;
		}
	return 2;
}
