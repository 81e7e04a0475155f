# SPDX-License-Identifier: GPL-2.0-or-later
"""gRPC answers, and a run in which each answer of a script is given to one call."""
import os
import struct

import lib
import otlplib
from otlplib import GRPC, SENT


def message(payload, flag=0):
    return struct.pack('>BI', flag, len(payload)) + payload


def answered(code='0', payload=b'', *more, flag=0, head=GRPC):
    return lambda c: c.send(c.headers(*head), c.data(message(payload, flag)),
                            c.headers(('grpc-status', code), *more, end=True))


def trailers_only(code, *more, head=GRPC):
    return lambda c: c.send(c.headers(*head, ('grpc-status', code), *more, end=True))


def no_trailers(*more):
    return lambda c: c.send(c.headers(*GRPC, *more), c.data(message(b''), end=True))


def not_grpc(status, kind='text/html'):
    return lambda c: c.send(c.headers((':status', status), ('content-type', kind)), c.data(b'<html>', end=True))


OK = answered()


def peak(pid):
    with open('/proc/%d/status' % pid) as f:
        return [int(l.split()[1]) for l in f if l.startswith('VmHWM')][0] << 10


def run_script(tap, script):
    """Steps: (what, answer, expected outcome of the batch, points refused); OK after the last."""
    given = []      # (step, call), in order

    def answer(call):
        step = script[len(given)] if len(given) < len(script) else ('OK', OK, SENT)
        given.append((step, call))
        step[1](call)

    collector = otlplib.Http2Collector(answer)
    ottop = lib.Ottop('host', '--otlp', 'http://127.0.0.1:%d/a/path/is/none' % collector.port, '--otlp-processes', '3',
                      interval=0.25,
                      env={**os.environ, 'OTEL_METRIC_EXPORT_INTERVAL': '1', 'OTEL_TRACES_EXPORTER': 'none',
                           'OTEL_LOGS_EXPORTER': 'none', 'OTEL_EXPORTER_OTLP_PROTOCOL': 'grpc',
                           'OTEL_EXPORTER_OTLP_TIMEOUT': '1500'})
    collector.wait(lambda: given)
    before = peak(ottop.pid)
    done = collector.wait(lambda: len(given) >= len(script) + 3)
    grew = peak(ottop.pid) - before
    code, err = ottop.stop()
    err = err.decode() if isinstance(err, bytes) else err
    tap.ok(done, 'all answers were given', [s[0] for s, _ in given][-1:], err)
    tap.ok(grew < 24 << 20, 'what a server sends without end is not kept', '%d bytes more' % grew)
    otlplib.check_ends(tap, script, given, ottop.lines, err)
    tap.equal(code, 1, 'what was refused is a failure of the run')
    collector.close()
