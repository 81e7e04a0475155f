# SPDX-License-Identifier: GPL-2.0-or-later
"""Observed loads of several parts: servers of HTTP and others."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]


def neighbours(watchers, amount, rounds):
    """Each observer (name, function that makes a context) between two runs without any, as the
    machine is shared. amount(context or None): {figure: value}. Returns these figures alone, and
    for each observer a list of (figures, mean of its neighbours)."""
    alone, found = [amount(None)], {name: [] for name, _ in watchers}
    for _ in range(rounds):
        for name, make in watchers:
            with make() as watcher:
                seen = amount(watcher)
            alone.append(amount(None))
            found[name].append((seen, {k: (v + alone[-1][k]) / 2 for k, v in alone[-2].items()}))
    return alone, found


# ---- servers ----

class Directory:
    """A folder for a server, which may run as another user."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="ottop-bench-")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *exc):
        shutil.rmtree(self.path, ignore_errors=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    limit = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < limit:
        with socket.socket() as s:
            if not s.connect_ex(("127.0.0.1", port)):
                return process
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} does not listen")


def stop(process):
    process.terminate()
    process.wait(20)


def certificate(directory):
    subprocess.run(CERTIFICATE + ["-keyout", directory + "/key", "-out", directory + "/cert"], check=True,
                   stderr=subprocess.DEVNULL)


def nginx(directory, port, options="", server=""):
    """One worker, persistent connections; options: of listen; server: further lines."""
    with open(os.path.join(directory, "nginx.conf"), "w") as f:
        f.write(f"daemon off; worker_processes 1; error_log /dev/null; pid {directory}/pid;"
                "events { worker_connections 1024; } http { access_log off; keepalive_requests 100000000;"
                + "".join(f"{k}_temp_path {directory}/{k};" for k in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                + f"server {{ listen 127.0.0.1:{port} {options}; {server} }} }}")
    return wait_for(port, subprocess.Popen(["nginx", "-p", directory, "-c", directory + "/nginx.conf"],
                                           stderr=subprocess.DEVNULL))
