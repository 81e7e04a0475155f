# SPDX-License-Identifier: GPL-2.0-or-later
"""Growth of ottop's memory with nearly 20,000 HTTP sockets: half as many connections, both ends on
this host."""
import resource
import socket
import time

import common as c
import memory

PAIRS = 9_900           # usual limit of 20,000 descriptors
SOCKETS = 2 * PAIRS
AIM = 10e6
SETTLE_S = 12           # some reports, and one search of the reader for ended connections
REQUEST = b"GET /socket HTTP/1.1\r\nHost: h\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def pairs(n):
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        made = []
        for _ in range(n):
            client = socket.create_connection(listener.getsockname())
            made.append((client, listener.accept()[0]))
        return made


def exchanges(ends):
    """In parts, so that the ring has room."""
    for i, (client, server) in enumerate(ends):
        client.sendall(REQUEST)
        server.recv(4096)
        server.sendall(ANSWER)
        client.recv(4096)
        if i % 1000 == 999:
            time.sleep(0.5)


def close(ends):
    for both in ends:
        for s in both:
            s.close()


def parts(pid):
    """Bytes: of the protocol reader, of the other processes, of kernel maps."""
    pids = c.family(pid)
    reader = [p for p in pids if c.proc_file(p, "comm").strip() == "ottop-protocols"]
    own, maps = memory.sizes(pids)
    read = memory.sizes(reader)[0]
    return read, own - read, maps


def measure(before_it):
    """Growth if the sockets are opened after ottop starts, or exist before, so that it makes room
    for them."""
    o = c.ottop("ottop", "--json", "-v", "http", "-d", "1")
    ends = pairs(PAIRS) if before_it else []
    o.start()
    few = pairs(10)
    exchanges(few * 20)
    time.sleep(SETTLE_S)
    begin = parts(o.proc.pid)
    ends = ends or pairs(PAIRS)
    exchanges(ends)
    exchanges(ends)
    time.sleep(SETTLE_S)
    grown = [now - then for now, then in zip(parts(o.proc.pid), begin)]
    maps = parts(o.proc.pid)[2]
    o.stop()
    close(ends + few)
    return grown, maps


def row(name, grown, maps):
    return [name] + [c.megabytes(g) for g in grown] + [c.megabytes(sum(grown)), c.number(sum(grown) / SOCKETS), c.megabytes(maps)]


def run():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < SOCKETS + 100:
        c.say(f"  missing: memory with many sockets: this process may have {most:,} descriptors")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    after, before = measure(False), measure(True)
    c.say(f"  what ottop's memory grows by when {SOCKETS:,} sockets ({PAIRS:,} connections, both ends here) have each")
    c.say(f"  moved two requests and rested {SETTLE_S} s; of sockets that were there first the maps do not grow")
    c.table(["sockets come", "the reader", "+ other processes", "+ kernel maps", "total", "bytes a socket", "all maps then"],
            [row("after ottop", *after), row("before it", *before)])
    c.aim(f"{SOCKETS:,} sockets that come after ottop, MB", sum(after[0]) / 1e6, AIM / 1e6)
    c.say()
