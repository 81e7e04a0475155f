# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection for each request: where the cost of observing goes: CPU a request, threads,
programs, bursts."""
import json
import os
import re
import subprocess
import threading
import time

import busy
import common as c
import work

PORT = 18081
REQUESTS = int(os.environ.get("OTTOP_BENCH_REQUESTS", "20000"))
ROUNDS = busy.ROUNDS
NICE = int(os.environ.get("OTTOP_BENCH_NICE", "0"))  # nice value of client and server: -20 against disturbance
SAMPLE_S = 0.002


# ---- observers ----

def family(watcher):
    """The processes of one of busy.watchers(), or none."""
    if not watcher:
        return []
    return c.family(watcher.t.pid if isinstance(watcher, busy.Console) else watcher.proc.pid)


# ---- load ----

def threads(pids):
    """{(pid, thread): (name, CPU ns)}"""
    found = {}
    for pid in pids:
        try:
            for tid in os.listdir(f"/proc/{pid}/task"):
                found[pid, tid] = (c.proc_file(pid, f"task/{tid}/comm").strip(),
                                   int(c.proc_file(pid, f"task/{tid}/schedstat").split()[0]))
        except OSError:
            pass  # ended
    return found


def idle_s():
    with open("/proc/stat") as f:
        fields = f.readline().split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def ab(servers, pids):
    """A run: {figure: value}; `threads`: CPU time of each of the observer's, in % of the machine."""
    before, served, idle, at = threads(pids), c.run_ns(servers), idle_s(), time.monotonic()
    client = subprocess.Popen(["nice", "-n", str(NICE), "ab", "-q", "-n", str(REQUESTS), "-c", "20", f"http://127.0.0.1:{PORT}/"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text = client.stdout.read()
    _, _, usage = os.wait4(client.pid, 0)
    client.returncode = 0
    took = time.monotonic() - at
    of, after = {}, threads(pids)
    for k, (name, ns) in after.items():
        of[name] = of.get(name, 0) + (ns - before.get(k, (name, 0))[1]) / took / 1e7 / len(c.CPUS)
    done = int(re.search(r"Complete requests:\s+(\d+)", text).group(1))
    seconds = float(re.search(r"Time taken for tests:\s+([\d.]+)", text).group(1))
    cpu = c.run_ns(servers) - served
    return {"rate": done / seconds, "us": (cpu / 1e3 + (usage.ru_utime + usage.ru_stime) * 1e6) / done,
            "idle": 100 * (idle_s() - idle) / took / len(c.CPUS), "threads": of}


# ---- programs and bursts: in a run of their own, as measuring costs ----

def names_of_programs():
    out = subprocess.run(["bpftool", "prog", "show", "--json"], capture_output=True, text=True).stdout
    return {p["id"]: p.get("name", "?") for p in json.loads(out or "[]")}


def programs(pids):
    """{id: (runs, ns)} of these processes' programs; others may observe the same machine."""
    return {int(number): (int(told["run_cnt"]), int(told["run_time_ns"]))
            for number, told in c.bpf_objects(pids, "prog_id").items() if "run_cnt" in told}


class Bursts:
    """The longest run of each thread without a pause, by frequent sampling of its CPU time."""

    def __init__(self, pids, name):
        self.tasks = [f"/proc/{pid}/task/{tid}/schedstat" for pid in pids for tid in os.listdir(f"/proc/{pid}/task")
                      if name in c.proc_file(pid, f"task/{tid}/comm")]
        self.found, self.going = [], True
        self.thread = threading.Thread(target=self.look)

    def look(self):
        last, burst = None, 0
        while self.going:
            now = sum(int(open(t).read().split()[0]) for t in self.tasks)
            if last is not None and now - last > SAMPLE_S * 1e9 / 4:
                burst += now - last
            elif burst:
                self.found.append(burst / 1e6)
                burst = 0
            last = now
            time.sleep(SAMPLE_S)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.going = False
        self.thread.join()


def ab_figures(servers, pids):
    """The same, flat: each thread is a figure."""
    got = ab(servers, pids)
    return {"us": got["us"], "idle": got["idle"], **{"thread " + t: v for t, v in got["threads"].items()}}


def split(name, make, servers):
    with make() as watcher:
        pids = family(watcher)
        with c.timed():
            before = programs(pids)
            with Bursts(pids, "ottop-sampler") as sampler, Bursts(pids, "ottop") as all_threads:
                got = ab(servers, pids)
            after, names = programs(pids), names_of_programs()
    rows = []
    for k, (runs, ns) in after.items():
        n, spent = runs - before.get(k, (0, 0))[0], ns - before.get(k, (0, 0))[1]
        if n > REQUESTS / 100:
            rows.append((spent / REQUESTS, [names.get(k, "?"), c.number(n / REQUESTS, 2), c.number(spent / n),
                                            c.number(spent / REQUESTS)]))
    rows.sort(reverse=True)
    own = {n: v * 1e4 * len(c.CPUS) / got["rate"] for n, v in got["threads"].items()}
    c.say()
    c.say(f"  {name}: programs (with statistics on, which cost themselves: {got['rate']:,.0f} requests/s)")
    c.table(["", "runs a request", "ns a run", "ns a request"], [r for _, r in rows[:14]] +
            [["all", "", "", c.number(sum(s for s, _ in rows))]])
    c.say(f"  {name}: us a request of its threads: {sum(own.values()):.1f}: " +
          ", ".join(f"{n} {v:.1f}" for n, v in sorted(own.items(), key=lambda x: -x[1]) if v >= 0.05))
    for what, b in (("sampler", sampler), ("all threads", all_threads)):
        longest = sorted(b.found, reverse=True)[:5]
        if longest:
            c.say(f"  {name}: longest bursts of {what}: {', '.join(f'{v:.1f}' for v in longest)} ms")


def shares(watchers, servers):
    """By CPU time a request, which is disturbed less than requests a second (part `busy`)."""
    alone, found = work.neighbours([(n, make) for n, make in watchers], lambda w: ab_figures(servers, family(w)), ROUNDS)
    rows = [["nobody", c.number(c.median([a["us"] for a in alone]), 1), "", c.number(c.median([a["idle"] for a in alone]), 1) + " %"]]
    for name, runs in found.items():
        own = {t for seen, _ in runs for t in seen if t.startswith("thread ")}
        own = sorted(((c.median([seen.get(t, 0) for seen, _ in runs]), t[7:]) for t in own), reverse=True)
        rows.append([name, c.number(c.median([seen["us"] for seen, _ in runs]), 1),
                     c.number(c.median([seen["us"] - beside["us"] for seen, beside in runs]), 1),
                     c.number(c.median([seen["idle"] for seen, _ in runs]), 1) + " %",
                     c.number(sum(v for v, _ in own), 1) + " %", ", ".join(f"{t} {v:.1f}" for v, t in own if v >= 0.05)])
    c.table(["us of CPU a request, both sides", "", "added", "idle", "own CPU", "of it, in % of the machine"],
            [r + [""] * (6 - len(r)) for r in rows])


def run():
    c.title("9. Short connections: where the cost goes")
    for tool in ("nginx", "ab", "bpftool"):
        if not c.have(tool):
            c.say(f"  missing: {tool}")
            return
    with work.Directory() as directory:
        server = work.nginx(directory, PORT, server='location / { return 200 "hello"; }')
        try:
            servers = c.family(server.pid)
            for pid in servers:
                os.setpriority(os.PRIO_PROCESS, pid, NICE)
            if ROUNDS:
                shares(busy.watchers(), servers)
            for name, make in busy.watchers():
                split(name, make, servers)
        finally:
            work.stop(server)
    c.say(f"  load {os.getloadavg()[0]:.1f}")
