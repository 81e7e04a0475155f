# SPDX-License-Identifier: GPL-2.0-or-later
"""A program on a pseudo-terminal: its output, when, and its cost."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import common as c


class Terminal:
    def __init__(self, argv, columns=200, rows=60, env=None):
        self.argv = argv
        self.sent = bytearray()
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update({"TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})})
            os.execvp(argv[0], argv)

    def read(self, seconds, until=None):
        """Bytes that come in so many seconds, or until `what` is among all that came."""
        end = time.monotonic() + seconds
        n = 0
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                break
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                raise RuntimeError(f"{self.argv[0]} ended: {self.last_line()}") from None
            n += len(data)
            self.sent += data
            if until and until(self.sent):
                break
        return n

    def quiet(self, seconds):
        """Reads until nothing comes for so long."""
        while self.read(seconds):
            pass

    def send(self, keys):
        os.write(self.fd, keys)

    def last_line(self):
        lines = self.sent.decode(errors="replace").strip().splitlines()
        return lines[-1][-200:] if lines else "no output"

    def run_ns(self):
        """CPU time of all its threads and of its children, to the nanosecond."""
        return c.run_ns(c.family(self.pid))

    def stop(self):
        try:
            os.kill(self.pid, signal.SIGTERM)
            end = time.monotonic() + 5
            while time.monotonic() < end and os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                self.read(0.05)
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError, RuntimeError):
            pass
        os.close(self.fd)
