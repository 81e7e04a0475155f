# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the live tests: TAP, the running ottop, building load programs.

A test starts an `Ottop`, which returns after the first line: what begins then is observed from
its birth. It runs a program that knows what it did, waits until ottop has closed that program's
rows, and compares."""
import ctypes
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.environ.get('OTTOP', os.path.join(ROOT, 'build', 'ottop'))
BUILT = os.path.join(ROOT, 'build', 'live')
PAGE = os.sysconf('SC_PAGESIZE')
CPUS = os.sysconf('SC_NPROCESSORS_ONLN')
HZ = os.sysconf('SC_CLK_TCK')
PR_SET_PDEATHSIG = 1
PATIENCE = 90       # generous seconds for what should take one: only a hang takes so long on a busy machine
LIBC = ctypes.CDLL(None, use_errno=True)
CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 21, 38, 39


# Output of Python programs is unbuffered.
os.environ.setdefault('PYTHONUNBUFFERED', '1')


# ---- TAP --------------------------------------------------------------------

class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, *details):
        """One test. `details` (what was seen instead) are printed on failure."""
        self.n += 1
        print('%s %d - %s' % ('ok' if good else 'not ok', self.n, name), flush=True)
        if not good:
            self.failed += 1
            for d in details:
                self.say(d)
        return bool(good)

    def equal(self, got, want, name, *details):
        return self.ok(got == want, name, 'got  %s' % (got,), 'want %s' % (want,), *details)

    def near(self, got, want, tolerance, name, *details):
        good = got is not None and want is not None and abs(got - want) <= tolerance
        return self.ok(good, '%s (%s, expected %s +- %s)' % (name, short(got), short(want),
                                                            short(tolerance)), *details)

    def skip(self, name, why):
        self.n += 1
        print('ok %d - %s # SKIP %s' % (self.n, name, why), flush=True)

    def say(self, text):
        for line in str(text)[:4000].splitlines() or ['']:
            print('#     ' + line, flush=True)

    def end(self):
        print('1..%d' % self.n)
        sys.exit(1 if self.failed else 0)


def short(v):
    return '%.4g' % v if isinstance(v, float) else str(v)


def cannot_observe():
    """Why no live test can run here, found without ottop; None if they can."""
    with open('/proc/self/status') as f:
        caps = [int(line.split()[1], 16) for line in f if line.startswith('CapEff')][0]
    release = os.uname().release.split('.')
    if not caps >> CAP_SYS_ADMIN & 1 and not (caps >> CAP_BPF & caps >> CAP_PERFMON & 1):
        return 'not root: CAP_BPF and CAP_PERFMON are missing'
    if (int(release[0]), int(release[1])) < (5, 15):
        return 'kernel older than 5.15'
    if not os.path.exists('/sys/kernel/btf/vmlinux'):
        return 'this kernel has no BTF'
    if os.stat('/proc/self/ns/pid').st_ino != 0xeffffffc:
        return 'not in the initial pid namespace: pids differ'
    return None


def begin(need_root=True):
    """The Tap of this test; ends the test if nothing can be observed."""
    tap = Tap()
    why = cannot_observe()
    if need_root and why:
        tap.skip(os.path.basename(sys.argv[0]), why)
        tap.end()
    if not os.access(BINARY, os.X_OK):
        tap.ok(False, '%s is there: run make' % BINARY)
        tap.end()
    return tap


# ---- programs ----------------------------------------------------------------

def build(name, *flags, program=None):
    """Compiles tests/live/NAME.c; returns the path of the program, called NAME or as given."""
    source, out = os.path.join(HERE, name + '.c'), os.path.join(BUILT, program or name)
    if os.path.exists(out) and os.path.getmtime(out) > os.path.getmtime(source):
        return out
    os.makedirs(BUILT, exist_ok=True)
    temporary = '%s.%d' % (out, os.getpid())
    subprocess.run(['gcc', '-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-o', temporary, source,
                    *flags, '-lpthread'], check=True)
    os.rename(temporary, out)   # two tests may build it at once
    return out


def load():
    return build('load')


def which(name):
    for d in os.environ.get('PATH', '').split(':') + ['/usr/sbin', '/sbin', '/usr/local/sbin']:
        path = os.path.join(d, name)
        if os.access(path, os.X_OK):
            return path
    return None


def debug_folder():
    """/usr/lib/debug, to mount on in a namespace; systems without debug symbols lack it. It stays,
    empty, as another test may use it."""
    os.makedirs('/usr/lib/debug', exist_ok=True)


def die_with_us():
    """In a child: dies with the test, however that ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


LAST_PID = '/proc/sys/kernel/ns_last_pid'


def fresh_pids():
    """What starts next has a pid unused in the last seconds, also after a test reset the pid count
    to reuse one."""
    with open('/proc/sys/kernel/pid_max') as f:
        most = int(f.read())
    with open(LAST_PID) as f:
        ahead = int(f.read()) + 300
    with open(LAST_PID, 'w') as f:
        f.write(str(ahead if ahead < most - 1000 else 1000))


