// SPDX-License-Identifier: GPL-2.0-or-later
/* main_signals.c: signals end a run without a screen, the first gracefully, the second at once. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "tui/main/main.h"

static int wake_pipe[2] = { -1, -1 };
static volatile sig_atomic_t interrupted, reload;

/* The second one kills, whatever hangs. */
static void on_signal(int sig)
{
	int saved = errno;

	interrupted = 1;
	if (write(wake_pipe[1], "", 1) < 0) {
		/* the pipe is full, hence readable: sufficient */
	}
	errno = saved;
}

static void on_reload(int sig)
{
	int saved = errno;

	reload = 1;
	if (write(wake_pipe[1], "", 1) < 0) {
		/* as above */
	}
	errno = saved;
}

void main_catch_reload(void)
{
	struct sigaction sa = { .sa_handler = on_reload, .sa_flags = SA_RESTART }, old;

	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &sa, NULL);
}

bool main_take_reload(void)
{
	char byte;

	if (!reload)
		return false;
	reload = 0;
	/* a signal ending the run may have come first: its byte remains */
	if (!interrupted && read(wake_pipe[0], &byte, 1) < 0)
		return true;
	return true;
}

bool main_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old;

		/* nohup, or a script's background job: ignored signals stay ignored */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
	return true;
}

int main_signal_fd(void)
{
	return wake_pipe[0];
}

bool main_interrupted(void)
{
	return interrupted;
}
