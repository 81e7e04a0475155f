# SPDX-License-Identifier: GPL-2.0-or-later
"""1. What each observer adds to a system call: getppid in a tight loop."""
import json
import os
import re
import subprocess
import time

import common as c

ROUNDS, MS, SLICES = 7, 300, 20

BPFTRACE = """
tracepoint:raw_syscalls:sys_enter { @start[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@start[tid]/ {
    @calls[pid, comm, args->id] = hist(nsecs - @start[tid]); delete(@start[tid]);
}"""


def seen_ottop_home(text, pid):
    rows = [r for line in text.splitlines() if line.startswith("{")
            for r in json.loads(line)["tables"]["processes"]["rows"] if r["pid"] == pid]
    return rows[-1]["syscalls"] if rows else 0


def seen_ottop_syscalls(text, pid):
    rows = [r for line in text.splitlines() if line.startswith("{")
            for r in json.loads(line)["tables"]["syscalls"]["rows"]
            if r["pid"] == pid and r["syscall"] == "getppid"]
    return rows[-1]["count"] if rows else 0


def seen_bpftrace(text, pid):
    nr = {"x86_64": 110}.get(os.uname().machine, 173)
    # @calls[123, loop, 110]: and a line a bucket: [64, 128)   4711 |@@@ |
    n = 0
    inside = False
    for line in text.splitlines():
        if line.startswith("@"):
            inside = line.startswith(f"@calls[{pid}, loop, {nr}]")
        elif inside and (m := re.match(r"[\[(][^)\]]*[)\]]\s+(\d+) \|", line)):
            n += int(m[1])
    return n


def seen_perf(text, pid):
    of = re.search(rf"loop \({pid}\), .*?\n(.*?)(?:\n\n\n|\Z)", text, re.S)
    call = of and re.search(r"getppid\s+(\d+)", of[1])
    return int(call[1]) if call else 0


def observers():
    """Name, observer, how its output shows the number of calls seen; or why it is missing."""
    limit = [f"{c.OUT}/limit", f"{c.OUT}/limit.bpf.o"]
    found = [
        (c.Observer("(b) empty enter + exit", limit + ["empty"], c.first_line, programs=2), None),
        (c.Observer("(c) clock read in each", limit + ["clock"], c.first_line, programs=2), None),
        (c.ottop("(d) ottop at home", "--json", "-v", "processes", programs=1), seen_ottop_home),
        (c.ottop("(e) ottop syscall view", "--json", "-v", "syscalls", programs=2), seen_ottop_syscalls),
    ]
    missing = []
    if c.have("bpftrace"):
        found.append((c.Observer("(f) bpftrace", ["env", "BPFTRACE_MAP_KEYS_MAX=100000",
                                             "bpftrace", "-e", BPFTRACE],
                                 lambda o: "Attaching" in o.text(), settle=1.5, tracefs=True),
                      seen_bpftrace))
    else:
        missing.append("(f) bpftrace is not installed")
    if c.have("perf"):
        found.append((c.Observer("(g) perf trace -s -a", ["perf", "trace", "-s", "-a"],
                                 lambda o: True, settle=1.5, tracefs=True), seen_perf))
    else:
        missing.append("(g) perf is not installed (linux-perf)")
    return found, missing


class Loop:
    """One run of the loop: cost of each call, separately for slices with BPF statistics on."""

    def __init__(self):
        p = subprocess.Popen([f"{c.OUT}/loop", str(c.LOOP_CPU), str(MS), str(SLICES)],
                             stdout=subprocess.PIPE, text=True)
        lines = [line.split() for line in p.communicate()[0].splitlines()]
        if p.returncode:
            c.fail("the loop could not run")
        self.pid, self.made, self.programs = p.pid, int(lines[0][0]), int(lines[0][1])
        self.quiet = [float(ns) for ns, _, stats in lines[1:] if stats == "0"]
        self.with_stats = [float(ns) for ns, _, stats in lines[1:] if stats == "1"]
        self.ns = c.median(self.quiet)


