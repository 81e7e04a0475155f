# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the terminal tests: TAP, a private tmux, a bare pseudo-terminal, load programs.

`Pane` is the real ottop inside tmux: keys by name, the screen as text, always waited for and
never timed. `Pty` is a terminal without an emulator: it holds the raw bytes. Everything a test
starts is ended by close(), also when the test dies half-way."""
import atexit
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.path.abspath(os.environ.get('OTTOP', os.path.join(ROOT, 'build', 'ottop')))
BUILT = os.path.join(ROOT, 'build', 'terminal')
WAIT = 60           # generous seconds for what should take one: only a hang takes so long on a busy machine
CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 21, 38, 39

open_things = []


@atexit.register
def close_all():
    while open_things:
        open_things.pop().close()


def on_end(signum, frame):
    print('# ended by signal %d' % signum, flush=True)
    sys.exit(1)         # runs close_all


signal.signal(signal.SIGTERM, on_end)
signal.signal(signal.SIGINT, on_end)
signal.signal(signal.SIGHUP, on_end)


# ---- TAP --------------------------------------------------------------------

class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, *details):
        """One test. `details` (a Pane shows its screen) are printed when it fails."""
        self.n += 1
        print('%s %d - %s' % ('ok' if good else 'not ok', self.n, name), flush=True)
        if not good:
            self.failed += 1
            for d in details:
                self.say('\n'.join(d.screen()) if isinstance(d, Pane) else d)
        return bool(good)

    def equal(self, got, want, name, *details):
        return self.ok(got == want, name, 'got  %r' % (got,), 'want %r' % (want,), *details)

    def skip(self, name, why):
        self.n += 1
        print('ok %d - %s # SKIP %s' % (self.n, name, why), flush=True)

    def say(self, text):
        for line in str(text)[:16000].splitlines() or ['']:
            print('#     ' + line, flush=True)

    def end(self):
        print('1..%d' % self.n)
        sys.exit(1 if self.failed else 0)


def cannot_observe():
    """Why nothing can be observed here, found without ottop; None if it must work."""
    with open('/proc/self/status') as f:
        caps = [int(line.split()[1], 16) for line in f if line.startswith('CapEff')][0]
    release = [int(n) for n in re.findall(r'\d+', os.uname().release)[:2]]
    if not caps >> CAP_SYS_ADMIN & 1 and not (caps >> CAP_BPF & caps >> CAP_PERFMON & 1):
        return 'not root: CAP_BPF and CAP_PERFMON are missing'
    if release < [5, 15]:
        return 'kernel older than 5.15'
    if not os.path.exists('/sys/kernel/btf/vmlinux'):
        return 'this kernel has no BTF'
    if os.stat('/proc/self/ns/pid').st_ino != 0xeffffffc:
        return 'not in the initial pid namespace: pids differ'
    return None


def begin(need_root=True, need_tmux=True):
    """The Tap of this test; ends the test here when it cannot run."""
    tap = Tap()
    why = cannot_observe() if need_root else None
    if need_tmux and not shutil.which('tmux'):
        why = 'tmux is not installed'
    if why:
        tap.skip(os.path.basename(sys.argv[0]), why)
        tap.end()
    if not os.access(BINARY, os.X_OK):
        tap.ok(False, '%s is there: run make' % BINARY)
        tap.end()
    return tap


def poll(condition, seconds=WAIT, every=0.1):
    """Waits until condition() is true; its last value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)


# ---- programs ----------------------------------------------------------------

class Started:
    """A load program that is ended with the test."""

    def __init__(self, *argv, **kw):
        self.p = subprocess.Popen(list(argv), stdin=kw.pop('stdin', subprocess.DEVNULL),
                                  stdout=kw.pop('stdout', subprocess.DEVNULL), **kw)
        self.pid = self.p.pid
        open_things.append(self)

    def close(self):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()