born = {}       # pid: a moment before it was started, like start_time_ns


def spawn(*argv, **kw):
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    p = subprocess.Popen(list(argv), preexec_fn=die_with_us, **kw)
    born[p.pid] = before
    return p


class Freezer:
    """A cgroup whose members can be frozen."""
    KINDS = (('cgroup 1', '/sys/fs/cgroup/freezer', 'freezer.state', 'FROZEN', 'THAWED'),
             ('cgroup 2', '/sys/fs/cgroup/unified', 'cgroup.freeze', '1', '0'),
             ('cgroup 2', '/sys/fs/cgroup', 'cgroup.freeze', '1', '0'))

    def __init__(self, name, root, control, on, off):
        self.name, self.on, self.off = name, on, off
        self.group = '%s/ottop-test-%d' % (root, os.getpid())
        os.mkdir(self.group)
        self.control = os.path.join(self.group, control)

    @classmethod
    def all(cls):
        """One for each version that this host has mounted."""
        found = [cls(*kind) for kind in cls.KINDS if os.path.exists(kind[1] + '/cgroup.procs')]
        for f in found:
            if not os.path.exists(f.control):
                os.rmdir(f.group)
        return [f for f in found if os.path.exists(f.control)]

    @staticmethod
    def write(path, text):
        with open(path, 'w') as f:
            f.write(text)

    def add(self, pid):
        self.write(self.group + '/cgroup.procs', str(pid))

    def freeze(self):
        self.write(self.control, self.on)

    def thaw(self):
        self.write(self.control, self.off)

    def close(self):
        """Its members have ended and were waited for."""
        os.rmdir(self.group)


def start(*argv, **kw):
    """Starts a load program that waits for a line on its stdin to continue."""
    return spawn(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, **kw)


def finish(p, *lines):
    out, _ = p.communicate(''.join(l + '\n' for l in lines))
    return out


# ---- ottop ---------------------------------------------------------------------

def key_of(table, row):
    if table == 'processes':
        return row['pid'], row['start_time_ns']
    if table == 'syscalls':
        return row['pid'], row['start_time_ns'], row['nr'], row['abi']
    if table == 'threads':
        return row['pid'], row['tid'], row['start_time_ns']
    if table in ('events', 'requests'):
        return row['seq']
    if table == 'http':
        return tuple(row[k] for k in ('pid', 'start_time_ns', 'side', 'protocol', 'tls', 'method', 'path'))
    if table == 'http_durations':
        return tuple(row[k] for k in ('pid', 'start_time_ns', 'side', 'protocol', 'tls', 'method', 'call',
                                      'peer', 'status'))
    if table == 'connections':
        return row['cookie'], row['generation'], row['remote_addr'], row['remote_port']
    if table == 'interfaces':
        return row['netns'], row['name']
    if table == 'drops':
        return row['reason'], row['location']
    if table == 'cpus':
        return row['cpu']
    if table == 'frames':
        return row['id']
    if table == 'stacks':
        return (*(row[k] for k in ('pid', 'start_time_ns', 'tid', 'kind', 'whole')),
                *((f['name'], f['addr']) for f in row['frames']))
    return ()


def until(line):
    """End of a line's interval, in seconds as time.time()."""
    return int(line['time_unix_ns']) / 1e9


def since(line):
    """Its beginning."""
    return until(line) - line['interval_ns'] / 1e9