class Result:
    def __init__(self):
        self.ns, self.added, self.with_stats = [], [], []
        self.seen = self.why = None
        self.disturbed = 0


def one(observer, seen, result, last):
    """The loop alone, then observed: valid if no other observer came or went meanwhile."""
    for _ in range(6):
        alone = Loop()
        observer.start()
        loop = Loop()
        if last and seen:
            time.sleep(2.2 if "ottop" in observer.name else 0.2)  # until a full interval has it
        text = observer.stop()
        if loop.programs - alone.programs == observer.programs and alone.quiet and loop.quiet:
            break
        result.disturbed += 1
    else:
        return alone.ns
    result.ns.append(loop.ns)
    result.added.append(loop.ns - alone.ns)
    result.with_stats += loop.with_stats
    if last and seen:
        result.seen = (seen(text, loop.pid), loop.made)
    return alone.ns


def measure(found):
    nothing, results = [], {o.name: Result() for o, _ in found}
    for r in range(ROUNDS):
        k = r % len(found)
        for o, seen in found[k:] + found[:k]:
            if results[o.name].why:
                continue
            try:
                nothing.append(one(o, seen, results[o.name], r == ROUNDS - 1))
            except RuntimeError as e:
                results[o.name].why = str(e)
    return nothing, results


def ratio(results, a, b):
    x, y = (next((v for n, v in results.items() if n.startswith(k)), None) for k in (a, b))
    if not x or not y or not x.added or not y.added or x.why or y.why:
        return None
    return c.median(x.added) / c.median(y.added)


def show(nothing, results):
    rows = [["(a) nothing", c.number(c.median(nothing)), "0", "+-" + c.number(c.spread(nothing))]
            + ["-"] * 4 + ["0"]]
    for name, r in results.items():
        if r.why or not r.added:
            continue
        seen = "-" if not r.seen else ("all" if r.seen[0] >= r.seen[1] else
                                       f"{r.seen[0]:,} of {r.seen[1]:,}")
        rows.append([name, c.number(c.median(r.ns)), c.number(c.median(r.added)),
                     "+-" + c.number(c.spread(r.added)),
                     *(c.number(ratio(results, name[:3], k), 2) for k in ("(b)", "(c)", "(f)")),
                     seen, f"{len(r.with_stats)}" + (
                         f" ({c.number(c.median(r.with_stats))} ns)" if r.with_stats else "")])
    c.table(["observer", "ns/call", "added", "spread", "/(b)", "/(c)", "/(f)", "calls seen",
             "slices with statistics"], rows)
    disturbed = sum(r.disturbed for r in results.values())
    if disturbed:
        c.say(f"  {disturbed} pairs thrown away: somebody else's programs came or went meanwhile")
    for r in results.values():
        if r.why:
            c.say(f"  missing: {r.why}")


def run():
    c.title("1. ns added to a system call (getppid in a tight loop)")
    found, missing = observers()
    c.say(f"  medians of {ROUNDS} rounds, order rotated; each is a pair: the loop alone, then watched,")
    c.say(f"  {MS} ms of its CPU time on CPU {c.LOOP_CPU}; observers on {sorted(c.OTHER_CPUS)}")
    with open("/proc/sys/kernel/bpf_stats_enabled") as f:
        c.say(f"  kernel.bpf_stats_enabled = {f.read().strip()}; ottop switches BPF run-time "
              "statistics on for 100 ms every 10 s:")
    c.say("  slices of the loop in which they were on are counted apart, in the last column")
    nothing, results = measure(found)
    show(nothing, results)
    for m in missing:
        c.say(f"  missing: {m}")
    c.aim("(d) at home within 1.5x of (b)", ratio(results, "(d)", "(b)"), 1.5)
    c.aim("(e) syscall view within 1.5x of (c)", ratio(results, "(e)", "(c)"), 1.5)
    c.aim("(e) under two thirds of (f)", ratio(results, "(e)", "(f)"), 2 / 3)
