# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the tests of connections: namespaces joined by a veth pair, programs, rows."""
import json
import subprocess
import sys
import time

import lib

A_ADDR, B_ADDR = '10.77.0.1', '10.77.0.2'
A_ADDR6, B_ADDR6 = 'fd77::1', 'fd77::2'
FACTS = ('pid', 'comm', 'proto', 'local_port', 'remote_addr', 'remote_port', 'state', 'direction',
         'rx_bytes', 'tx_bytes', 'end_reason', 'closed')


def sh(*argv, check=True):
    return subprocess.run(argv, check=check, capture_output=True, text=True).stdout


def in_ns(ns, *argv):
    return ('ip', 'netns', 'exec', ns) + argv


def can_make_namespaces(name):
    if subprocess.run(('ip', 'netns', 'add', name), capture_output=True).returncode:
        return False
    sh('ip', 'netns', 'del', name)
    return True


def make_namespaces(a, b):
    """`a` has va, `b` has vb; each has both addresses."""
    for ns in (a, b):
        sh('ip', 'netns', 'add', ns)
    sh('ip', 'link', 'add', 'va', 'netns', a, 'type', 'veth', 'peer', 'name', 'vb', 'netns', b)
    for ns, dev, addr, addr6 in ((a, 'va', A_ADDR, A_ADDR6), (b, 'vb', B_ADDR, B_ADDR6)):
        sh('ip', '-n', ns, 'addr', 'add', addr + '/24', 'dev', dev)
        sh('ip', '-n', ns, 'addr', 'add', addr6 + '/64', 'dev', dev, 'nodad')
        sh('ip', '-n', ns, 'link', 'set', 'lo', 'up')
        sh('ip', '-n', ns, 'link', 'set', dev, 'up')


def remove_namespaces(*names):
    for ns in names:
        sh('ip', 'netns', 'del', ns, check=False)


def python(code, ns=None, **kw):
    """A Python program in a process, and so an owner, of its own. It prints lines."""
    argv = (sys.executable, '-c', 'import socket,os,sys,time,struct,errno\n' + code)
    return lib.spawn(*(in_ns(ns, *argv) if ns else argv), stdout=subprocess.PIPE,
                     stdin=subprocess.PIPE, text=True, bufsize=1, **kw)


def line(p):
    return p.stdout.readline().split()


def end(p):
    p.stdin.close()
    p.wait(lib.PATIENCE)
    p.stdout.close()


def rows_of(o, pid, **want):
    return [r for r in o.rows('connections', pid)
            if all(r.get(k) == v for k, v in want.items())]


def wait_rows(o, n, pid, **want):
    o.wait(lambda: len(rows_of(o, pid, **want)) >= n)
    return rows_of(o, pid, **want)


def some(rows, *fields):
    return [tuple(r.get(f) for f in fields) for r in rows][:12]


def wait_socket(ns, *filter_):
    """Waits for a TCP socket in the namespace, by an ss filter."""
    end = time.monotonic() + lib.PATIENCE
    while not sh(*in_ns(ns, 'ss', '-tnH', *filter_)) and time.monotonic() < end:
        time.sleep(0.05)


def iperf(a, b, addr, *args, during=None):
    """From namespace a to b. Both pids, and the "end" reported by each side."""
    server = lib.spawn(*in_ns(b, 'iperf3', '-s', '-1', '-J'), stdout=subprocess.PIPE, text=True)
    wait_socket(b, 'state', 'listening', 'sport = :5201')
    client = lib.spawn(*in_ns(a, 'iperf3', '-c', addr, '-J', *args), stdout=subprocess.PIPE, text=True)
    if during:
        during(client, server)
    out = json.loads(client.communicate(timeout=120)[0])['end']
    told = json.loads(server.communicate(timeout=120)[0])['end']
    return client.pid, server.pid, out, told
