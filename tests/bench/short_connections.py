# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection for each request: what a watcher takes of them, and where that goes: programs, threads, bursts."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

import common as c
import work

PORT = 18081
REQUESTS = int(os.environ.get("AB_REQUESTS", "20000"))
ROUNDS = int(os.environ.get("AB_ROUNDS", "5"))
NICE = int(os.environ.get("AB_NICE", "0"))  # of client and server: -20 where others disturb
SETTLE_S = 2
SAMPLE_S = 0.002
STATS = "/proc/sys/kernel/bpf_stats_enabled"


# ---- watchers ----

class Nobody:
    pids = ()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


class Watcher(Nobody):
    """A program whose output goes to a terminal of its own, 120x40, and from there nowhere."""

    def __init__(self, *argv):
        self.argv = argv

    def __enter__(self):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.proc = subprocess.Popen(self.argv, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL,
                                     env=dict(os.environ, TERM="xterm-256color"), start_new_session=True)
        os.close(slave)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        time.sleep(SETTLE_S)
        self.pids = work.family(self.proc.pid)
        return self

    def read(self):
        while True:
            try:
                if not os.read(self.master, 65536):
                    return
            except OSError:
                return

    def __exit__(self, *exc):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(20)
        self.reader.join()
        os.close(self.master)


class Json(Watcher):
    """As one has it in a pipe."""

    def __enter__(self):
        self.proc = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        time.sleep(SETTLE_S)
        self.pids = work.family(self.proc.pid)
        return self

    def __exit__(self, *exc):
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(20)


def watchers():
    wanted = os.environ.get("AB_WATCHERS")
    found = [("alone", Nobody), ("home", lambda: Watcher(c.OTTOP)),
             ("tab 5", lambda: Watcher(c.OTTOP, "-v", "connections")),
             ("--json", lambda: Json(c.OTTOP, "--json", "-v", "connections"))]
    other = os.environ.get("AB_OTHER")  # another build, to compare with
    if other:
        found += [("home: other", lambda: Watcher(other)), ("tab 5: other", lambda: Watcher(other, "-v", "connections"))]
    tcplife = os.environ.get("TCPLIFE", "tcplife")
    if c.have(tcplife) or os.access(tcplife, os.X_OK):
        found.append(("tcplife", lambda: Json(tcplife)))
    else:
        c.say("  missing: tcplife (libbpf-tools)")
    return [w for w in found if not wanted or w[0] in wanted.split(",") or w[0] == "alone"]


# ---- the work ----

def threads(pids):
    """{(pid, thread): (name, CPU ns)}"""
    found = {}
    for pid in pids:
        try:
            for tid in os.listdir(f"/proc/{pid}/task"):
                found[pid, tid] = (c.proc_file(pid, f"task/{tid}/comm").strip(),
                                   int(c.proc_file(pid, f"task/{tid}/schedstat").split()[0]))
        except OSError:
            pass  # it has ended
    return found


