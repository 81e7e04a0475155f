# SPDX-License-Identifier: GPL-2.0-or-later
"""1. What each observer adds to a system call: getppid in a tight loop."""
import json
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


class Nothing:
    name = "(a) nothing"

    def start(self):
        pass

    def stop(self):
        return ""


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
    # @calls[123, loop, 110]: and a line a bucket: [64, 128)   4711 |@@@ |
    n = 0
    inside = False
    for line in text.splitlines():
        if line.startswith("@"):
            inside = line.startswith(f"@calls[{pid}, loop, ")
        elif inside and (m := re.match(r"[\[(][^)\]]*[)\]]\s+(\d+) \|", line)):
            n += int(m[1])
    return n


def seen_perf(text, pid):
    of = re.search(rf"loop \({pid}\), .*?\n(.*?)(?:\n\n\n|\Z)", text, re.S)
    call = of and re.search(r"getppid\s+(\d+)", of[1])
    return int(call[1]) if call else 0


def observers():
    """Name, observer, how to find in its output how many calls it saw; or why it is missing."""
    limit = [f"{c.OUT}/limit", f"{c.OUT}/limit.bpf.o"]
    found = [
        (Nothing(), None),
        (c.Observer("(b) empty enter + exit", limit + ["empty"], c.first_line), None),
        (c.Observer("(c) clock read in each", limit + ["clock"], c.first_line), None),
        (c.ottop("(d) ottop at home", "--json", "-v", "processes"), seen_ottop_home),
        (c.ottop("(e) ottop syscall view", "--json", "-v", "syscalls"), seen_ottop_syscalls),
    ]
    missing = []
    if c.have("bpftrace"):
        found.append((c.Observer("(f) bpftrace", ["bpftrace", "-e", BPFTRACE],
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


def run_loop():
    p = subprocess.Popen([f"{c.OUT}/loop", str(c.LOOP_CPU), str(MS), str(SLICES)],
                         stdout=subprocess.PIPE, text=True)
    text = p.communicate()[0]
    if p.returncode:
        c.fail("the loop could not run")
    lines = [line.split() for line in text.splitlines()]
    return p.pid, int(lines[0][0]), [(float(ns), stats == "1") for ns, _, stats in lines[1:]]


class Result:
    def __init__(self):
        self.quiet, self.added, self.with_stats = [], [], []
        self.seen = self.why = None

    def add(self, slices, base):
        quiet = [ns for ns, stats in slices if not stats]
        self.with_stats += [ns for ns, stats in slices if stats]
        if quiet:
            self.quiet.append(c.median(quiet))
            self.added.append(self.quiet[-1] - (base or self.quiet[-1]))


def one(observer, seen, result, base, last):
    observer.start()
    pid, made, slices = run_loop()
    if last and seen:
        time.sleep(2.2 if "ottop" in observer.name else 0.2)  # until it is in a full interval
    text = observer.stop()
    result.add(slices, base)
    if last and seen:
        result.seen = (seen(text, pid), made)


def measure(found):
    results = {o.name: Result() for o, _ in found}
    for r in range(ROUNDS):
        base = None
        order = found[1:]
        order = found[:1] + order[r % len(order):] + order[:r % len(order)]
        for o, seen in order:
            if results[o.name].why:
                continue
            try:
                one(o, seen, results[o.name], base, r == ROUNDS - 1)
            except RuntimeError as e:
                results[o.name].why = str(e)
            if base is None:
                base = results[o.name].quiet[-1]
    return results


def ratio(results, a, b):
    x, y = (next((v for n, v in results.items() if n.startswith(k)), None) for k in (a, b))
    if not x or not y or not x.added or not y.added or x.why or y.why:
        return None
    return c.median(x.added) / c.median(y.added)


def show(results):
    rows = []
    for name, r in results.items():
        if r.why:
            continue
        seen = "-" if not r.seen else ("all" if r.seen[0] == r.seen[1] else
                                       f"{r.seen[0]:,} of {r.seen[1]:,}")
        rows.append([name, c.number(c.median(r.quiet)), c.number(c.median(r.added)),
                     "+-" + c.number(c.spread(r.added)),
                     *(c.number(ratio(results, name[:3], k), 2) for k in ("(b)", "(c)", "(f)")),
                     seen, f"{len(r.with_stats)}" + (
                         f" ({c.number(c.median(r.with_stats))} ns)" if r.with_stats else "")])
    c.table(["observer", "ns/call", "added", "spread", "/(b)", "/(c)", "/(f)", "calls seen",
             "slices with BPF statistics"], rows)
    for r in results.values():
        if r.why:
            c.say(f"  missing: {r.why}")


def run():
    c.title("1. ns added to a system call (getppid in a tight loop)")
    found, missing = observers()
    c.say(f"  medians of {ROUNDS} rounds of {MS} ms, order rotated, loop on CPU {c.LOOP_CPU}, "
          f"observers on {sorted(c.OTHER_CPUS)}; CPU time of the loop")
    with open("/proc/sys/kernel/bpf_stats_enabled") as f:
        c.say(f"  kernel.bpf_stats_enabled = {f.read().strip()}; ottop switches BPF run-time "
              "statistics on for 100 ms every 10 s:")
    c.say("  slices of the loop in which they were on are counted apart, in the last column")
    results = measure(found)
    show(results)
    for m in missing:
        c.say(f"  missing: {m}")
    c.aim("(d) at home within 1.5x of (b)", ratio(results, "(d)", "(b)"), 1.5)
    c.aim("(e) syscall view within 1.5x of (c)", ratio(results, "(e)", "(c)"), 1.5)
    c.aim("(e) under two thirds of (f)", ratio(results, "(e)", "(f)"), 2 / 3)
