# SPDX-License-Identifier: GPL-2.0-or-later
"""Cost of OTLP: CPU time and bytes with and without gzip, with a collector that is down and one
that hangs, and whether the response to a key is as fast as without."""
import json
import os
import subprocess
import sys
import time

import common as c
import terminal
import work

sys.path.insert(0, os.path.join(c.ROOT, "tests", "live"))
import otlplib

SECONDS = int(os.environ.get("OTTOP_BENCH_SECONDS", "21"))
ROUNDS = int(os.environ.get("OTTOP_BENCH_ROUNDS", "3"))
PROCESSES, CLIENTS, RPS = 500, 40, 5        # sleeping processes; connections with so many requests a second each
TABLES = "exports,processes,host,cpus,interfaces,drops,self,connections,syscalls,http,requests,events"
KEYS = 100
INTERVAL = "10000"


def hangs(handler, request):
    time.sleep(60)
    return False


def environment(gzip_too, off):
    env = {**os.environ, "OTEL_METRIC_EXPORT_INTERVAL": INTERVAL,
           "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip" if gzip_too else "none"}
    for signal_name in ("METRICS", "TRACES", "LOGS") if off else ():
        env[f"OTEL_{signal_name}_EXPORTER"] = "none"
    return env


class Way:
    """Off, or one kind of collector."""

    def __init__(self, name, off=False, gzip_too=False, answer=None, dead=False):
        self.name, self.off, self.gzip_too, self.dead = name, off, gzip_too, dead
        self.collector = otlplib.Collector(answer)
        self.url = f"http://127.0.0.1:{work.free_port()}" if dead else self.collector.url()
        self.cpu, self.encode, self.send, self.keys, self.rss = [], [], [], [], []
        self.wire = self.raw = self.points = self.spans = self.records = 0

    def watch(self):
        """CPU time of ottop and its helpers a second, and of the threads by the table exports."""
        p = subprocess.Popen([c.OTTOP, "--json", "-v", TABLES, "-d", "1", "-n", str(SECONDS + 1), "--otlp", self.url],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             env=environment(self.gzip_too, self.off))
        lines, before, first = [], None, None
        for text in p.stdout:
            lines.append(json.loads(text))
            if before is None:
                before, first = c.run_ns(c.family(p.pid)), time.monotonic()
            elif len(lines) == SECONDS:
                self.cpu.append((c.run_ns(c.family(p.pid)) - before) / (time.monotonic() - first) / 1e7)
                self.rss.append(c.rss_bytes(p.pid))
        p.wait(60)
        rows = [(line["interval_ns"] / 1e9, r) for line in lines for r in line["tables"]["exports"]["rows"]]
        for kind, to in (("encode_pct", self.encode), ("send_pct", self.send)):
            to.append(sum(s * (r[kind] or 0) for s, r in rows) / SECONDS)

    def count(self):
        """What arrived: bytes and items."""
        for r in self.collector.requests:
            message = r.message()
            self.wire += len(r.wire)
            self.raw += len(r.data)
            self.points += sum(1 for _ in otlplib.points(message, ended=True)) if r.path == "/v1/metrics" else 0
            self.spans += sum(len(s["spans"]) for rs in message.get("resource_spans", []) for s in rs["scope_spans"])
            self.records += sum(len(s["log_records"]) for rs in message.get("resource_logs", [])
                                for s in rs["scope_logs"])
        self.collector.requests.clear()

    def console(self):
        """Metrics with each tick, the most frequent."""
        argv = [c.OTTOP] + ([] if self.off else ["--otlp", self.url])
        return terminal.Terminal(argv, env={**environment(self.gzip_too, self.off), "OTEL_METRIC_EXPORT_INTERVAL": "1"})


def type_keys(ways):
    """Wall time from a key to the first byte of its frame, in ms: consoles side by side, in turn."""
    consoles = [w.console() for w in ways]
    try:
        for t in consoles:
            t.read(3)
        for n in range(KEYS):
            for w, t in list(zip(ways, consoles))[::-1 if n % 2 else 1]:
                t.read(0.05)    # sent by a tick
                begin = time.monotonic()
                t.send(b"jk"[n % 2:][:1])
                t.read(2, lambda s: True)
                w.keys.append((time.monotonic() - begin) * 1000)
    finally:
        for t in consoles:
            t.stop()


def ratio(ways, of):
    """Each kind relative to the first: the median of quotients of runs close in time."""
    for w in ways:
        values = getattr(w, of)
        w.ratio = c.median([a / b for a, b in zip(values, getattr(ways[0], of))]) if values else float("nan")


def run():
    c.title(f"OTLP: {PROCESSES} processes, {CLIENTS} connections, {CLIENTS * RPS} requests a second; metrics "
            f"every 10 s; {ROUNDS} rounds of {SECONDS} s, interleaved")
    ways = [Way("off", off=True), Way("on"), Way("on, gzip", gzip_too=True), Way("nobody listens", dead=True),
            Way("no answer", answer=hangs)]
    with work.Directory() as folder:
        port = work.free_port()
        server = work.nginx(folder, port, server="location / { return 200 hello; }")
        sleepers = subprocess.Popen([f"{c.OUT}/sleepers", str(PROCESSES)], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE)
        sleepers.stdout.readline()
        load = subprocess.Popen(["h2load", "--h1", "-c", str(CLIENTS), "-t", "1", "--rps", str(RPS), "-D", "3600",
                                 f"http://127.0.0.1:{port}/"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            for n in range(ROUNDS):
                for w in ways if n % 2 == 0 else ways[::-1]:
                    w.watch()
                    w.count()
            type_keys(ways)
        finally:
            for p in load, sleepers:
                p.kill()
                p.wait()
            work.stop(server)
    report(ways)


def report(ways):
    ratio(ways, "cpu")
    rows = [[w.name, c.number(c.median(w.cpu), 2), c.number(w.ratio, 3), c.number(c.median(w.encode), 3),
             c.number(c.median(w.send), 3), c.megabytes(c.median(w.rss)), c.number(w.wire / ROUNDS),
             c.number(w.raw / w.wire if w.wire else None, 1), c.number(w.points / ROUNDS),
             c.number(w.spans / ROUNDS), c.number(w.records / ROUNDS)] for w in ways]
    c.table(["", "CPU%", "to off", "encode%", "send%", "own RSS", "bytes a run", "gzip x", "points", "spans",
             "records"], rows)
    good = c.median(ways[1].keys)
    c.say()
    c.table(["a key, ms", "median", "p90", "to on"],
            [[w.name, c.number(c.median(w.keys), 2), c.number(sorted(w.keys)[len(w.keys) * 9 // 10], 2),
              c.number(c.median(w.keys) / good, 2)] for w in ways])
    c.aim("on: CPU time to that of off", c.median([a / b for a, b in zip(ways[1].cpu, ways[0].cpu)]), 1.1)
    for w in ways[3:]:
        c.aim(f"{w.name}: a key to one with a good collector", c.median(w.keys) / good, 1.2)
