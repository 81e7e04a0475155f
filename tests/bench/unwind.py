# SPDX-License-Identifier: GPL-2.0-or-later
"""Stacks: tables of libraries, time of a sample and of a frame, total cost at 99 Hz."""
import glob
import json
import os
import shutil
import subprocess
import time

import common as c
import memory

TABLES = c.OUT + "/tables"
STACKS = c.OUT + "/stacks"
PARTS = ("cfi", "cfi_order", "codeframes", "ehframe", "elf", "pclntab", "gotext", "insn", "landing", "source", "unwind_table")
SECONDS = 15
AIM_PCT, AIM_BYTES = 0.3, 50e6


def compile_all():
    objects = [f"{c.BUILD}/obj/symbolizer/{p}.o" for p in PARTS] + [f"{c.BUILD}/obj/bpf/model/{p}.o" for p in ("file", "log")]
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-I.", "-o", TABLES, "tests/bench/tables.c",
                    *objects, "-lelf", "-lz"], cwd=c.ROOT, check=True)
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls", "-w",
                    "-o", STACKS, "tests/live/stacks.c", "-lpthread"], cwd=c.ROOT, check=True)


def tables():
    files = [("libc", "/lib/*-linux-gnu/libc.so.6"), ("libcrypto", "/usr/lib/*-linux-gnu/libcrypto.so.3"),
             ("libstdc++", "/usr/lib/*-linux-gnu/libstdc++.so.6"), ("bash", "/bin/bash"),
             ("node", shutil.which("node") or "-"), ("libLLVM-14", "/usr/lib/*-linux-gnu/libLLVM-14.so.1")]
    rows = []
    for name, pattern in files:
        for path in glob.glob(pattern)[:1] or [None]:
            runs = []
            for _ in range(5 if path else 0):
                out = subprocess.run([TABLES, path], capture_output=True, text=True, check=False)
                if out.returncode == 0:
                    runs.append([float(v) for v in out.stdout.split()])
            if not runs:
                rows.append([name, "missing", "", "", ""])
                continue
            ms, n, size, infos = (c.median(list(v)) for v in zip(*runs))
            rows.append([name, f"{ms:.1f}", c.number(n), c.number(size / 1024), c.number(infos)])
    c.table(["file", "compile ms", "rows", "KiB", "rules"], rows)


def programs():
    """{name of a perf event program: (runs, ns)}"""
    out = subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, text=True, check=False,
                         env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
    found = {}
    for p in json.loads(out.stdout or "[]"):
        if p.get("type") == "perf_event":
            found[p["id"]] = (p.get("run_cnt", 0), p.get("run_time_ns", 0))
    return found


class Statistics:
    """BPF run time of the perf event programs between begin() and end()."""

    def begin(self):
        self.start = programs()

    def end(self, others=()):
        runs = ns = 0
        for number, (r, n) in programs().items():
            if number not in others:
                r0, n0 = self.start.get(number, (0, 0))
                runs, ns = runs + r - r0, ns + n - n0
        return runs, ns


def start_load(*argv):
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                            start_new_session=True)


def stop_load(loads):
    for p in loads:
        os.killpg(p.pid, 9)
        p.wait()


def wait_line(o):
    return "\n" in o.text()


def per_frame():
    """Programs with 4 and with 104 user frames at 999 Hz: the difference is 100 frames."""
    rows, ns_of = [], {}
    with c.timed():
        stats = Statistics()
        for name, mode, frames in (("4 frames", "plain", 5), ("104 frames", "hundred", 106)):
            load = [start_load(STACKS, mode, "60")]
            try:
                o = c.Observer("ottop", [c.OTTOP, "--json", "-v", "stacks", "--rate", "999", "-p", str(load[0].pid)],
                               wait_line, settle=1)
                o.start(set(c.CPUS))
                stats.begin()
                time.sleep(5)
                runs, ns = stats.end()
                o.stop()
            finally:
                stop_load(load)
            # samples of other processes end at the scope filter, but are runs, too, of some ns
            ns_of[name] = ns
            rows.append([name, c.number(runs), f"{ns / max(runs, 1) / 1000:.2f}"])
    c.table(["one busy process, 999 Hz", "runs", "us a run"], rows)
    per = [float(r[2]) for r in rows]
    c.say(f"  a frame: {(per[1] - per[0]) * 10:.0f} ns where half of the runs or more are of that process")


