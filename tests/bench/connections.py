# SPDX-License-Identifier: GPL-2.0-or-later
"""6. Connections: what observing them costs iperf3, ab, wrk; a tick with many open ones."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import common as c
import work

ROUNDS = int(os.environ.get("OTTOP_BENCH_ROUNDS", "5"))  # 0: only the part with many open connections
PER_PROCESS = 8000
PORT = 18080


# ---- loads, measured per CPU second, which other programs on the machine disturb least ----

def per_cpu_second(amount_of, argv, servers=()):
    """amount_of(output) per second of CPU time of the program, its children and the servers."""
    def used():
        r = resource.getrusage(resource.RUSAGE_CHILDREN)
        return r.ru_utime + r.ru_stime + c.run_ns(servers) / 1e9
    before = used()
    text = subprocess.run(argv, capture_output=True, text=True, timeout=120).stdout
    return amount_of(text) / (used() - before)


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=120).stdout


def iperf(servers):
    def gigabits(text):
        server.wait(20)
        return json.loads(text)["end"]["sum_received"]["bytes"] * 8 / 1e9
    server = subprocess.Popen(["iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", "15201"],
                              stdout=subprocess.DEVNULL)
    time.sleep(0.3)
    return per_cpu_second(gigabits, ["iperf3", "-c", "127.0.0.1", "-p", "15201", "-n", "4G", "-J"])


def ab(servers):
    return per_cpu_second(lambda text: int(re.search(r"Complete requests:\s+(\d+)", text).group(1)),
                          ["ab", "-q", "-n", "20000", "-c", "20", f"http://127.0.0.1:{PORT}/"],
                          servers)


def wrk(servers):
    return per_cpu_second(lambda text: int(re.search(r"(\d+) requests in", text).group(1)),
                          ["wrk", "-t", "1", "-c", "20", "-d", "2s", f"http://127.0.0.1:{PORT}/"],
                          servers)


def udp(servers):
    """Round trips through one pair of sockets: the most expensive case."""
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    a.bind(("127.0.0.1", 0))
    to, n, begin = a.getsockname(), 100000, time.process_time()
    for _ in range(n):
        b.sendto(b"x" * 64, to)
        a.recvfrom(100)
    return n / (time.process_time() - begin)


def nginx(directory):
    return work.nginx(directory, PORT, server='location / { return 200 "hello"; }')


class Watching:
    """An observer. ottop runs as under the console: it records, no text is written."""

    def __init__(self, argv):
        self.argv = argv

    def __enter__(self):
        self.proc = self.argv and subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                   stderr=subprocess.DEVNULL)
        time.sleep(1.5 if self.argv else 0)
        return self

    def __exit__(self, *exc):
        if self.proc:
            self.proc.send_signal(signal.SIGINT)
            self.proc.wait(20)


def observers(directory):
    """First none. Home is included in every view: system calls are counted."""
    record = [c.OTTOP, "--record", os.path.join(directory, "rec"), "-v"]
    found = [("alone", None), ("home", record + ["processes"]), ("view", record + ["connections"])]
    if c.have("tcplife"):
        found.append(("tcplife", ["tcplife"]))
    else:
        c.say("  missing: tcplife (libbpf-tools)")
    return found


def throughput(directory, servers):
    watchers = observers(directory)
    names = [name for name, _ in watchers]
    rows, view_costs = [], {}
    for name, load, unit in (("iperf3", iperf, "Gbit"), ("ab, new connections", ab, "requests"),
                             ("wrk, keep-alive", wrk, "requests"),
                             ("udp, unconnected", udp, "round trips")):
        got = {n: [] for n in names}
        for i in range(ROUNDS):
            for n, argv in watchers[i % len(names):] + watchers[:i % len(names)]:
                with Watching(argv):
                    got[n].append(load(servers))

        def losses(than, of):
            return [100 * (1 - w / a) for a, w in zip(got[than], got[of])]
        view_costs[name] = c.median(losses("home", "view"))
        rows.append([f"{name} ({unit})", c.number(c.median(got["alone"]), 1)] +
                    [c.number(c.median(losses("alone", n)), 1) + " %" for n in names[1:]] +
                    [c.number(view_costs[name], 1) + " %", "+-" + c.number(c.spread(losses("alone", "view")), 1)])
    c.table(["a second of CPU gives", "alone"] + [f"loss: {n}" for n in names[1:]] +
            ["view after home", "spread"], rows)
    c.aim("the view takes at most 3 % of ab's requests", view_costs["ab, new connections"], 3)


# ---- many open connections ----

HOLDER = """
import os, resource, socket, sys
n, k = int(sys.argv[1]), int(sys.argv[2])
h = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (h, h))
s = socket.socket(); s.bind(('127.0.1.%d' % k, 0)); s.listen(4096); keep = []
for i in range(n):
    c = socket.socket(); c.connect(s.getsockname()); a, _ = s.accept(); keep += [c, a]; c.send(b'x' * 100)
