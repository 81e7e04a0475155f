# SPDX-License-Identifier: GPL-2.0-or-later
"""What observing HTTP costs its users, with TLS and without, and programs that speak something
else: CPU time a request of server and client, requests a second, and the observer's own CPU
time."""
import json
import os
import re
import resource
import signal
import subprocess
import tempfile
import time

import common as c
import http_sockets
import work

ROUNDS = int(os.environ.get("OTTOP_BENCH_ROUNDS", "5"))
ONLY = os.environ.get("OTTOP_BENCH_HTTP")	# a pattern of names
SECONDS = 3
STEADY = 2000	# requests a second for latencies
CLIENTS = 4
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


# ---- loads: requests done ----

def done(pattern, *argv):
    out = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    m = re.search(pattern, out.stdout)
    if out.returncode or not m:
        raise RuntimeError(f"{argv[0]}: {(out.stderr or out.stdout).strip()[:200]}")
    return int(m.group(1))


def wrk(url):
    return done(r"(\d+) requests in", "wrk", "-t", "1", "-c", "16", "-d", f"{SECONDS}s", url)


def h2load(url):
    return done(r"(\d+) succeeded", "h2load", "-n", "60000", "-c", "16", "-m", "4", url)


def steady(url, h1):
    """Percentiles in us at a rate far below the server's limit."""
    with tempfile.NamedTemporaryFile("r") as log:
        done(r"(\d+) succeeded", "h2load", "-c", str(CLIENTS), "--rps", str(STEADY // CLIENTS),
             "-n", str(STEADY * SECONDS), "--log-file", log.name, *(["--h1"] if h1 else []), url)
        took = sorted(int(line.split("\t")[2]) for line in log)
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}


def redis_benchmark(port):
    done(r"(\d+)[\d.]* requests per second", "redis-benchmark", "-q", "-p", port, "-n", "100000", "-c", "16", "-t", "get")
    return 100000


def pgbench(port):
    return done(r"actually processed: (\d+)", "pgbench", "-h", "127.0.0.1", "-p", port, "-U", "nobody", "-S", "-c", "8",
                "-T", str(SECONDS), "postgres")


# ---- servers: each returns its process and the load ----

def nginx(load, scheme, options):
    def start(directory):
        port = work.free_port()
        certificate = f"ssl_certificate {directory}/cert; ssl_certificate_key {directory}/key;"
        with open(directory + "/small", "w") as f:
            f.write("x" * 500)
        return (work.nginx(directory, port, options, f"root {directory}; {certificate}"),
                load, f"{scheme}://127.0.0.1:{port}/small")
    return start


def go(scheme):
    def start(directory):
        port = str(work.free_port())
        files = [directory + "/cert", directory + "/key"] if scheme == "https" else []
        p = subprocess.Popen([c.OUT + "/web", port] + files, stderr=subprocess.DEVNULL)
        return work.wait_for(int(port), p), wrk, f"{scheme}://127.0.0.1:{port}/small"
    return start


def redis(directory):
    port = str(work.free_port())
    p = subprocess.Popen(["redis-server", "--port", port, "--save", "", "--dir", directory], stdout=subprocess.DEVNULL)
    return work.wait_for(int(port), p), redis_benchmark, port