class Ottop:
    """A running `ottop --json`. rows(TABLE): the newest rows of all objects so far."""

    def __init__(self, tables='host,processes,self,syscalls,events', *options, interval=0.5,
                 wait=True, **kw):
        self.argv = [BINARY, '--json', '-v', tables, '-d', str(interval), *options]
        self.lines, self.bad = [], []
        self.newest, self.of_pid = {}, {}     # table -> key -> row; (table, pid) -> key -> row
        self.changed = threading.Condition(threading.RLock())
        self.eof = False
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE,
                                        preexec_fn=kw.pop('preexec_fn', die_with_us), **kw)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if wait and not self.wait(lambda: self.lines):
            raise RuntimeError('ottop wrote no line: %s' % self.process.stderr.read())

    def read(self):
        for raw in self.process.stdout:
            try:
                line = json.loads(raw.decode('utf-8'))
            except ValueError as e:
                self.bad.append('%s: %r' % (e, raw[:200]))
                continue
            with self.changed:
                self.lines.append(line)
                for table, t in line['tables'].items():
                    rows = self.newest.setdefault(table, {})
                    for row in t['rows']:
                        key = key_of(table, row)
                        rows[key] = row
                        self.of_pid.setdefault((table, row.get('pid')), {})[key] = row
                self.changed.notify_all()
        with self.changed:
            self.eof = True
            self.changed.notify_all()

    def wait(self, condition, seconds=PATIENCE):
        """Waits until the condition holds; checked after each line."""
        end = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = end - time.monotonic()
                if left <= 0 or self.eof:
                    return bool(condition())
                self.changed.wait(left)
        return True

    def ticks(self, n=1):
        """Waits for n lines whose interval began after now; 0: for one that ends after now. By
        their own times: on a busy machine earlier lines may still be on the way."""
        now = time.time()
        if n == 0:
            return self.wait(lambda: until(self.lines[-1]) > now)
        return self.wait(lambda: len(self.lines) >= n and since(self.lines[-n]) >= now)

    def rows(self, table, pid=None):
        """The newest row of each object, in the order of first appearance."""
        with self.changed:
            found = self.newest if pid is None else self.of_pid
            return list(found.get(table if pid is None else (table, pid), {}).values())

    def process_row(self, pid):
        """The row of our program with that pid, not of another one before or after; for other pids
        the youngest process. None: absent."""
        rows = self.rows('processes', pid)
        if pid in born:
            return min((r for r in rows if int(r['start_time_ns']) >= born[pid]),
                       key=lambda r: int(r['start_time_ns']), default=None)
        return max(rows, key=lambda r: int(r['start_time_ns']), default=None)

    def observes(self, table):
        """Its collector runs, though it may be partial, for example by others on the host."""
        return self.lines[-1]['tables'][table]['status'] in ('ok', 'partial')

    def is_closed(self, pid):
        row = self.process_row(pid)
        return bool(row and row.get('closed'))

    def wait_closed(self, *pids, seconds=PATIENCE):
        return self.wait(lambda: all(self.is_closed(p) for p in pids), seconds)

    def calls(self, pid):
        """{(abi, syscall): newest row} of the youngest process of that pid."""
        p = self.process_row(pid)
        return {(r['abi'], r['syscall']): r for r in self.rows('syscalls', pid)
                if p and r['start_time_ns'] == p['start_time_ns']}

    def counts(self, pid):
        return {name: r['count'] for (_, name), r in self.calls(pid).items()}

    def events(self, pid=None):
        return sorted(self.rows('events', pid), key=lambda e: e['seq'])

    def lost(self):
        return self.lines[-1]['tables']['self']['rows'][0]['lost']

    def stop(self, sig=signal.SIGTERM):
        """Ends it; returns (exit status, stderr)."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = 'hung after signal %d' % sig
        self.reader.join(PATIENCE)
        err = self.process.stderr.read().decode('utf-8', 'replace')
        self.process.stdout.close()
        self.process.stderr.close()
        return status, err

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.stop()


class Capture:
    """`ottop --profile` with a terminal for its progress line."""

    def __init__(self, *argv):
        self.raw = b''
        ours, theirs = pty.openpty()
        self.p = spawn(BINARY, *argv, stderr=theirs, stdin=subprocess.DEVNULL)
        os.close(theirs)
        self.thread = threading.Thread(target=self.read, args=(ours,), daemon=True)
        self.thread.start()

    def read(self, fd):
        try:
            while piece := os.read(fd, 4096):
                self.raw += piece
        except OSError:         # the other side is closed
            pass
        os.close(fd)

    def text(self):
        """Its output, each progress line on a line of its own."""
        return self.raw.decode('utf-8', 'replace').replace('\r\n', '\n').replace('\r', '\n')

    def has(self):
        """Number of blocks or samples so far."""
        last = re.findall(r'(\d+) \w+; Ctrl-C', self.text().replace(',', ''))
        return int(last[-1]) if last else 0

    def wait(self, condition, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end and self.p.poll() is None:
            time.sleep(0.05)
        return condition()

    def end(self):
        """Waits for its end; the exit status."""
        try:
            self.p.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        self.thread.join(5)
        return self.p.returncode


def hist_n(row):
    """Number of calls in the histogram of a row."""
    h = row['hist']
    return (h['zero'] + sum(h['counts'])) if h else 0


def statuses(rows):
    """{status: count} of several rows of the table http together."""
    n = {}
    for r in rows:
        for status, count in r['statuses'].items():
            n[status] = n.get(status, 0) + count
    return n


def run(*argv, timeout=120, **kw):
    """Runs to the end; returns (status, stdout, stderr) as bytes; status 'hung' after timeout."""
    p = spawn(*argv, stdin=kw.pop('stdin', subprocess.DEVNULL),
              stdout=kw.pop('stdout', subprocess.PIPE), stderr=subprocess.PIPE, **kw)
    try:
        out, err = p.communicate(timeout=timeout)
        return p.returncode, out or b'', err
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        return 'hung', out or b'', err


def descends(pid, root):
    """True for root itself and all its descendants."""
    try:
        while pid > 1:
            if pid == root:
                return True
            with open('/proc/%d/stat' % pid, errors='replace') as f:
                pid = int(f.read().rsplit(')', 1)[1].split()[1])
    except OSError:
        pass
    return False


def reader_of(o):
    """The pid of its protocol reader."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/comm' % pid, errors='replace') as f:
                if f.read() == 'ottop-protocols\n' and descends(int(pid), o.pid):
                    found.append(int(pid))
        except OSError:
            pass        # ended
    return max(found)
