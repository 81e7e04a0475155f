# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the tests with the Collector and Prometheus: Prometheus as started in docs/deploy.md."""
import json
import os
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'live'))
import chainlib
import lib

DEPLOY = os.path.join(lib.ROOT, 'docs', 'deploy')


def enter_network(tap):
    """Restarts the test in a network namespace of its own, with only loopback."""
    if os.environ.get('OTTOP_IN_NETWORK'):
        return
    os.environ['OTTOP_IN_NETWORK'] = '1'
    if lib.run('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up')[0] != 0:
        tap.skip(os.path.basename(sys.argv[0]), 'no network namespaces here')
        tap.end()
    os.execvp('unshare', ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', sys.executable, *sys.argv])


def need(tap, name, *things):
    """Ends the test where one of (name, available) is missing."""
    for what, there in things:
        if not there:
            tap.skip(name, 'no ' + what)
            tap.end()


class Prometheus:
    """With docs/deploy/prometheus.yaml and its data in a folder."""

    def __init__(self, tap, binary, folder):
        (self.port,) = chainlib.free_ports(1)
        log = os.path.join(folder, 'prometheus.log')
        with open(log, 'w') as f:
            self.process = lib.spawn(binary, '--config.file=' + os.path.join(DEPLOY, 'prometheus.yaml'),
                                     '--storage.tsdb.path=' + os.path.join(folder, 'tsdb'),
                                     '--web.listen-address=127.0.0.1:%d' % self.port,
                                     '--web.enable-otlp-receiver', stdout=f, stderr=f)
        tap.ok(chainlib.listens(self.port, self.process), 'Prometheus runs with docs/deploy/prometheus.yaml',
               open(log, errors='replace').read()[-3000:])

    def url(self):
        """URL for OTLP."""
        return 'http://127.0.0.1:%d/api/v1/otlp' % self.port

    def query(self, text, at):
        """Series at an instant, in seconds since 1970."""
        url = 'http://127.0.0.1:%d/api/v1/query?%s' % (self.port, urllib.parse.urlencode(
            {'query': text, 'time': '%.3f' % at}))
        with urllib.request.urlopen(url) as r:
            return json.load(r)['data']['result']

    def close(self):
        self.process.kill()
        self.process.wait()