def idle_s():
    with open("/proc/stat") as f:
        fields = f.readline().split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def ab(servers, watcher):
    """A run: {figure: value}; `threads` has the CPU time of each of the watcher's, in % of the machine."""
    before, served, idle, at = threads(watcher.pids), work.run_ns(servers), idle_s(), time.monotonic()
    client = subprocess.Popen(["nice", "-n", str(NICE), "ab", "-q", "-n", str(REQUESTS), "-c", "20", f"http://127.0.0.1:{PORT}/"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text = client.stdout.read()
    _, _, usage = os.wait4(client.pid, 0)
    client.returncode = 0
    took = time.monotonic() - at
    of, after = {}, threads(watcher.pids)
    for k, (name, ns) in after.items():
        of[name] = of.get(name, 0) + (ns - before.get(k, (name, 0))[1]) / took / 1e7 / len(c.CPUS)
    done = int(re.search(r"Complete requests:\s+(\d+)", text).group(1))
    seconds = float(re.search(r"Time taken for tests:\s+([\d.]+)", text).group(1))
    cpu = work.run_ns(servers) - served
    return {"rate": done / seconds, "us": (cpu / 1e3 + (usage.ru_utime + usage.ru_stime) * 1e6) / done,
            "idle": 100 * (idle_s() - idle) / took / len(c.CPUS), "threads": of}


# ---- programs and bursts: a run of its own, since looking at them costs ----

def names_of_programs():
    out = subprocess.run(["bpftool", "prog", "show", "--json"], capture_output=True, text=True).stdout
    return {p["id"]: p.get("name", "?") for p in json.loads(out or "[]")}


def programs(pids):
    """{id: (runs, ns)} of the programs that these processes hold: others may watch the same machine."""
    found = {}
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fdinfo"):
            try:
                told = dict(re.findall(r"^(\w+):\s+(\d+)$", c.proc_file(pid, f"fdinfo/{fd}"), re.M))
            except OSError:
                continue
            if "run_cnt" in told:
                found[int(told["prog_id"])] = int(told["run_cnt"]), int(told["run_time_ns"])
    return found


class Bursts:
    """The longest that each thread ran without a pause, by looking at its time on a CPU very often."""

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


def split(name, make, servers):
    with make() as watcher:
        with open(STATS, "w") as f:
            f.write("1")
        try:
            before = programs(watcher.pids)
            with Bursts(watcher.pids, "ottop-sampler") as sampler, Bursts(watcher.pids, "ottop") as all_threads:
                got = ab(servers, watcher)
            after, names = programs(watcher.pids), names_of_programs()
        finally:
            with open(STATS, "w") as f:
                f.write("0")
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


def rates(found, servers):
    got = {name: [] for name, _ in found}
    for i in range(ROUNDS):
        for name, make in found[i % len(found):] + found[:i % len(found)]:
            with make() as watcher:
                got[name].append(ab(servers, watcher))
    median = {n: {k: c.median([g[k] for g in runs]) for k in ("rate", "us", "idle")} for n, runs in got.items()}
    rows = []
    for name, _ in found:
        lost = [100 * (1 - g["rate"] / a["rate"]) for g, a in zip(got[name], got["alone"])]
        m = median[name]
        names = {t for g in got[name] for t in g["threads"]}
        own = sorted(((c.median([g["threads"].get(t, 0) for g in got[name]]), t) for t in names), reverse=True)
        rows.append([name, c.number(m["rate"]), c.number(c.median(lost), 1) + " %", "+-" + c.number(c.spread(lost), 1),
                     c.number(m["us"], 1), c.number(m["us"] - median["alone"]["us"], 1), c.number(m["idle"], 1) + " %",
                     c.number(sum(v for v, _ in own), 1) + " %",
                     ", ".join(f"{t} {v:.1f}" for v, t in own if v >= 0.05)])
    c.table(["ab, a connection a request", "requests/s", "lost", "spread", "us of CPU", "added", "idle", "own CPU", "of it"],
            rows)
    for name, limit in (("home", 3), ("tab 5", 6)):
        if name in got:
            c.aim(f"{name} takes at most {limit} % of ab's requests", c.median(
                [100 * (1 - g["rate"] / a["rate"]) for g, a in zip(got[name], got["alone"])]), limit)


def run():
    c.title("6b. Short connections: where the cost goes")
    with work.Directory() as directory:
        server = work.nginx(directory, PORT, server='location / { return 200 "hello"; }')
        try:
            servers, found = work.family(server.pid), watchers()
            for pid in servers:
                os.setpriority(os.PRIO_PROCESS, pid, NICE)
            if ROUNDS:
                rates(found, servers)
            for name, make in found[1:] if os.environ.get("AB_SPLIT", "1") == "1" else ():
                split(name, make, servers)
        finally:
            work.stop(server)
        c.say(f"  load {os.getloadavg()[0]:.1f}")
