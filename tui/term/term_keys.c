// SPDX-License-Identifier: GPL-2.0-or-later
/* term_keys.c: bytes and signals become keys; unknown sequences are dropped. */
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "tui/term/key_codes.h"
#include "tui/term/term_parts.h"

static u32 from_curses(wint_t ch)
{
	static const struct { int curses; u32 key; } map[] = {
		{ KEY_ENTER, K_ENTER }, { KEY_BACKSPACE, K_BACKSPACE }, { KEY_BTAB, K_BACKTAB },
		{ KEY_DC, K_DEL }, { KEY_IC, K_INSERT }, { KEY_UP, K_UP }, { KEY_DOWN, K_DOWN },
		{ KEY_LEFT, K_LEFT }, { KEY_RIGHT, K_RIGHT }, { KEY_PPAGE, K_PGUP },
		{ KEY_NPAGE, K_PGDN }, { KEY_HOME, K_HOME }, { KEY_END, K_END },
		{ KEY_SR, K_UP }, { KEY_SF, K_DOWN },
	};

	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		if ((wint_t)map[i].curses == ch)
			return map[i].key;
	if (ch >= KEY_F(1) && ch <= KEY_F(12))
		return K_F1 + (u32)(ch - KEY_F(1));
	return K_NONE;
}

static u32 from_char(wint_t ch)
{
	switch (ch) {
	case '\r':
	case '\n':
		return K_ENTER;
	case '\t':
		return K_TAB;
	case 0x7f:
	case 0x08:
		return K_BACKSPACE;
	case 0x1b:
		return K_ESC;
	}
	return ch < ' ' ? K_CTRL + 'a' - 1 + (u32)ch : (u32)ch;
}

/* A late answer of the terminal ("ESC ] 11 ; ... BEL"): not keys. */
static void drop_answer(struct terminal *t)
{
	wint_t ch, before = 0;

	for (int i = 0; i < 64 && wget_wch(t->keys, &ch) != ERR; i++) {
		if (ch == 7 || (before == 0x1b && ch == '\\'))
			return;
		before = ch;
	}
}

/* A late answer about a mode: "ESC [ ? 2026 ; 2 $ y". */
static bool is_mode_answer(struct terminal *t)
{
	wint_t ch;

	if (wget_wch(t->keys, &ch) == ERR)
		return false;
	if (ch != '?') {
		unget_wch((wchar_t)ch);
		return false;
	}
	for (int i = 0; i < 16 && wget_wch(t->keys, &ch) != ERR && ch != 'y'; i++)
		;
	return true;
}

static u32 after_escape(struct terminal *t)
{
	wint_t ch;

	if (wget_wch(t->keys, &ch) == ERR)
		return K_ESC;
	if (ch == ']') {
		drop_answer(t);
		return K_NONE;
	}
	if (ch == '[' && is_mode_answer(t))
		return K_NONE;
	unget_wch((wchar_t)ch);
	return K_ESC;
}

/* Readable without a byte: the other side closed. */
static bool input_gone(const struct terminal *t)
{
	struct pollfd p = { .fd = t->in_fd, .events = POLLIN };
	int n = 0;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
		return true;
	return ioctl(t->in_fd, FIONREAD, &n) < 0 || !n;
}

static void restart(struct terminal *t)
{
	termio_raw(t->in_fd);
	term_find_size(t);
	resize_term(t->rows, t->cols);
	clearok(curscr, TRUE);
	wrefresh(stdscr);
	curs_set(0);
	term_send(t);
}

static u32 signal_key(struct terminal *t)
{
	switch (termio_event()) {
	case EV_END:
		return K_CLOSED;
	case EV_SUSPEND:
		return K_CTRL + 'z';
	case EV_CONTINUE:
		restart(t);
		return K_RESIZE;
	case EV_RESIZE:
		term_find_size(t);
		resize_term(t->rows, t->cols);
		return K_RESIZE;
	case EV_NONE:
		break;
	}
	return K_NONE;
}

u32 term_key(struct terminal *t)
{
	u32 key = t->gone ? K_CLOSED : signal_key(t);
	wint_t ch;
	int r;

	if (key != K_NONE)
		return key;
	if (!typeahead_take(&t->ahead))
		return K_CTRL + 'c';
	for (;;) {
		r = wget_wch(t->keys, &ch);
		if (r == ERR)
			return input_gone(t) ? K_CLOSED : K_NONE;
		key = r == KEY_CODE_YES ? from_curses(ch) : from_char(ch);
		if (key == K_ESC)
			key = after_escape(t);
		if (key != K_NONE)
			return key;
	}
}

void term_suspend(struct terminal *t)
{
	term_leave_screen(t);
	termio_cooked();
	signal(SIGTSTP, SIG_DFL);
	if (kill(0, SIGTSTP) < 0)
		raise(SIGSTOP);
	/* Stops here until SIGCONT; without job control it continues at once. */
	termio_signals_watch();
	restart(t);
}