print('open', flush=True); sys.stdin.read()
"""


def hold(sockets, before=0):
    """Processes that hold so many sockets: both ends of each connection are on this machine.
    before: how many such processes exist already."""
    holders, left = [], sockets // 2
    while left > 0:
        n = min(left, PER_PROCESS)
        p = subprocess.Popen(["python3", "-c", HOLDER, str(n), str(before + len(holders) + 1)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holders.append(p)
        left -= n
    for p in holders:
        p.stdout.readline()
    return holders


def sampler_ns(pid):
    for tid in os.listdir(f"/proc/{pid}/task"):
        if "sampler" in c.proc_file(pid, f"task/{tid}/comm"):
            return int(c.proc_file(pid, f"task/{tid}/schedstat").split()[0])
    return 0


def self_rows(path):
    out = output(c.OTTOP, "--replay", path, "--json", "-v", "connections,self")
    for line in out.splitlines():
        t = json.loads(line)["tables"]
        yield len(t["connections"]["rows"]), t["self"]["rows"][0]


def observe(directory, seconds, begin=None):
    path = os.path.join(directory, "many")
    p = subprocess.Popen([c.OTTOP, "--record", path, "-v", "connections"], stdin=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    time.sleep(2)
    holders = begin() if begin else []
    time.sleep(3 + len(holders) * 2)  # a pass over many sockets takes several ticks
    at, ran = time.monotonic(), sampler_ns(p.pid)
    time.sleep(seconds)
    cpu = (sampler_ns(p.pid) - ran) / (time.monotonic() - at)
    rss = sum(c.rss_bytes(q) for q in c.family(p.pid))
    p.send_signal(signal.SIGTERM)
    p.wait(30)
    rows = list(self_rows(path))
    os.unlink(path)
    for h in holders:
        h.stdin.close()
        h.wait()
    maps = max(s["kernel_map_bytes"] for _, s in rows[-3:])
    return rows[-2][0], cpu, rss, maps, c.median([s["tick_ns"] for _, s in rows[-6:]])


def many(directory):
    rows, base = [], None
    for n in (0, 1000, 10000, 50000):
        seen, cpu, rss, maps, tick = observe(directory, 8, lambda: hold(n))
        base = base or (rss, maps)
        added = rss - base[0] + maps - base[1]
        rows.append([f"{n:,} sockets", f"{seen:,}", c.number(cpu / 1e6, 1),
                     c.number(cpu / 1e7 / len(c.CPUS), 2), c.number(tick / 1e6, 1),
                     c.megabytes(rss), c.megabytes(maps), c.megabytes(added)])
    c.table(["", "rows", "CPU ms/s", "% of machine", "tick ms", "RSS", "kernel maps", "added"], rows)
    c.say("  opened while ottop watches; RSS with helpers; CPU of the sampler thread and the iterator in it")
    c.aim("50,000 for under 1 % of the machine", cpu / 1e7 / len(c.CPUS), 1)
    c.aim("50,000 for under 40 MB, user and kernel", added / 1e6, 40)


def run():
    c.title("6. Connections")
    missing = [tool for tool in ("iperf3", "nginx", "ab", "wrk") if not c.have(tool)]
    if missing:
        c.say(f"  missing: {', '.join(missing)}")
    with work.Directory() as directory:
        if ROUNDS and not missing:
            server = nginx(directory)
            try:
                throughput(directory, c.family(server.pid))
            finally:
                work.stop(server)
            c.say()
        many(directory)
