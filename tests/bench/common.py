# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the parts of the benchmark: building, observers, medians, tables."""
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
OUT = os.path.join(BUILD, "bench")
BUILT = os.environ.get("OTTOP", os.path.join(BUILD, "ottop"))
OTTOP = os.path.join(OUT, "ottop")  # a copy, so that a build meanwhile does not disturb
CPUS = sorted(os.sched_getaffinity(0))
LOOP_CPU = CPUS[-1]
OTHER_CPUS = set(CPUS[:-1]) or set(CPUS)


def say(text=""):
    print(text, flush=True)


def title(text):
    say()
    say(text)
    say("-" * len(text))


def build():
    """The helper programs, into build/bench/. They are small, so always all of them."""
    os.makedirs(OUT, exist_ok=True)
    arch = {"x86_64": "x86", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    commands = [["clang", "-target", "bpf", f"-D__TARGET_ARCH_{arch}", "-g", "-O2", "-mcpu=v3", "-I.",
                 "-c", "-o", f"{OUT}/limit.bpf.o", "tests/bench/limit.bpf.c"]]
    for name, more in (("limit", []), ("loop", ["tests/bench/exchange.c", "-lssl", "-lcrypto"]), ("sleepers", [])):
        commands.append(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-I.", "-o", f"{OUT}/{name}",
                         f"tests/bench/{name}.c"] + more + ["-lbpf"])
    shutil.copy(BUILT, OTTOP)
    for command in commands:
        subprocess.run(command, cwd=ROOT, check=True)


def have(tool):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return any(os.access(os.path.join(p, tool), os.X_OK) for p in path.split(":"))


# ---- figures ----

def median(values):
    return statistics.median(values) if values else float("nan")


def spread(values):
    """Half the distance between the quartiles: the uncertainty of a repeated median."""
    if len(values) < 4:
        return (max(values) - min(values)) / 2 if values else float("nan")
    q = statistics.quantiles(values, n=4, method="inclusive")
    return (q[2] - q[0]) / 2


def number(v, digits=0):
    return "-" if v is None or v != v else f"{v:,.{digits}f}"


def megabytes(n):
    return f"{n / 1e6:.1f} MB"


def aim(text, value, limit):
    """One line: aim and result."""
    if value is None or value != value:
        say(f"  aim: {text}: not measured")
    else:
        say(f"  aim: {text}: {'reached' if value <= limit else 'MISSED'} "
            f"({value:.3g} of {limit:.3g})")


def table(heads, rows):
    """First column left-aligned, the others right-aligned."""
    rows = [[str(c) for c in r] for r in rows]
    widths = [max(len(r[i]) for r in [heads] + rows) for i in range(len(heads))]
    for r in [heads] + rows:
        say("  " + "  ".join(c.rjust(w) if i else c.ljust(w)
                             for i, (c, w) in enumerate(zip(r, widths))).rstrip())


# ---- processes ----

def proc_file(pid, name):
    with open(f"/proc/{pid}/{name}", errors="replace") as f:
        return f.read()


def bpf_objects(pids, number):
    """/proc/PID/fdinfo of every BPF object that these processes have open, by its `number`
    ("map_id", "prog_id")."""
    found = {}
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fdinfo"):
            try:
                text = proc_file(pid, f"fdinfo/{fd}")
            except OSError:
                continue
            info = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            if number in info and "link_id" not in info:    # a link has its program's number
                found[info[number]] = info
    return found


def stat_fields(pid):
    return proc_file(pid, "stat").rpartition(")")[2].split()


def children_of(pid):
    found = []
    for p in os.listdir("/proc"):
        try:
            if p.isdigit() and int(stat_fields(p)[1]) == pid:
                found += [int(p)] + children_of(int(p))
        except (OSError, IndexError):
            pass
    return found


def family(pid):
    """A process and all its descendants."""
    return [pid] + children_of(pid)


def run_ns(pids):
    """CPU time of all living threads of these processes, and of children they have waited for."""
    total = 0
    for pid in pids:
        total += sum(map(int, stat_fields(pid)[13:15])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        for tid in os.listdir(f"/proc/{pid}/task"):
            try:
                total += int(proc_file(pid, f"task/{tid}/schedstat").split()[0])
            except OSError:
                pass  # ended meanwhile
    return total


def programs_ns(pids):
    """Run time of the BPF programs that these processes hold, each once; only while timed()."""
    return sum(int(info["run_time_ns"]) for info in bpf_objects(pids, "prog_id").values() if "run_time_ns" in info)


@contextlib.contextmanager
def timed():
    """The kernel measures the run time of BPF programs."""
    with open("/proc/sys/kernel/bpf_stats_enabled", "r+") as f:
        was = f.read()
        f.write("1")
        f.flush()
        try:
            yield
        finally:
            f.write(was)


def percent(ns, seconds):
    """Percent of the machine."""
    return ns / seconds / 1e9 / len(CPUS) * 100


def rss_bytes(pid):
    """Its own resident memory: what a forked child shares with its parent counts once."""
    kib = 0
    for line in proc_file(pid, "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            kib += int(line.split()[1])
    return kib * 1024


def cpu_seconds(pid):
    f = stat_fields(pid)
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def nothing_inherited(cpus):
    """For Popen: a process group of its own on these CPUs."""
    def set_up():
        os.setpgid(0, 0)
        os.sched_setaffinity(0, cpus)
    return set_up


class Observer:
    """An observing program, started for a measurement and stopped after it."""

    def __init__(self, name, argv, ready, settle=0.3, stop=signal.SIGINT, tracefs=False, programs=0):
        self.name, self.argv, self.ready, self.settle = name, argv, ready, settle
        self.stop_signal, self.tracefs = stop, tracefs
        self.programs = programs  # its BPF links on sys_enter and sys_exit
        self.proc = None
        self.out = os.path.join(OUT, "observer.out")

    def command(self):
        if not self.tracefs:
            return self.argv
        # a private mount, unless it is mounted already
        script = ("[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing;"
                  " [ -e /sys/kernel/debug/tracing ] || mount -t debugfs none /sys/kernel/debug;"
                  ' exec "$@"')
        return ["unshare", "-m", "sh", "-c", script, "sh"] + self.argv

    def start(self, cpus=None):
        self.file = open(self.out, "w+")
        self.proc = subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=self.file,
                                     stderr=subprocess.STDOUT,
                                     preexec_fn=nothing_inherited(cpus or OTHER_CPUS))
        limit = time.monotonic() + 60
        while not self.ready(self):
            if self.proc.poll() is not None or time.monotonic() > limit:
                why = self.text().strip().splitlines()[-1:] or ["no output"]
                self.stop()
                raise RuntimeError(f"{self.name} did not start: {why[0]}")
            time.sleep(0.02)
        time.sleep(self.settle)

    def text(self):
        with open(self.out, errors="replace") as f:
            return f.read()

    def stop(self):
        """Ends it; returns its output."""
        if self.proc.poll() is None:
            self.proc.stdin.close()
            self.proc.send_signal(self.stop_signal)
        try:
            self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.file.close()
        return self.text()


def first_line(observer):
    return "\n" in observer.text()


def ottop(name, *args, programs=0):
    return Observer(name, [OTTOP] + list(args), first_line, settle=0.15, stop=signal.SIGTERM,
                    programs=programs)


def fail(text):
    sys.exit(f"bench: {text}")
