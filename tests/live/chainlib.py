# SPDX-License-Identifier: GPL-2.0-or-later
"""curl -> nginx (proxy_pass) -> Python, each request with a `traceparent` that nginx passes on: the
expected spans of such a chain, whoever decoded them."""
import collections
import os
import socket
import subprocess
import sys
import time

import lib

# Ids in hex; links: of span ids. kind: 2 server, 3 client.
Span = collections.namedtuple('Span', 'service kind path status trace id parent links')

SERVER_PROGRAM = '''
import http.server, time
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        time.sleep(0.05)    # of many requests on a busy host the slowest are listed
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
print(s.server_address[1], flush=True)
s.serve_forever()
'''
NGINX = '''
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}
}}
'''


def free_ports(n):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def listens(port, process):
    for _ in range(600):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return True
        except OSError:
            if process.poll() is not None:
                return False
            time.sleep(0.1)
    return False


class Chain:
    def __init__(self, folder):
        self.python = lib.spawn(sys.executable, '-c', SERVER_PROGRAM, stdout=subprocess.PIPE, text=True)
        behind = int(self.python.stdout.readline())
        with open('/proc/%d/comm' % self.python.pid) as f:
            self.name = f.read().strip()
        (self.port,) = free_ports(1)
        config = os.path.join(folder, 'nginx.conf')
        with open(config, 'w') as f:
            f.write(NGINX.format(port=self.port, behind=behind))
        self.nginx = lib.spawn('nginx', '-p', folder, '-c', config, stderr=subprocess.DEVNULL)
        if not listens(self.port, self.nginx):
            raise RuntimeError('nginx does not listen')
        self.asked = {}     # path -> (trace, parent)

    def ask(self):
        """One request with a path, trace and parent of its own; returns the path."""
        path = '/chain-%d/%d' % (os.getpid(), len(self.asked))
        trace, parent = os.urandom(16).hex(), os.urandom(8).hex()
        status, out, _ = lib.run('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '-H',
                                 'traceparent: 00-%s-%s-01' % (trace, parent),
                                 'http://127.0.0.1:%d%s' % (self.port, path))
        if (status, out) != (0, b'200'):
            raise RuntimeError('curl: %s %s' % (status, out))
        self.asked[path] = trace, parent
        return path

    def close(self):
        for p in self.nginx, self.python:
            p.kill()
            p.wait()

    def n_told(self, spans):
        return sum(1 for s in spans if s.path in self.asked)

    def check(self, tap, spans, what):
        """Each request has four spans of one trace, exported once, and both ends of each call are
        linked."""
        wrong, unlinked = [], []
        by_path = {}
        for s in spans:
            by_path.setdefault(s.path, []).append(s)
        for path, (trace, parent) in self.asked.items():
            four = by_path.get(path, [])
            ends = sorted((s.service, s.kind) for s in four)
            if ends != sorted([('curl', 3), ('nginx', 2), ('nginx', 3), (self.name, 2)]):
                wrong.append('%s: %s' % (path, ends))
            elif any((s.trace, s.parent, s.status) != (trace, parent, 200) for s in four):
                wrong.append('%s: %s, asked with %s %s' % (path, four, trace, parent))
            elif not linked(four, ('curl', 3), ('nginx', 2)) or not linked(four, ('nginx', 3), (self.name, 2)):
                unlinked.append('%s: %s' % (path, four))
        tap.ok(self.asked and not wrong, what + ': curl, nginx twice and Python are one trace, once (%d)' %
               len(self.asked), *wrong[:5])
        tap.ok(not unlinked, what + ': the two ends of each call are linked', *unlinked[:5])
        times = collections.Counter(s.id for s in spans)
        twice = [s for s in spans if times[s.id] > 1]
        tap.ok(not twice, what + ': no span came twice', len(twice), *twice[:6])


def linked(spans, one, other):
    """Whether one of two ends links to the other."""
    a, b = ([s for s in spans if (s.service, s.kind) == end][0] for end in (one, other))
    return b.id in a.links or a.id in b.links
