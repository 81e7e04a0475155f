# SPDX-License-Identifier: GPL-2.0-or-later
"""What a host pays for `ottop --headless --otlp`: encoding of a span and a data point, beside the
OpenTelemetry Go SDK exporting the same; CPU and memory idle, at 1,000 requests/s with everything
on, and then with a collector that is down (OTTOP_BENCH_DOWN_MINUTES)."""
import os
import signal
import subprocess
import sys
import time

import common as c
import memory
import work

sys.path.insert(0, os.path.join(c.ROOT, "tests", "live"))
import otlplib

SECONDS = int(os.environ.get("OTTOP_BENCH_SECONDS", "60"))
DOWN_MINUTES = float(os.environ.get("OTTOP_BENCH_DOWN_MINUTES", "2"))
ROUNDS = int(os.environ.get("OTTOP_BENCH_ROUNDS", "5"))
RPS, SETTLE_S = 1000, 5
ENCODE = f"{c.OUT}/encode"


# ---- encoding ----

def build_encode():
    objects = [os.path.join(d, f) for part in ("exporter", "bpf/model", "gen")
               for d, _, names in os.walk(f"{c.BUILD}/obj/{part}") for f in names if f.endswith(".o")]
    objects = [o for o in objects if o.endswith(".pb-c.o") or "/gen/" not in o]
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-I.", f"-I{c.BUILD}/gen", "-o", ENCODE,
                    "tests/bench/encode.c", *objects, "-lz", "-lprotobuf-c", "-ljson-c", "-liberty", "-lpthread", "-lm"],
                   cwd=c.ROOT, check=True)


def build_sdk():
    """None, or why it is missing. Its modules are fetched the first time."""
    try:
        p = subprocess.run(["go", "build", "-o", f"{c.OUT}/otelsdk", "."], cwd=f"{c.HERE}/otelsdk", capture_output=True,
                           text=True, timeout=600)
    except OSError:
        return "no Go here"
    return None if p.returncode == 0 else (p.stderr.strip().splitlines() or ["?"])[-1]


def said(program):
    """{what: (items, ns, bytes)} of a run."""
    out = subprocess.run([program, c.OUT], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: (int(n), float(ns), float(size)) for name, n, ns, size in map(str.split, out.splitlines())}


def encoding():
    build_encode()
    missing = build_sdk()
    programs = [("ottop", ENCODE)] + ([] if missing else [("OpenTelemetry Go SDK", f"{c.OUT}/otelsdk")])
    runs = {name: [] for name, _ in programs}
    for _ in range(ROUNDS):
        for name, path in programs:
            runs[name].append(said(path))
    rows = []
    for what in "spans", "points":
        for name, _ in programs:
            rows.append([f"{what}, {name}", c.number(runs[name][0][what][0]), c.number(runs[name][0][what][2]),
                         c.number(c.median([r[what][1] for r in runs[name]])), c.number(c.spread([r[what][1] for r in runs[name]]))])
    c.table([f"{ROUNDS} runs, interleaved", "in a request", "bytes each", "CPU ns each", "+-"], rows)
    if missing:
        c.say(f"  missing: the OpenTelemetry Go SDK: {missing}")
    c.aim("a span encoded, ns", c.median([r["spans"][1] for r in runs["ottop"]]), 1000)


# ---- a host ----

def watch(url, seconds, *options):
    """(own CPU time, kernel programs: % of the machine; resident bytes, kernel maps), and its final
    message. Measured from outside, as a recording would cost too. With default options a minute
    has one export of metrics."""
    p = subprocess.Popen([c.OTTOP, "--headless", "--otlp", url, *options], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(SETTLE_S)
    pids = c.family(p.pid)
    with c.timed():
        own, bpf, began = c.run_ns(pids), c.programs_ns(pids), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        own, bpf = c.run_ns(pids) - own, c.programs_ns(pids) - bpf
    resident, maps = memory.sizes(pids)
    p.send_signal(signal.SIGTERM)
    said_last = p.communicate(timeout=60)[1].strip().splitlines()[-1:]
    return c.percent(own, took), c.percent(bpf, took), resident, maps, said_last[0] if said_last else ""


def host():
    everything = "--otlp-profiles", "cpu,offcpu"
    collector = otlplib.Collector()
    dead = f"http://127.0.0.1:{work.free_port()}"
    rows, cost, last = [], {}, {}

    def add(name, url, seconds, *options):
        own, bpf, resident, maps, last[name] = watch(url, seconds, *options)
        cost[name] = own + bpf, resident + maps
        rows.append([name, c.number(own, 2), c.number(bpf, 2), c.megabytes(resident), c.megabytes(maps)])
        collector.requests.clear()

    with work.Directory() as folder:
        add("idle", collector.url(), SECONDS)
        port = work.free_port()
        server = work.nginx(folder, port, server="location / { return 200 hello; }")
        load = subprocess.Popen(["h2load", "--h1", "-c", "20", "-t", "1", "--rps", str(RPS // 20), "-D", "3600",
                                 f"http://127.0.0.1:{port}/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            add(f"{RPS} requests/s", collector.url(), SECONDS)
            add(f"{RPS} requests/s, profiles too", collector.url(), SECONDS, *everything)
            add(f"the same, collector down {DOWN_MINUTES:g} min", dead, DOWN_MINUTES * 60, *everything)
        finally:
            load.kill()
            load.wait()
            work.stop(server)
    c.table([f"% of the machine, {SECONDS} s", "own", "in the kernel", "resident", "+ kernel maps"], rows)
    c.say("  at the end of the last: " + last[rows[-1][0]][:300])
    c.aim(f"{RPS} requests/s: % of the machine", cost[f"{RPS} requests/s"][0], 1)
    c.aim("memory, MB", max(size for _, size in cost.values()) / 1e6, 50)


def run():
    c.title("OTLP: what is encoded, and a host that only sends")
    encoding()
    c.say()
    host()
