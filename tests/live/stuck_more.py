# SPDX-License-Identifier: GPL-2.0-or-later
"""For waits_more.test: one kind of wait each, where the call's arguments are not enough.

    stuck_more.py KIND PATH    prints "PID [OTHER]" when all is set up, then waits"""
import ctypes
import fcntl
import mmap
import os
import pty
import select
import signal
import socket
import struct
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
PATH = sys.argv[2]
PDEATHSIG, TRACE_ATTACH, OFD_SETLK, OFD_SETLKW, SETLEASE, SETPIPE_SZ = 1, 16, 37, 38, 1024, 1031
PATIENCE = 300


def say(other=None):
    print(os.getpid(), other or '', flush=True)


def child(work):
    """A process that dies with its parent; it has done work() when this returns."""
    r, w = os.pipe()
    pid = os.fork()
    if pid:
        os.close(w)
        os.read(r, 1)
        os.close(r)
        return pid
    libc.prctl(PDEATHSIG, signal.SIGKILL)
    os.close(r)
    last = work()
    os.close(w)
    if last:
        last()
    time.sleep(PATIENCE)
    os._exit(0)


def holding(take):
    """A thread that has taken a lock; returns its tid."""
    tids, done = [], threading.Event()

    def body():
        take()
        tids.append(threading.get_native_id())
        done.set()
        time.sleep(PATIENCE)
    threading.Thread(target=body, daemon=True).start()
    done.wait()
    return tids[0]


def poll_sleep():
    say()
    select.poll().poll(PATIENCE * 1000)


def select_sleep():
    say()
    select.select([], [], [], PATIENCE)


def queue(flags):
    rt = ctypes.CDLL('librt.so.1', use_errno=True)
    name = b'/ottop-test-%d' % os.getpid()
    q = rt.mq_open(name, os.O_CREAT | flags, 0o600, None)
    if q < 0:
        print(os.getpid(), 'none', flush=True)
        sys.exit(0)
    rt.mq_unlink(name)
    return rt, q


def queue_receive():
    rt, q = queue(os.O_RDWR)
    say()
    rt.mq_receive(q, ctypes.create_string_buffer(8192), 8192, None)


def queue_send():
    rt, q = queue(os.O_RDWR)
    say()
    while True:
        rt.mq_send(q, b'x', 1, 0)


def unix_connect():
    s = socket.socket(socket.AF_UNIX)
    s.bind(PATH)
    s.listen(0)
    say()
    clients = []
    while True:
        clients.append(socket.socket(socket.AF_UNIX))
        clients[-1].connect(PATH)


def lease():
    os.close(os.open(PATH, os.O_CREAT))

    def work():
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        fcntl.fcntl(os.open(PATH, os.O_RDWR), SETLEASE, fcntl.F_WRLCK)
    say(child(work))
    os.open(PATH, os.O_RDWR)


def ofd(fd, command, first, n):
    """An open file description lock of n bytes."""
    fcntl.fcntl(fd, command, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, first, n, 0))


def ofd_lock():
    """Two processes hold open file description locks; one of them is waited for."""
    fds = [os.open(PATH, os.O_RDWR | os.O_CREAT) for _ in range(3)]
    child(lambda: os.close(fds[1]) or ofd(fds[0], OFD_SETLK, 0, 5))
    say(child(lambda: os.close(fds[0]) or ofd(fds[1], OFD_SETLK, 5, 5)))
    for fd in fds[:2]:
        os.close(fd)
    ofd(fds[2], OFD_SETLKW, 7, 1)


def ofd_inherited():
    fd = os.open(PATH, os.O_RDWR | os.O_CREAT)
    ofd(fd, OFD_SETLK, 0, 0)
    child(lambda: None)
    say(child(lambda: None))
    os.close(fd)
    fcntl.lockf(os.open(PATH, os.O_RDWR), fcntl.LOCK_EX)


def ofd_self():
    ofd(os.open(PATH, os.O_RDWR | os.O_CREAT), OFD_SETLK, 0, 0)
    say()
    ofd(os.open(PATH, os.O_RDWR), OFD_SETLKW, 0, 0)


def fanotify():
    os.close(os.open(PATH, os.O_CREAT))
    fd = libc.fanotify_init(4, 0)       # FAN_CLASS_CONTENT
    if fd < 0 or libc.fanotify_mark(fd, 1, ctypes.c_uint64(0x10000), -100, PATH.encode()):
        print(os.getpid(), 'none', flush=True)
        sys.exit(0)
    child(lambda: None)
    say()
    os.open(PATH, os.O_RDONLY)


