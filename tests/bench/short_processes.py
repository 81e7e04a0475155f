# SPDX-License-Identifier: GPL-2.0-or-later
"""Cost of a short process to `ottop --headless --otlp`: /bin/true in a loop, relative to idle."""
import os
import signal
import subprocess
import time

import common as c
import work

SECONDS = float(os.environ.get("OTTOP_BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("OTTOP_BENCH_ROUNDS", "3"))
SETTLE_S = 5
KINDS = (("--headless --otlp", []), ("the same with profiles", ["--otlp-profiles", "cpu,offcpu"]))
# prints its count at the end; some hundred a second, which leaves CPU time for others
LOOP = """
import os, signal, sys, time
end = []
signal.signal(signal.SIGTERM, lambda *_: end.append(1))
n = 0
while not end:
    os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)
    n += 1
    time.sleep(0.0015)
print(n)
"""


def own_ns(pids, seconds, with_load):
    """(CPU time of ottop's processes, number of processes) in so many seconds."""
    loop = subprocess.Popen(["python3", "-c", LOOP], stdout=subprocess.PIPE, text=True) if with_load else None
    if loop:
        time.sleep(1)
    before, began = c.run_ns(pids), time.monotonic()
    time.sleep(seconds)
    ns, took = c.run_ns(pids) - before, time.monotonic() - began
    made = 0
    if loop:
        loop.send_signal(signal.SIGTERM)
        # it has counted for a second longer, at a constant rate
        made = int(loop.communicate(timeout=30)[0]) * took / (took + 1)
    return ns / took, made / took


def one(options):
    """us of CPU time a process; ms/s when idle; processes a second."""
    p = subprocess.Popen([c.OTTOP, "--headless", "--otlp", f"http://127.0.0.1:{work.free_port()}", *options],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(SETTLE_S)
        pids = c.family(p.pid)
        idle, _ = own_ns(pids, SECONDS, False)
        busy, rate = own_ns(pids, SECONDS, True)
        return (busy - idle) / rate / 1e3, idle / 1e6, rate
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(timeout=60)


def run():
    c.title("A process that begins and ends: CPU time of ottop's processes")
    found = {name: [] for name, _ in KINDS}
    for _ in range(ROUNDS):
        for name, options in KINDS:
            found[name].append(one(options))
    rows = [[name, c.number(c.median([f[0] for f in runs]), 1), c.number(c.spread([f[0] for f in runs]), 1),
             c.number(c.median([f[1] for f in runs]), 1), c.number(c.median([f[2] for f in runs]))]
            for name, runs in found.items()]
    c.table([f"{ROUNDS} rounds of 2 x {SECONDS:g} s, in turn", "us a process", "+-", "ms/s without", "processes/s"], rows)
    c.say("  nobody is there who takes the export; kernel programs are not in it")
    slow = min(f[2] for runs in found.values() for f in runs)
    if slow < 100:
        c.say(f"  only {slow:.0f} processes a second were made: the machine is too busy for a figure")
