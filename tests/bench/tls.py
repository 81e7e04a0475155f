# SPDX-License-Identifier: GPL-2.0-or-later
"""What HTTP inside TLS costs those who speak it: h2load and nginx, a small answer, connections kept."""
import json
import os
import re
import resource
import socket
import subprocess
import tempfile
import time

import common as c

REQUESTS = 30_000
ROUNDS = 5
CONF = """daemon off; worker_processes 1; error_log stderr; pid %(d)s/pid; events { worker_connections 256; }
http { client_body_temp_path %(d)s/t1; proxy_temp_path %(d)s/t2; fastcgi_temp_path %(d)s/t3;
uwsgi_temp_path %(d)s/t4; scgi_temp_path %(d)s/t5; keepalive_requests 100000000; access_log off;
server { listen 127.0.0.1:%(p)d ssl; root %(d)s; ssl_certificate %(d)s/cert; ssl_certificate_key %(d)s/key; } }"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    """A process and all below it."""
    found = [pid]
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/children") as f:
            for child in f.read().split():
                found += children(int(child))
    return found


def cpu_us(pids):
    total = 0
    for pid in pids:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
                total += int(f.read().split()[0])
    return total / 1000


def load(url, server):
    """us of CPU time a request: of the server, and of h2load."""
    before, used = cpu_us(server), resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(["h2load", "--h1", "-n", str(REQUESTS), "-c", "16", url], capture_output=True, text=True,
                         check=True).stdout
    if int(re.search(r"(\d+) succeeded", out).group(1)) != REQUESTS:
        raise RuntimeError("h2load did not succeed")
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return (cpu_us(server) - before) / REQUESTS, client * 1e6 / REQUESTS


def watched(url, server, out):
    """The same while ottop looks at HTTP, what ottop takes itself, and the rows of its programs."""
    p = subprocess.Popen([c.OTTOP, "--json", "-v", "http,probes", "-d", "1"], stdout=out, stderr=subprocess.DEVNULL)
    try:
        time.sleep(3)
        subprocess.run(["curl", "-sk", "-o", "/dev/null", url], check=True)
        time.sleep(2)
        own = children(p.pid)
        before = cpu_us(own)
        figures = load(url, server)
        return figures + ((cpu_us(own) - before) / REQUESTS,)
    finally:
        p.terminate()
        p.wait()


def programs(path):
    """{program: (runs a second, ns a run)} of the busiest interval."""
    best = {}
    with open(path) as f:
        for line in f:
            for r in json.loads(line)["tables"]["probes"]["rows"]:
                if r["collector"] == "http" and r["run_rate"] and r["run_rate"] > best.get(r["probe"], (0,))[0]:
                    best[r["probe"]] = (r["run_rate"], r["ns_per_run"] or 0)
    return best


def measure(url, server, directory):
    alone, seen = [], []
    for _ in range(ROUNDS):
        alone.append(load(url, server))
        with open(directory + "/json", "w") as out:
            seen.append(watched(url, server, out))
    ratios = [(s[0] + s[1]) / (a[0] + a[1]) for a, s in zip(alone, seen)]
    us = lambda runs, i: f"{c.median([r[i] for r in runs]):5.1f}"
    c.say(f"us of CPU a request    nginx  h2load  ottop")
    c.say(f"  alone                {us(alone, 0)}   {us(alone, 1)}")
    c.say(f"  watched              {us(seen, 0)}   {us(seen, 1)}  {us(seen, 2)}")
    c.say(f"  ratio of both together: {c.median(ratios):.2f} (spread {c.spread(ratios):.2f}, {ROUNDS} pairs)")
    for name, (rate, ns) in sorted(programs(directory + "/json").items()):
        c.say(f"  {name:28} {rate:9.0f} runs a second, {ns:5.0f} ns each")


def run():
    c.title("HTTP inside TLS")
    for tool in ("nginx", "h2load", "openssl", "curl"):
        if not c.have(tool):
            c.say(f"  missing: {tool}")
            return
    with tempfile.TemporaryDirectory(prefix="ottop-bench-") as d:
        os.chmod(d, 0o755)
        port = free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/key", "-out",
                        d + "/cert", "-days", "2", "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
        for name, text in (("small", "x" * 500), ("conf", CONF % {"d": d, "p": port})):
            with open(f"{d}/{name}", "w") as f:
                f.write(text)
        server = subprocess.Popen(["nginx", "-p", d, "-c", d + "/conf"], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            measure(f"https://127.0.0.1:{port}/small", children(server.pid), d)
        finally:
            server.terminate()
            server.wait()