def postgres(directory):
    tools, port, data = postgres_tools(), str(work.free_port()), directory + "/data"
    os.chmod(directory, 0o777)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(AS_NOBODY + [tools + "/initdb", "-D", data, "-A", "trust"], cwd=directory, **quiet)
    p = subprocess.Popen(AS_NOBODY + [tools + "/postgres", "-D", data, "-p", port, "-k", "", "-F"], cwd=directory,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work.wait_for(int(port), p)
    subprocess.run(["pgbench", "-h", "127.0.0.1", "-p", port, "-U", "nobody", "-i", "postgres"], **quiet)
    return p, pgbench, port


def postgres_tools():
    base = "/usr/lib/postgresql"
    found = [f"{base}/{v}/bin" for v in os.listdir(base)] if os.path.isdir(base) else []
    return next((d for d in found if os.access(d + "/initdb", os.X_OK)), "")


def have_go():
    made = os.path.exists(c.OUT + "/web") or c.have("go")
    return made and not subprocess.run(["go", "build", "-o", c.OUT + "/web", "tests/bench/web.go"], cwd=c.ROOT,
                                       env=os.environ | {"GOFLAGS": "-mod=mod", "GO111MODULE": "off"}).returncode


def tools(*names):
    return lambda: all(c.have(n) for n in names)


# name, requirements, start function, aim: ottop's cost in % of its CPU time
LOADS = [
    ("nginx", tools("nginx", "wrk", "openssl"), nginx(wrk, "http", ""), 3),
    ("nginx TLS", tools("nginx", "wrk", "openssl"), nginx(wrk, "https", "ssl"), 5),
    ("nginx HTTP/2", tools("nginx", "h2load", "openssl"), nginx(h2load, "http", "http2"), 3),
    ("nginx HTTP/2 TLS", tools("nginx", "h2load", "openssl"), nginx(h2load, "https", "ssl http2"), 5),
    ("Go", have_go, go("http"), 3),
    ("Go TLS", have_go, go("https"), 5),
    ("redis", tools("redis-server", "redis-benchmark"), redis, 1),
    ("postgresql", lambda: c.have("pgbench") and postgres_tools(), postgres, 1),
]


# ---- observers ----

class Watching(c.Observer):
    """On all CPUs, as started by a user; ready once it has seen a request of that URL."""

    def __init__(self, name, argv, url=None, seen=None, **more):
        super().__init__(name, argv, lambda o: not seen or self.asks(url, seen), **more)

    def asks(self, url, seen):
        kind = ["--http2-prior-knowledge"] if self.prior else []
        if url:
            subprocess.run(["curl", "-sk", "-o", "/dev/null"] + kind + [url], check=True)
        return re.search(seen, self.text())

    prior = False
    said = {}  # by name, in the last run

    def __enter__(self):
        self.start(set(c.CPUS))
        return self

    def __exit__(self, *exc):
        self.said[self.name] = self.stop()


def ottop(name, url):
    def make():
        seen = r'"path":"/small"' if url else r"(?s)\n.*\n"
        w = Watching("ottop", [c.OTTOP, "--json", "-v", "http,probes", "-d", "1"], url, seen, settle=1,
                     stop=signal.SIGTERM)
        w.prior = name == "nginx HTTP/2"
        return w
    return make


PLAIN_BT = """
tracepoint:syscalls:sys_enter_read { @in[tid] = (uint64)args->buf; @fd[tid] = (uint64)args->fd; }
tracepoint:syscalls:sys_enter_recvfrom { @in[tid] = (uint64)args->ubuf; @fd[tid] = (uint64)args->fd; }
tracepoint:syscalls:sys_exit_read, tracepoint:syscalls:sys_exit_recvfrom /@in[tid]/ {
    if (args->ret > 4) {
        $text = str(@in[tid], 48);
        if (strncmp($text, "GET ", 4) == 0) { @path[pid, @fd[tid]] = $text; @since[pid, @fd[tid]] = nsecs; }
    }
    delete(@in[tid]); delete(@fd[tid]);
}
tracepoint:syscalls:sys_enter_write, tracepoint:syscalls:sys_enter_writev, tracepoint:syscalls:sys_enter_sendto
/@since[pid, (uint64)args->fd]/ {
    @ns[@path[pid, (uint64)args->fd]] = hist(nsecs - @since[pid, (uint64)args->fd]);
    delete(@since[pid, (uint64)args->fd]);
}
BEGIN { printf("ready\\n"); } interval:s:1 { print(@ns); }
"""
TLS_BT = """
uprobe:%(l)s:SSL_read { @in[tid] = arg1; @ssl[tid] = arg0; }
uretprobe:%(l)s:SSL_read /@in[tid]/ {
    if ((int32)retval > 4) {
        $text = str(@in[tid], 48);
        if (strncmp($text, "GET ", 4) == 0) { @path[@ssl[tid]] = $text; @since[@ssl[tid]] = nsecs; }
    }
    delete(@in[tid]);
}
uprobe:%(l)s:SSL_write { @out[tid] = arg0; }
uretprobe:%(l)s:SSL_write /@since[@out[tid]]/ {
    @ns[@path[@out[tid]]] = hist(nsecs - @since[@out[tid]]);
    delete(@since[@out[tid]]);
}
BEGIN { printf("ready\\n"); } interval:s:1 { print(@ns); }
"""


def library(pid):
    m = re.search(r"/\S*libssl\.so\S*", c.proc_file(pid, "maps"))
    return m.group(0) if m else ""


def peers(name, server, url):
    """Alternatives to ottop that can see the requests here."""
    port = re.search(r":(\d+)/", url).group(1)
    if name not in ("nginx", "nginx TLS"):
        return []
    script = TLS_BT % {"l": library(server.pid)} if "TLS" in name else PLAIN_BT
    found = [("bpftrace", ["bpftrace", "-e", script], {"seen": "ready", "tracefs": True})]
    if "TLS" not in name:
        found += [("tcpdump", ["tcpdump", "-i", "lo", "-w", "/dev/null", "port", port], {"seen": "listening"}),
                  ("tshark", ["tshark", "-Q", "-l", "-i", "lo", "-f", f"port {port}", "-Y", "http", "-T", "fields",
                              "-e", "http.request.uri", "-e", "http.response.code", "-e", "http.time"],
                   {"seen": "^", "settle": 3})]
    for peer in {f[0] for f in found if not c.have(f[0])}:
        c.say(f"  missing: {peer}")
    return [(n, lambda n=n, argv=argv, more=more: Watching(n, argv, **more)) for n, argv, more in found if c.have(n)]


# ---- figures ----

def named(pids, name):
    return [p for p in pids if c.proc_file(p, "comm").strip() == name]


def figures(server, load, where, watcher):
    """us of CPU a request of server, client and observer (of that: its reader); requests a second."""
    own = c.family(watcher.proc.pid) if watcher else []
    reader = named(own, "ottop-protocols")
    served, watched, read = c.run_ns(c.family(server.pid)), c.run_ns(own), c.run_ns(reader)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    at = time.monotonic()
    n = load(where)
    seconds = time.monotonic() - at
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return {"server": (c.run_ns(c.family(server.pid)) - served) / 1e3 / n, "client": client * 1e6 / n,
            "own": (c.run_ns(own) - watched) / 1e3 / n, "reader": (c.run_ns(reader) - read) / 1e3 / n,
            "rate": n / seconds}


def programs(text, everyone=False):
    """{program: (runs a second, ns a run)} of the busiest interval; of the collector http, or of
    all."""
    best = {}
    for line in text.splitlines():
        try:
            rows = json.loads(line)["tables"]["probes"]["rows"]
        except ValueError:
            continue  # it was ended within a line
        for r in rows:
            if (everyone or r["collector"] == "http") and r["run_rate"] and r["run_rate"] > best.get(r["probe"], (0,))[0]:
                best[r["probe"]] = (r["run_rate"], r["ns_per_run"] or 0)
    return best


def split(found, text):
    """Where the additional CPU time of an observed request goes."""
    added = {f: c.median([seen[f] - beside[f] for seen, beside in found]) for f in ("server", "client", "own", "reader")}
    rate = c.median([seen["rate"] for seen, _ in found])
    run = programs(text, True)
    bpf = sum(n * ns for n, ns in run.values()) / 1e3 / rate
    calls = [p for p in run if "sys_enter" in p or "sys_exit" in p]
    c.say(f"  us added to a request: server {added['server']:+.2f}, client {added['client']:+.2f} (of both about "
          f"{bpf:.2f} in BPF programs, the rest is tracepoints, traps and colder caches), the reader {added['reader']:.2f}, the sampler and "
          f"others {added['own'] - added['reader']:.2f}; programs on all system calls: {', '.join(calls) or 'none'}")


def ratio(runs, figure):
    """Median of the quotients of neighbouring runs."""
    return c.median([seen[figure] / beside[figure] for seen, beside in runs])


def row(name, runs):
    mid = lambda figure: c.number(c.median([seen[figure] for seen, _ in runs]), 1)
    quotients = [seen["server"] / beside["server"] for seen, beside in runs]
    return [name, mid("server"), c.number(c.median(quotients), 2), "+-" + c.number(c.spread(quotients), 2),
            mid("client"), c.number(ratio(runs, "client"), 2), mid("own"),
            c.number(c.median([seen["rate"] for seen, _ in runs])), c.number(ratio(runs, "rate"), 2)]


def latencies(name, url, watcher):
    """Latency added to each request where CPU time is not scarce."""
    alone, found = work.neighbours([watcher], lambda w: steady(url, "HTTP/2" not in name), ROUNDS)
    all_added = {p: [seen[p] - beside[p] for seen, beside in found["ottop"]] for p in ("p50", "p99")}
    added = {p: c.median(all_added[p]) for p in all_added}
    c.say(f"  at {STEADY:,} requests/s: p50 {c.median([a['p50'] for a in alone]):.0f} us and {added['p50']:+.0f} with "
          f"ottop, p99 {c.median([a['p99'] for a in alone]):.0f} and {added['p99']:+.0f}")
    limit, differ = 100 if "TLS" in name else 10, c.spread(all_added["p99"])
    if differ > limit:
        c.say(f"  aim: {name}: at most {limit} us added at p99: cannot be told, the runs differ by {differ:.0f} us each way")
    else:
        c.aim(f"{name}: added at p99, us", added["p99"], limit)


def measure(name, server, load, where, limit):
    url = where if "/" in where else None
    watchers = [("ottop", ottop(name, url))] + (peers(name, server, url) if url else [])
    load(where)  # a first time to warm up
    alone, found = work.neighbours(watchers, lambda w: figures(server, load, where, w), ROUNDS)
    mid = lambda figure: c.number(c.median([a[figure] for a in alone]), 1)
    c.table([name, "server us", "ratio", "spread", "client us", "ratio", "own us", "requests/s", "ratio"],
            [["alone", mid("server"), "", "", mid("client"), "", "", c.number(c.median([a["rate"] for a in alone])), ""]] +
            [row(n, runs) for n, runs in found.items()])
    split(found["ottop"], Watching.said["ottop"])
    for probe, (rate, ns) in sorted(programs(Watching.said["ottop"]).items()):
        c.say(f"  {probe:28} {rate:9.0f} runs a second, {ns:5.0f} ns each")
    lost = [100 - 100 * seen["rate"] / beside["rate"] for seen, beside in found["ottop"]]
    what = f"{name}: at most {limit} % less requests"
    if c.spread(lost) > limit:
        c.say(f"  aim: {what}: cannot be told, the runs differ by {c.spread(lost):.0f} % each way")
    else:
        c.aim(what, c.median(lost), limit)
    if url and c.have("h2load"):
        latencies(name, url, watchers[0])


# ---- the kernel's own cost of calling programs ----

EXCHANGES = [("http", "sockets"), ("other", "sockets"), ("https", "tls")]  # names in loop.c and limit.bpf.c


def exchange_ns(kind, directory):
    """us of CPU time of a request and its answer, both ends in one thread; without BPF statistics,
    unless they are always on."""
    more = [directory + "/cert", directory + "/key"] if kind == "https" else []
    out = subprocess.run([f"{c.OUT}/loop", str(c.LOOP_CPU), "500", "20", kind] + more, capture_output=True, text=True,
                         check=True).stdout
    slices = [line.split() for line in out.splitlines()[1:]]
    quiet = [float(ns) for ns, _, stats in slices if stats == "0"]
    return {"us": c.median(quiet or [float(s[0]) for s in slices]) / 1000}


def library_of(program):
    m = re.search(r"=> (\S*/libssl\S+)", subprocess.run(["ldd", program], capture_output=True, text=True).stdout)
    return m.group(1) if m else ""


def floor(directory):
    """Empty programs in the places of ottop's, and ottop, each between two runs without observer."""
    rows = []
    for kind, limit in EXCHANGES:
        empty = [f"{c.OUT}/limit", f"{c.OUT}/limit.bpf.o", limit]
        if kind == "https":
            empty.append(os.path.realpath(library_of(f"{c.OUT}/loop")))
        watchers = [("empty", lambda empty=empty: Watching("empty", empty, None, "ready")), ("ottop", ottop("loop", None))]
        alone, found = work.neighbours(watchers, lambda _: exchange_ns(kind, directory), ROUNDS)
        added = {n: [seen["us"] - beside["us"] for seen, beside in runs] for n, runs in found.items()}
        cells = [f"{c.median(a):+.2f} +-{c.spread(a):.2f}" for a in (added["empty"], added["ottop"])]
        rows.append([kind, c.number(c.median([a["us"] for a in alone]), 2)] + cells)
    c.say("  us of CPU time of one exchange, both ends in one thread (loop.c): what empty programs add on the same")
    c.say("  tracepoints (https: a trap and a return trap at SSL_read and SSL_write), and what ottop adds, those included")
    c.table(["exchange", "alone", "empty", "ottop"], rows)
    c.say()


def run():
    c.title("9. HTTP: us of CPU time a request")
    if not ONLY or re.fullmatch(ONLY, "floor"):
        with work.Directory() as directory:
            work.certificate(directory)
            floor(directory)
    if not ONLY or re.fullmatch(ONLY, "sockets"):
        http_sockets.run()
    for name, ready, start, limit in LOADS:
        if ONLY and not re.fullmatch(ONLY, name):
            continue
        if not ready():
            c.say(f"  missing: what {name} needs")
            continue
        with work.Directory() as directory:
            work.certificate(directory)
            server, load, where = start(directory)
            try:
                measure(name, server, load, where, limit)
            finally:
                work.stop(server)
        c.say()