def supervised():
    """seccomp notifies about getppid(), without an answer."""
    getppid = {'x86_64': 110, 'aarch64': 173}[os.uname().machine]
    seccomp = {'x86_64': 317, 'aarch64': 277}[os.uname().machine]
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, getppid), (0x06, 0, 0, 0x7fc00000), (0x06, 0, 0, 0x7fff0000)]
    program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *c) for c in code))
    libc.prctl(38, 1, 0, 0, 0)
    libc.syscall(seccomp, 1, 8, ctypes.create_string_buffer(
        struct.pack('H6xQ', len(code), ctypes.addressof(program))))
    say()
    os.getppid()


def splice():
    a, b = os.pipe()
    c, d = os.pipe()
    os.write(b, b'x')
    fcntl.fcntl(d, SETPIPE_SZ, 4096)
    os.write(d, b'x' * 4096)
    say(d)
    os.splice(a, d, 1)


def when_it_reads(pid, fd, act):
    """Does it once the process is in its read: a stop during it is then no accident."""
    while True:
        with open('/proc/%d/syscall' % pid) as f:
            words = f.read().split()
        if len(words) > 2 and words[1] == hex(fd):
            return act()
        time.sleep(0.05)


def stopped():
    r, _ = os.pipe()
    pid = os.getpid()
    say(child(lambda: lambda: when_it_reads(pid, r, lambda: os.kill(pid, signal.SIGSTOP))))
    os.read(r, 1)


def traced():
    r, _ = os.pipe()
    pid = os.getpid()
    say(child(lambda: lambda: when_it_reads(pid, r, lambda: libc.ptrace(TRACE_ATTACH, pid, 0, 0))))
    os.read(r, 1)


def master():
    m, s = pty.openpty()
    say(os.ttyname(s))
    os.read(m, 1)


def rwlock_read():
    lock = ctypes.create_string_buffer(64)
    say(holding(lambda: libc.pthread_rwlock_wrlock(lock)))
    libc.pthread_rwlock_rdlock(lock)


def rwlock_write():
    lock = ctypes.create_string_buffer(64)
    say(holding(lambda: libc.pthread_rwlock_wrlock(lock)))
    libc.pthread_rwlock_wrlock(lock)


def rwlock_readers():
    lock = ctypes.create_string_buffer(64)
    for _ in range(2):
        holding(lambda: libc.pthread_rwlock_rdlock(lock))
    say()
    libc.pthread_rwlock_wrlock(lock)


def mutex_ended():
    lock, tids = ctypes.create_string_buffer(64), []

    def body():
        libc.pthread_mutex_lock(lock)
        tids.append(threading.get_native_id())
    t = threading.Thread(target=body)
    t.start()
    t.join()
    say(tids[0])
    libc.pthread_mutex_lock(lock)


def mutex_shared():
    shared = ctypes.c_char.from_buffer(mmap.mmap(-1, 4096))
    at = ctypes.c_void_p(ctypes.addressof(shared))
    attr = ctypes.create_string_buffer(8)
    libc.pthread_mutexattr_init(attr)
    libc.pthread_mutexattr_setpshared(attr, 1)
    libc.pthread_mutex_init(at, attr)
    say(child(lambda: libc.pthread_mutex_lock(at) or None))
    libc.pthread_mutex_lock(at)


def futexes():
    word = ctypes.c_uint32(0)
    one = struct.pack('QQII', 0, ctypes.addressof(word), 2 | 128, 0)
    if libc.syscall(449, ctypes.create_string_buffer(one), 1, 1, None, 0) and ctypes.get_errno() == 38:
        print(os.getpid(), 'none', flush=True)
        sys.exit(0)
    say()
    libc.syscall(449, ctypes.create_string_buffer(one * 3), 3, 0, None, 0)


def mutual_tcp():
    s = socket.create_server(('127.0.0.1', 0))
    c = socket.create_connection(s.getsockname()[:2])
    a, _ = s.accept()

    def work():
        c.close()
        return lambda: a.recv(1)
    other = child(work)
    a.close()
    say('%d %d' % (other, c.getpeername()[1]))
    c.recv(1)


def mutual_child():
    """It waits for its child, which waits for end-of-file from its parent."""
    r, w = os.pipe()

    def work():
        os.close(w)
        return lambda: os.read(r, 1)
    other = child(work)
    os.close(r)
    say(other)
    os.wait()


def pool():
    """Two connections to a server with two threads: one is in use, the other is idle."""
    s = socket.create_server(('127.0.0.1', 0))
    ends = [(socket.create_connection(s.getsockname()[:2]), s.accept()[0]) for _ in range(2)]

    def work():
        for c, _ in ends:
            c.close()
        threading.Thread(target=lambda: ends[1][1].recv(1), daemon=True).start()
        return None     # the first thread works on the other
    other = child(work)
    for _, a in ends:
        a.close()
    say('%d %d' % (other, ends[0][0].getpeername()[1]))
    ends[0][0].recv(1)


globals()[sys.argv[1]]()
