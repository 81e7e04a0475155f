# SPDX-License-Identifier: GPL-2.0-or-later
"""A gRPC server and client of one program (grpc_calls.py, grpc.go), and their rows in ottop."""
from collections import Counter

import lib

FAILED = {'server': [12, 12, 14], 'client': [5, 5, 5, 8, 8, 12, 12, 14]}     # which codes are errors at that end


class Grpc:
    """`serve` prints its port, which is the next argument of `call`."""

    def __init__(self, serve, call, *more):
        self.server = lib.start(*serve)
        self.client = lib.start(*call, self.server.stdout.readline().strip(), *more)

    def do(self, line):
        self.client.stdin.write(line + '\n')
        self.client.stdin.flush()
        return self.client.stdout.readline().split()

    def end(self):
        lib.finish(self.client)
        self.server.kill()
        lib.finish(self.server)


def check(t, o, g, what, tls=0):
    """All kinds of calls, and codes."""
    want = {}
    for method, n, data in (('Unary', 60, 'x'), ('Unary', 3, 'missing'), ('Unary', 2, 'full'), ('Unary', 1, 'down'),
                            ('OneToMany', 4, 'x'), ('ManyToOne', 3, 'y'), ('ManyToMany', 3, 'z'), ('None', 2, 'x')):
        for code in g.do('%s %d %s' % (method, n, data)):
            codes = want.setdefault('/test.Echo/' + method, {})
            codes[code] = codes.get(code, 0) + 1
    n = sum(sum(codes.values()) for codes in want.values())
    for pid, side in ((g.server.pid, 'server'), (g.client.pid, 'client')):
        rows = lambda: [r for r in o.rows('http', pid) if r['path'] not in ('/test.Echo/Warm', '*')]
        o.wait(lambda: sum(r['count'] for r in rows()) >= n)
        mine = rows()
        t.equal({r['path']: lib.statuses([r]) for r in mine}, want,
                '%s: %s: methods and codes as the client has them' % (what, side))
        t.equal(({(r['side'], r['protocol'], r['method'], r['tls']) for r in mine}, sum(r['errors'] for r in mine)),
                ({(side, 'grpc', 'POST', tls)}, 8 if side == 'client' else 3),
                '%s: %s: errors, of a server those that are its fault' % (what, side))
        codes = Counter(r['status'] for r in o.rows('requests', pid) if r['status'] != 0 and r['path'] in want)
        # errors are listed first; there is room for others unless the host is busy with HTTP
        t.ok(Counter(FAILED[side]) <= codes <= Counter(FAILED['client']),
             '%s: %s: requests have their code' % (what, side), codes)