def program():
    """Path of tests/terminal/work.c, compiled."""
    source, out = os.path.join(HERE, 'work.c'), os.path.join(BUILT, 'work')
    if os.path.exists(out) and os.path.getmtime(out) > os.path.getmtime(source):
        return out
    os.makedirs(BUILT, exist_ok=True)
    temporary = '%s.%d' % (out, os.getpid())
    subprocess.run(['gcc', '-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-o', temporary, source],
                   check=True)
    os.rename(temporary, out)       # two tests may build it at once
    return out


def work(*argv):
    return Started(program(), *argv)


def temporary_folder():
    """A world-readable folder that is removed at the end."""
    d = tempfile.mkdtemp(prefix='ottop-terminal-')
    os.chmod(d, 0o755)
    open_things.append(type('Folder', (), {'close': lambda self: shutil.rmtree(d, True)})())
    return d


def record(path, n=4, interval=0.5, *options):
    """Records n intervals into path."""
    done = subprocess.run([BINARY, '--record', path, '-n', str(n), '-d', str(interval), *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=180)
    if done.returncode:
        raise RuntimeError('--record ended with %d: %s' % (done.returncode, done.stderr))
    return path


# ---- processes -----------------------------------------------------------------

def stat_of(pid):
    """(state, user + system ticks) of a process; None if it has ended."""
    try:
        with open('/proc/%d/stat' % pid, errors='replace') as f:
            fields = f.read().rsplit(')', 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[11]) + int(fields[12])


def is_alive(pid):
    s = stat_of(pid)
    return s is not None and s[0] not in 'ZX'


def children(pid):
    """pids of all descendants of pid, nearest first."""
    found, parents = [], [pid]
    of = {}
    for d in os.listdir('/proc'):
        if d.isdigit():
            try:
                with open('/proc/%s/stat' % d, errors='replace') as f:
                    of.setdefault(int(f.read().rsplit(')', 1)[1].split()[1]), []).append(int(d))
            except (FileNotFoundError, ProcessLookupError):
                pass
    while parents:
        below = of.get(parents.pop(0), [])
        found += below
        parents += below
    return found


def is_ottop(pid):
    try:
        return os.path.realpath('/proc/%d/exe' % pid) == os.path.realpath(BINARY)
    except OSError:
        return False


# ---- width ----------------------------------------------------------------------

def width(text):
    """Cells of a line, as counted by a terminal."""
    n = 0
    for c in text:
        if unicodedata.combining(c) or unicodedata.category(c) in ('Mn', 'Me', 'Cf'):
            continue
        n += 2 if unicodedata.east_asian_width(c) in 'WF' else 1
    return n


def cell_of(line, text):
    """The cell (not the character) at which text starts in line, -1: nowhere."""
    at = line.find(text)
    return -1 if at < 0 else width(line[:at])


# ---- bytes that harm a terminal -----------------------------------------------------

RAW = (b'\x1b]0;', b'\x1b]52', b'\x1bP', b'\x1b#8', b'\x1bc', b'owned\x07', b'\x1b[2J\x1b[1;1H', b'\xff', b'\xed\xa0\x80', b'\xc0\x80',
       b'\xc2\x9b', b'\xc2\x9d', b'\xc2\x9c', b'\x05', b'\x18', b'\x1a', b'\x0b', b'\x7f',
       *(c.encode() for c in '\u202e\u202c\u2066\u2067\u2069\u200f\u061c\u200b\u2060\ufeff\u2028\u2029\ufff9\U000e0041\u180e'))


def raw_in(data):
    """Hostile bytes found in a stream written to a terminal."""
    found = [b for b in RAW if b in data]
    try:
        data.decode('utf-8')
    except UnicodeDecodeError as e:
        if e.end < len(data) - 4:       # the end of the stream may be cut
            found.append(b'not UTF-8 at %d: %r' % (e.start, data[e.start - 20:e.end + 20]))
    return found


# ---- tmux ------------------------------------------------------------------------

class Pane:
    """A pane of a private tmux server, with a shell or a program."""

    def __init__(self, cols=80, rows=24, argv=None, env=None, term='tmux-256color'):
        self.cols, self.rows = cols, rows
        e = {k: v for k, v in os.environ.items()
             if not k.startswith('LC_') and k not in ('TMUX', 'TERM', 'NO_COLOR', 'COLORTERM',
                                                      'COLORFGBG', 'LANG')}
        e.update(LANG='C.UTF-8', TERM='xterm-256color', PS1='ready$ ')
        config = ['set -g default-terminal %s' % term, 'set -g status off',
                  'set -s escape-time 5', 'set -g history-limit 100']
        self.folder = temporary_folder()
        self.socket = os.path.join(self.folder, 'ottop-test')   # a private server
        path = os.path.join(self.folder, 'tmux.conf')
        with open(path, 'w') as f:
            f.write('\n'.join(config) + '\n')
        extra = dict({'COLORTERM': '', 'LANG': 'C.UTF-8'}, **(env or {}))
        set_env = ['env'] + ['-u' + k for k, v in extra.items() if v is None] + [
            '%s=%s' % (k, v) for k, v in extra.items() if v is not None]
        self.tmux('-f', path, 'new-session', '-d', '-s', 'a', '-x', str(cols), '-y', str(rows),
                  *set_env, *(argv or ['bash', '--norc', '--noprofile', '-i']), env=e)
        open_things.append(self)

    def tmux(self, *argv, env=None, check=True):
        done = subprocess.run(['tmux', '-u', '-S', self.socket, *argv], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        if check and done.returncode:
            raise RuntimeError('tmux %s: %s' % (' '.join(argv), done.stderr.decode()))
        return done.stdout.decode('utf-8', 'replace')

    def show(self, what):
        return self.tmux('display-message', '-p', '-t', 'a', what).rstrip('\n')

    def alive(self):
        """Is the program of this pane still running? (The last one ends the server with it.)"""
        return bool(self.tmux('list-panes', check=False))

    def pid(self):
        return int(self.show('#{pane_pid}'))

    def server_pid(self):
        return int(self.show('#{pid}'))

    def ottop(self):
        """pid of the console in this pane, not of its helpers; None: not running."""
        me = [p for p in [self.pid()] + children(self.pid()) if is_ottop(p)]
        return me[0] if me else None

    def keys(self, *names):
        """Keys by tmux's names: Enter, BSpace, Escape, Up, C-z, 7."""
        for name in names:
            self.tmux('send-keys', '-t', 'a', name)
        return self

    def type(self, text):
        """Types text, as numbers: otherwise a search would find the tmux that types it."""
        self.tmux('send-keys', '-t', 'a', '-H', *('%x' % b for b in text.encode()))
        return self

    def run(self, command):
        """A line for the shell in this pane."""
        return self.type(command).keys('Enter')

    def screen(self):
        return self.tmux('capture-pane', '-p', '-t', 'a').rstrip('\n').split('\n')

    def cells(self):
        """The screen with its colours, as escape sequences."""
        return self.tmux('capture-pane', '-e', '-p', '-t', 'a')

    def text(self):
        return '\n'.join(self.screen())

    def wait(self, pattern, seconds=WAIT):
        """Waits until the pattern (a regular expression or a function of the screen's text) is on
        the screen; the match, or None."""
        test = pattern if callable(pattern) else re.compile(pattern, re.M).search
        return poll(lambda: test(self.text()), seconds)

    def line(self, pattern, seconds=WAIT):
        """Waits for a matching line; '' if there is none."""
        test = re.compile(pattern).search
        return poll(lambda: next((l for l in self.screen() if test(l)), ''), seconds)

    def selected(self):
        """The line with the selection bar."""
        return next((l for l in self.screen() if l[:1] in ('▌', '>')), '')

    def bar(self):
        """Line and text of the selection bar."""
        return next(((i, l[:30]) for i, l in enumerate(self.screen()) if l[:1] in ('▌', '>')), None)

    def walk_to(self, pattern, most=400):
        """g, then Down until the bar is on a matching row. Waits for the screen after each key: an
        old one may have the bar on that row, too. Where rows move, pause first."""
        def first():
            lines = self.screen()
            title = next((i for i, l in enumerate(lines) if re.search(r'\bPID\b', l)), None)
            return title is not None and title + 1 < len(lines) and lines[title + 1][:1] in ('▌', '>')
        self.keys('g')
        poll(first)
        for _ in range(most):
            if re.search(pattern, self.selected()):
                return True
            before = self.bar()
            self.keys('Down')
            if not poll(lambda: self.bar() != before, 10):
                return False        # the last row
        return False

    def resize(self, cols, rows):
        self.tmux('resize-window', '-t', 'a', '-x', str(cols), '-y', str(rows))
        self.cols, self.rows = cols, rows
        return self

    def stream(self):
        """From now on, everything written to the terminal goes to the returned file."""
        path = os.path.join(self.folder, 'stream')
        self.tmux('pipe-pane', '-t', 'a', '-O', 'cat >%s' % path)
        return path

    def close(self):
        self.tmux('kill-server', check=False)
        if self in open_things:
            open_things.remove(self)


def console(cols=80, rows=24, *options, **kw):
    """ottop in a pane of its own, without a shell."""
    return Pane(cols, rows, argv=[BINARY, *options], **kw)


def sorted_by(p):
    """The sort column by the context line or the titles; None: neither has room for it."""
    m = re.search(r'sort (\S+)[▾▴]', p.text()) or re.search(
        r'(\S+)[▾▴]', next((t for t in p.screen() if re.match(r'[ +-]*PID ', t)), ''))
    return m[1] if m else None


def sort_by(p, column):
    """Presses > until that column is the sorted one; how often, or None."""
    for pressed in range(20):
        before = poll(lambda: sorted_by(p), 5)
        if before in (column, None):
            return pressed if before else None
        p.keys('>')
        poll(lambda: sorted_by(p) != before, 5)
    return None


# ---- a bare terminal ----------------------------------------------------------------

class Pty:
    """A program on a pseudo-terminal that keeps every byte it writes."""

    def __init__(self, argv, cols=80, rows=24, env=None, stdin=None, answer=None):
        """answer(bytes so far): called after each piece; its result is typed."""
        e = {k: v for k, v in os.environ.items()
             if k not in ('NO_COLOR', 'COLORTERM', 'COLORFGBG', 'LC_ALL', 'TMUX')}
        e.update({'TERM': 'xterm-256color', 'LANG': 'C.UTF-8'}, **(env or {}))
        e = {k: v for k, v in e.items() if v is not None}
        self.data, self.status, self.answer = b'', None, answer
        self.reads = True
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))
                if stdin:
                    os.dup2(os.open(stdin, os.O_RDONLY), 0)
                os.execvpe(argv[0], argv, e)
            finally:
                os._exit(127)
        open_things.append(self)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while self.reads:
            try:
                if not select.select([self.fd], [], [], 0.2)[0]:
                    continue
                piece = os.read(self.fd, 65536)
            except (OSError, ValueError):
                return
            if not piece:
                return
            self.data += piece
            if self.answer:
                back = self.answer(self.data)
                if back:
                    os.write(self.fd, back)

    def write(self, data):
        os.write(self.fd, data)

    def stop_reading(self):
        self.reads = False
        self.reader.join()

    def wait_for(self, data, seconds=WAIT):
        return poll(lambda: data in self.data, seconds)

    def ended(self, seconds=WAIT):
        """Waits for the end; the exit status, -N for a signal, None if it still runs."""
        def reap():
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = os.waitstatus_to_exitcode(status)
            return self.status is not None
        poll(reap, seconds, 0.05)
        if self.status is not None:
            self.reader.join(2)     # its last bytes are still being read
        return self.status

    def hang_up(self):
        """The terminal disappears, as when the emulator or the connection dies."""
        self.stop_reading()
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def close(self):
        if self.status is None and self.ended(0) is None:
            os.kill(self.pid, signal.SIGKILL)
            self.ended(5)
        self.hang_up()
        if self in open_things:
            open_things.remove(self)
