# SPDX-License-Identifier: GPL-2.0-or-later
"""A busy connection table: ab's requests a second, with a connection each, and UDP round trips,
while observed."""
import os
import re
import subprocess
import time

import common as c
import connections
import work
from terminal import Terminal

ROUNDS = int(os.environ.get("OTTOP_BENCH_ROUNDS", "3"))
REQUESTS = int(os.environ.get("OTTOP_BENCH_REQUESTS", "40000"))
LOADS = os.environ.get("OTTOP_BENCH_BUSY", "ab|udp").split("|")
ONLY = os.environ.get("OTTOP_BENCH_WATCHERS")  # a pattern of names
UDP = """
import socket, time
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(('127.0.0.1', 0)); b.bind(('127.0.0.1', 0)); to, back = a.getsockname(), b.getsockname(); n = 60000
x = b'x' * 64; begin = time.process_time()
for _ in range(n):
    b.sendto(x, to); a.recvfrom(100); a.sendto(x, back); b.recvfrom(100)
print(n / (time.process_time() - begin))
"""


def ab():
    out = connections.output("ab", "-q", "-n", str(REQUESTS), "-c", "20", f"http://127.0.0.1:{connections.PORT}/")
    return float(re.search(r"Requests per second:\s+([\d.]+)", out).group(1))


def udp():
    """Per second of CPU time: it never waits, and time that others take of a shared machine is not
    counted."""
    return float(connections.output("python3", "-c", UDP))


# ---- observers ----

class Console:
    """ottop in a terminal, at a view."""

    def __init__(self, key):
        self.key = key

    def __enter__(self):
        self.t = Terminal([c.OTTOP])
        self.t.read(3, lambda sent: len(sent) > 2000)
        if self.key:
            self.t.send(self.key)
        self.reader = subprocess.Popen(["cat"], stdin=self.t.fd, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        time.sleep(2.5)
        return self

    def __exit__(self, *exc):
        self.reader.kill()
        self.reader.wait()
        self.t.stop()


def peer():
    for argv in (["tcplife"], ["tcplife-bpfcc"], ["tcplife.bt"]):
        if c.have(argv[0]):
            return argv
    c.say("  missing: tcplife (libbpf-tools, bcc or bpftrace)")
    return None


class Floor:
    """The minimum cost of counting system calls, which the home view does."""

    def __enter__(self):
        self.proc = subprocess.Popen([f"{c.OUT}/limit", f"{c.OUT}/limit.bpf.o", "empty_enter"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        if self.proc.stdout.readline() != "ready\n":
            raise RuntimeError("the empty program is not attached")
        return self

    def __exit__(self, *exc):
        self.proc.communicate()


def watchers():
    found = [("an empty program on sys_enter", Floor), ("home", lambda: Console(None)), ("tab 5", lambda: Console(b"5")),
             ("--json -v connections", lambda: connections.Watching([c.OTTOP, "--json", "-v", "connections"]))]
    argv = peer()
    if argv:
        found.append((argv[0], lambda: connections.Watching(argv)))
    return [w for w in found if not ONLY or re.search(ONLY, w[0])]


# ---- figures ----

def pairs(name, amount, unit, aims):
    """Each run lies between two without observer, as the machine is shared."""
    alone, found = work.neighbours(watchers(), lambda watcher: {"rate": amount()}, ROUNDS)
    alone = [a["rate"] for a in alone]
    rates = {n: [seen["rate"] for seen, _ in runs] for n, runs in found.items()}
    losses = {n: [100 - 100 * seen["rate"] / beside["rate"] for seen, beside in runs] for n, runs in found.items()}
    rows = [["nobody", c.number(c.median(alone)), "", c.number(c.spread(alone))]]
    rows += [[n, c.number(c.median(rates[n])), c.number(c.median(losses[n]), 1) + " %",
              "+-" + c.number(c.spread(losses[n]), 1) + " %"] for n in found]
    c.table([name, unit, "loss", "spread"], rows)
    for n, limit in aims.items():
        if n in losses:
            c.aim(f"{n} takes at most {limit} %", c.median(losses[n]), limit)


def run():
    c.title("8. A busy connection table")
    if "ab" in LOADS:
        run_ab()
    if "udp" in LOADS:
        c.say()
        pairs("UDP there and back", udp, "round trips/s of CPU", {"tab 5": 5, "--json -v connections": 5})


def run_ab():
    for tool in ("nginx", "ab"):
        if not c.have(tool):
            c.say(f"  missing: {tool}")
            return
    with work.Directory() as directory:
        server = connections.nginx(directory)
        try:
            ab()
            pairs("ab -c 20, a connection each", ab, "requests/s", {"home": 3, "tab 5": 6, "--json -v connections": 6})
        finally:
            work.stop(server)