BUSY = [("openssl", "speed", "-seconds", "100", "sha256"),
        ("python3", "-c", "import json\nwhile 1: json.loads(json.dumps([{'a':i,'b':str(i)} for i in range(200)]))")]


def cost(name, argv, ready, stats, tracefs=False, out=None):
    """[name, own CPU %, BPF %, whole %, RSS, maps, file KiB/s]; own: all its processes."""
    o = c.Observer(name, argv, ready, settle=5, tracefs=tracefs)
    o.start(set(c.CPUS))
    pids = c.family(o.proc.pid)
    stats.begin()
    before, size = sum(map(c.cpu_seconds, pids)), out and os.path.getsize(out)
    began = time.monotonic()
    time.sleep(SECONDS)
    took = time.monotonic() - began
    own = sum(map(c.cpu_seconds, pids)) - before
    _, ns = stats.end()
    rss = sum(c.rss_bytes(p) for p in pids)
    maps = memory.kernel_maps(pids)
    grown = (os.path.getsize(out) - size) / took / 1024 if out else None
    o.stop()
    share = 100 / took / len(c.CPUS)
    return [name, own * share, ns / 1e9 * share, (own + ns / 1e9) * share, rss, maps, grown]


def whole_cost():
    data = c.OUT + "/perf.data"
    loads = [start_load(*argv) for argv in BUSY if c.have(argv[0])]
    rows = []
    peers = [("ottop --json, processes", [c.OTTOP, "--json", "-v", "processes,self"], wait_line, False, None),
             ("ottop --json, stacks", [c.OTTOP, "--json", "-v", "stacks,frames"], wait_line, False, None),
             ("ottop --profile cpu", [c.OTTOP, "--profile", "cpu", "--duration", "300", "-o", c.OUT + "/x.pb.gz"],
              lambda o: True, False, None)]
    for how in ("fp", "dwarf"):
        peers.append((f"perf record -F 99 -a, {how}", ["perf", "record", "-q", "-a", "-F", "99", "--call-graph", how,
                                                      "-o", data], lambda o: os.path.exists(data), False, data))
    peers.append(("bpftrace profile:hz:99", ["bpftrace", "-e", "profile:hz:99 { @[kstack, ustack, comm] = count(); }"],
                  lambda o: "Attaching" in o.text(), True, None))
    try:
        with c.timed():
            stats = Statistics()
            for name, argv, ready, tracefs, out in peers:
                if argv[0] != c.OTTOP and not c.have(argv[0]):
                    c.say(f"  missing: {name}")
                    continue
                if out and os.path.exists(out):
                    os.unlink(out)
                try:
                    rows.append(cost(name, argv, ready, stats, tracefs, out))
                except (RuntimeError, OSError) as e:
                    c.say(f"  missing: {name}: {e}")
    finally:
        stop_load(loads)
        for f in (data, c.OUT + "/x.pb.gz"):
            if os.path.exists(f):
                os.unlink(f)
    c.table(["99 Hz, 2 busy processes", "own CPU %", "BPF %", "both %", "RSS MB", "maps MB", "file KiB/s"],
            [[r[0], f"{r[1]:.2f}", f"{r[2]:.3f}", f"{r[3]:.2f}", f"{r[4] / 1e6:.1f}", f"{r[5] / 1e6:.1f}",
              c.number(r[6])] for r in rows])
    c.say("  % of the machine. What perf does in the kernel at each sample is in no figure of this table.")
    mine = next((r for r in rows if r[0] == "ottop --json, stacks"), None)
    if mine:
        c.aim("profiling, own processes and BPF, % of the machine", mine[3], AIM_PCT)
        c.aim("RSS and maps", mine[4] + mine[5], AIM_BYTES)


def run():
    c.title("stacks: unwind tables, a sample, a frame, the whole cost")
    compile_all()
    tables()
    per_frame()
    whole_cost()
