# SPDX-License-Identifier: GPL-2.0-or-later
"""A collector for the tests: an HTTP server that keeps what it receives, and a reader of OTLP.

The reader knows messages by the field numbers published in opentelemetry-proto, and treats an
unknown field as an error. Where the official Python package (opentelemetry-proto) is installed,
official() parses the same bytes with it."""
import gzip
import http.server
import os
import re
import socket
import struct
import sys
import threading

# ---- the protocol: message -> number -> (name, type); a list is a repeated field ----------------

KV = ['KeyValue']
MESSAGES = {
    'AnyValue': {1: ('string_value', 'string'), 2: ('bool_value', 'bool'),
                 3: ('int_value', 'int64'), 4: ('double_value', 'double'),
                 5: ('array_value', 'ArrayValue'), 6: ('kvlist_value', 'KeyValueList'),
                 7: ('bytes_value', 'bytes')},
    'ArrayValue': {1: ('values', ['AnyValue'])},
    'KeyValueList': {1: ('values', KV)},
    'KeyValue': {1: ('key', 'string'), 2: ('value', 'AnyValue')},
    'InstrumentationScope': {1: ('name', 'string'), 2: ('version', 'string'),
                             3: ('attributes', KV), 4: ('dropped_attributes_count', 'uint32')},
    'Resource': {1: ('attributes', KV), 2: ('dropped_attributes_count', 'uint32')},
    'ExportMetricsServiceRequest': {1: ('resource_metrics', ['ResourceMetrics'])},
    'ResourceMetrics': {1: ('resource', 'Resource'), 2: ('scope_metrics', ['ScopeMetrics']),
                        3: ('schema_url', 'string')},
    'ScopeMetrics': {1: ('scope', 'InstrumentationScope'), 2: ('metrics', ['Metric']),
                     3: ('schema_url', 'string')},
    'Metric': {1: ('name', 'string'), 2: ('description', 'string'), 3: ('unit', 'string'),
               5: ('gauge', 'Gauge'), 7: ('sum', 'Sum'), 9: ('histogram', 'Histogram'),
               10: ('exponential_histogram', 'ExponentialHistogram'), 11: ('summary', 'Summary'),
               12: ('metadata', KV)},
    'Gauge': {1: ('data_points', ['NumberDataPoint'])},
    'Sum': {1: ('data_points', ['NumberDataPoint']), 2: ('aggregation_temporality', 'enum'),
            3: ('is_monotonic', 'bool')},
    'Histogram': {1: ('data_points', ['HistogramDataPoint']),
                  2: ('aggregation_temporality', 'enum')},
    'ExponentialHistogram': {1: ('data_points', ['ExponentialHistogramDataPoint']),
                             2: ('aggregation_temporality', 'enum')},
    'NumberDataPoint': {7: ('attributes', KV), 2: ('start_time_unix_nano', 'fixed64'),
                        3: ('time_unix_nano', 'fixed64'), 4: ('as_double', 'double'),
                        6: ('as_int', 'sfixed64'), 8: ('flags', 'uint32')},
    'HistogramDataPoint': {9: ('attributes', KV), 2: ('start_time_unix_nano', 'fixed64'),
                           3: ('time_unix_nano', 'fixed64'), 4: ('count', 'fixed64'),
                           5: ('sum', 'double'), 6: ('bucket_counts', ['fixed64']),
                           7: ('explicit_bounds', ['double']), 10: ('flags', 'uint32'),
                           11: ('min', 'double'), 12: ('max', 'double')},
    'Buckets': {1: ('offset', 'sint32'), 2: ('bucket_counts', ['uint64'])},
    'ExponentialHistogramDataPoint': {
        1: ('attributes', KV), 2: ('start_time_unix_nano', 'fixed64'),
        3: ('time_unix_nano', 'fixed64'), 4: ('count', 'fixed64'), 5: ('sum', 'double'),
        6: ('scale', 'sint32'), 7: ('zero_count', 'fixed64'), 8: ('positive', 'Buckets'),
        9: ('negative', 'Buckets'), 10: ('flags', 'uint32'), 12: ('min', 'double'),
        13: ('max', 'double'), 14: ('zero_threshold', 'double')},
    'ExportTraceServiceRequest': {1: ('resource_spans', ['ResourceSpans'])},
    'ResourceSpans': {1: ('resource', 'Resource'), 2: ('scope_spans', ['ScopeSpans']),
                      3: ('schema_url', 'string')},
    'ScopeSpans': {1: ('scope', 'InstrumentationScope'), 2: ('spans', ['Span']),
                   3: ('schema_url', 'string')},
    'Span': {1: ('trace_id', 'bytes'), 2: ('span_id', 'bytes'), 3: ('trace_state', 'string'),
             4: ('parent_span_id', 'bytes'), 5: ('name', 'string'), 6: ('kind', 'enum'),
             7: ('start_time_unix_nano', 'fixed64'), 8: ('end_time_unix_nano', 'fixed64'),
             9: ('attributes', KV), 10: ('dropped_attributes_count', 'uint32'), 13: ('links', ['SpanLink']),
             15: ('status', 'Status'), 16: ('flags', 'fixed32')},
    'SpanLink': {1: ('trace_id', 'bytes'), 2: ('span_id', 'bytes')},
    'Status': {2: ('message', 'string'), 3: ('code', 'enum')},
    'ExportLogsServiceRequest': {1: ('resource_logs', ['ResourceLogs'])},
    'ResourceLogs': {1: ('resource', 'Resource'), 2: ('scope_logs', ['ScopeLogs']),
                     3: ('schema_url', 'string')},
    'ScopeLogs': {1: ('scope', 'InstrumentationScope'), 2: ('log_records', ['LogRecord']),
                  3: ('schema_url', 'string')},
    'LogRecord': {1: ('time_unix_nano', 'fixed64'), 2: ('severity_number', 'enum'),
                  3: ('severity_text', 'string'), 5: ('body', 'AnyValue'),
                  6: ('attributes', KV), 7: ('dropped_attributes_count', 'uint32'),
                  8: ('flags', 'fixed32'), 9: ('trace_id', 'bytes'), 10: ('span_id', 'bytes'),
                  11: ('observed_time_unix_nano', 'fixed64'), 12: ('event_name', 'string')},
}
PROFILES = {     # v1development
    'ExportProfilesServiceRequest': {1: ('resource_profiles', ['ResourceProfiles']),
                                     2: ('dictionary', 'ProfilesDictionary')},
    'ProfilesDictionary': {1: ('mapping_table', ['Mapping']), 2: ('location_table', ['Location']),
                           3: ('function_table', ['Function']), 4: ('link_table', ['Link']),
                           5: ('string_table', ['string']), 6: ('attribute_table', ['KeyValueAndUnit']),
                           7: ('stack_table', ['Stack'])},
    'ResourceProfiles': {1: ('resource', 'Resource'), 2: ('scope_profiles', ['ScopeProfiles']),
                         3: ('schema_url', 'string')},
    'ScopeProfiles': {1: ('scope', 'InstrumentationScope'), 2: ('profiles', ['Profile']),
                      3: ('schema_url', 'string')},
    'Profile': {1: ('sample_type', 'ValueType'), 2: ('samples', ['Sample']), 3: ('time_unix_nano', 'fixed64'),
                4: ('duration_nano', 'uint64'), 5: ('period_type', 'ValueType'), 6: ('period', 'int64'),
                7: ('profile_id', 'bytes'), 11: ('attribute_indices', ['int32'])},
    'Link': {1: ('trace_id', 'bytes'), 2: ('span_id', 'bytes')},
    'ValueType': {1: ('type_strindex', 'int32'), 2: ('unit_strindex', 'int32')},
    'Sample': {1: ('stack_index', 'int32'), 2: ('attribute_indices', ['int32']), 3: ('link_index', 'int32'),
               4: ('values', ['int64']), 5: ('timestamps_unix_nano', ['fixed64'])},
    'Mapping': {1: ('memory_start', 'uint64'), 2: ('memory_limit', 'uint64'), 3: ('file_offset', 'uint64'),
                4: ('filename_strindex', 'int32'), 5: ('attribute_indices', ['int32'])},
    'Stack': {1: ('location_indices', ['int32'])},
    'Location': {1: ('mapping_index', 'int32'), 2: ('address', 'uint64'), 3: ('lines', ['Line']),
                 4: ('attribute_indices', ['int32'])},
    'Line': {1: ('function_index', 'int32'), 2: ('line', 'int64'), 3: ('column', 'int64')},
    'Function': {1: ('name_strindex', 'int32'), 2: ('system_name_strindex', 'int32'),
                 3: ('filename_strindex', 'int32'), 4: ('start_line', 'int64')},
    'KeyValueAndUnit': {1: ('key_strindex', 'int32'), 2: ('value', 'AnyValue'), 3: ('unit_strindex', 'int32')},
}
MESSAGES.update(PROFILES)
REQUESTS = {'/v1development/profiles': 'ExportProfilesServiceRequest', '/v1/metrics': 'ExportMetricsServiceRequest', '/v1/traces': 'ExportTraceServiceRequest',
            '/v1/logs': 'ExportLogsServiceRequest'}
FIXED = {'fixed64': (1, '<Q'), 'sfixed64': (1, '<q'), 'double': (1, '<d'), 'fixed32': (5, '<I')}


def varint(data, i):
    value = shift = 0
    while True:
        byte = data[i]
        i += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if not byte & 0x80:
            return value, i


def number(kind, value):
    if kind == 'int64':
        return value - (1 << 64) if value >> 63 else value
    if kind == 'sint32':
        return (value >> 1) ^ -(value & 1)
    return bool(value) if kind == 'bool' else value


def scalar(kind, wire, data, i):
    """One value that is neither a message nor bytes; (value, next)."""
    if kind in FIXED:
        want, fmt = FIXED[kind]
        assert wire == want, 'wire type %d for %s' % (wire, kind)
        n = struct.calcsize(fmt)
        return struct.unpack(fmt, data[i:i + n])[0], i + n
    assert wire == 0, 'wire type %d for %s' % (wire, kind)
    value, i = varint(data, i)
    return number(kind, value), i


def value(kind, wire, data, i):
    if kind in MESSAGES or kind in ('string', 'bytes'):
        assert wire == 2, 'wire type %d for %s' % (wire, kind)
        n, i = varint(data, i)
        raw = data[i:i + n]
        assert len(raw) == n, 'cut'
        if kind in MESSAGES:
            return decode(kind, raw), i + n
        return (raw.decode('utf-8') if kind == 'string' else raw), i + n
    return scalar(kind, wire, data, i)


def packed(kind, data, i):
    n, i = varint(data, i)
    out, end = [], i + n
    while i < end:
        v, i = scalar(kind, FIXED[kind][0] if kind in FIXED else 0, data, i)
        out.append(v)
    return out, end


def decode(message, data):
    """A message as a dict of the fields present; unknown ones are an error."""
    out, i = {}, 0
    while i < len(data):
        tag, i = varint(data, i)
        name, kind = MESSAGES[message][tag >> 3]
        if isinstance(kind, str):
            out[name], i = value(kind, tag & 7, data, i)
        elif tag & 7 == 2 and kind[0] not in MESSAGES and kind[0] not in ('string', 'bytes'):
            more, i = packed(kind[0], data, i)
            out.setdefault(name, []).extend(more)
        else:
            v, i = value(kind[0], tag & 7, data, i)
            out.setdefault(name, []).append(v)
    return out


def official(path, data):
    """The same bytes by the official definitions, fetched by tests/interop/build; ImportError:
    absent."""
    fetched = os.path.join(os.path.dirname(__file__), '..', '..', 'build', 'interop', 'python')
    if os.path.isdir(fetched) and fetched not in sys.path:
        sys.path.insert(0, fetched)
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace
    if path == '/v1development/profiles':
        from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as profiles
        return profiles.ExportProfilesServiceRequest.FromString(data)
    kinds = {'/v1/metrics': metrics.ExportMetricsServiceRequest, '/v1/logs': logs.ExportLogsServiceRequest,
             '/v1/traces': trace.ExportTraceServiceRequest}
    return kinds[path].FromString(data)


def unknown_fields(message):
    """Whether an official message, or one inside, has fields unknown to its definition."""
    again = type(message)()
    again.CopyFrom(message)
    again.DiscardUnknownFields()
    return again.ByteSize() != message.ByteSize()


# ---- contents -------------------------------------------------------------------------------

def attributes(thing):
    out = {}
    for kv in thing.get('attributes', []):
        assert kv['key'] not in out, 'twice: ' + kv['key']
        (out[kv['key']],) = kv['value'].values() or (None,)
    return out


class Point:
    """A data point with everything that identifies it."""

    def __init__(self, resource, metric, kind, data, point):
        self.resource, self.metric, self.kind = resource, metric, kind
        self.name, self.unit = metric['name'], metric.get('unit', '')
        self.attributes = attributes(point)
        self.temporality = data.get('aggregation_temporality')
        self.monotonic = data.get('is_monotonic', False)
        self.start, self.time = point.get('start_time_unix_nano', 0), point['time_unix_nano']
        self.value = point.get('as_int', point.get('as_double'))
        self.point = point

    def series(self):
        return (tuple(sorted(self.resource.items())), self.name,
                tuple(sorted(self.attributes.items())))


def points(request, ended=False):
    """Those with a value; with `ended` also the explicit ends of series."""
    for rm in request.get('resource_metrics', []):
        resource = attributes(rm['resource'])
        for sm in rm['scope_metrics']:
            for m in sm['metrics']:
                for kind in ('gauge', 'sum', 'histogram', 'exponential_histogram'):
                    for p in m.get(kind, {}).get('data_points', []):
                        if ended or not p.get('flags', 0) & 1:
                            yield Point(resource, m, kind, m[kind], p)


def items_of(requests):
    """How many data points, spans and log records they contain."""
    n = {'data points': 0, 'spans': 0, 'log records': 0}
    for r in requests:
        m = r.message()
        n['data points'] += sum(1 for _ in points(m, ended=True))
        n['spans'] += sum(len(s['spans']) for rs in m.get('resource_spans', []) for s in rs['scope_spans'])
        n['log records'] += sum(len(s['log_records']) for rl in m.get('resource_logs', []) for s in rl['scope_logs'])
    return n


def items_by_signal(err):
    """As reported by ottop at its end."""
    return {k: int(n) for n, k in re.findall(r'(\d+) (data points|spans|log records) sent', err)}


# Metrics of connections, syscalls, interfaces, drops and requests.
TABLE_METRICS = {
    'process.network.io', 'ottop.process.connection.retransmits', 'ottop.connection.io',
    'ottop.connection.retransmits', 'ottop.syscall.errors', 'ottop.syscall.duration',
    'system.network.io', 'system.network.packet.count', 'system.network.packet.dropped',
    'system.network.errors', 'ottop.drops', 'http.server.request.duration',
    'http.client.request.duration', 'rpc.server.call.duration', 'rpc.client.call.duration',
    'ottop.http.request.duration'}


# ---- the server ------------------------------------------------------------------------------------

class Request:
    def __init__(self, path, headers, wire):
        self.path, self.headers, self.wire = path, headers, wire
        zipped = headers.get('Content-Encoding') == 'gzip'
        self.data = gzip.decompress(wire) if zipped else wire

    def message(self):
        return decode(REQUESTS[self.path], self.data)


class Collector:
    """Listens on loopback and keeps requests. `answer(handler, request)` replaces the 200."""

    def __init__(self, answer=None, port=0, tls=None):
        self.requests, self.changed, self.answer = [], threading.Condition(), answer
        self.busy, self.closing, self.connections = threading.Lock(), False, set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def setup(self):
                super().setup()
                collector.connections.add(self.connection)

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                with collector.busy:
                    if collector.closing:
                        self.close_connection = True
                    else:
                        collector.take(self, Request(self.path, self.headers, body))

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, request, client_address):
                pass    # clients that close are part of the tests

        self.server = Server(('127.0.0.1', port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self):
        return 'http://127.0.0.1:%d' % self.port

    def take(self, handler, request):
        if self.answer:
            kept = self.answer(handler, request)
        else:
            reply(handler, 200)
            kept = True
        with self.changed:
            if kept:
                self.requests.append(request)
            self.changed.notify_all()

    def wait(self, good, seconds=60):
        """Waits until good(requests) is true; its last value."""
        with self.changed:
            return self.changed.wait_for(lambda: good(self.requests), seconds)

    def close(self):
        """Between two requests: what was answered was accepted, the rest was not."""
        with self.busy:
            self.closing = True
        self.server.shutdown()
        self.server.server_close()
        for c in list(self.connections):
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass    # ended


def reply(handler, status, body=b'', headers=(), kind='application/x-protobuf'):
    handler.send_response(status)
    handler.send_header('Content-Type', kind)
    handler.send_header('Content-Length', str(len(body)))
    for name, text in headers:
        handler.send_header(name, text)
    handler.end_headers()
    handler.wfile.write(body)


# ---- an HTTP/2 server that answers as gRPC should or should not
# -----------------------------------------

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
GRPC = ((':status', '200'), ('content-type', 'application/grpc'))


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + struct.pack('>BBI', kind, flags, stream) + payload


def literal(name, text):
    """A header without index and Huffman code (RFC 7541, 6.2.2)."""
    raw = name.encode(), text.encode()
    assert all(len(r) < 127 for r in raw)
    return b'\0' + b''.join(bytes([len(r)]) + r for r in raw)


class Call:
    """One complete request; answers are made of frames."""

    def __init__(self, connection, stream, body):
        self.connection, self.stream, self.body = connection, stream, body
        self.wire = body        # the same if it is sent again

    def message(self):
        zipped, n = struct.unpack('>BI', self.body[:5])
        assert n == len(self.body) - 5, 'one message and nothing else'
        data = self.body[5:]
        return decode('ExportMetricsServiceRequest', gzip.decompress(data) if zipped else data)

    def send(self, *frames):
        self.connection.sendall(b''.join(frames))

    def headers(self, *pairs, end=False):
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), self.stream,
                     b''.join(literal(*p) for p in pairs))

    def data(self, payload, end=False):
        return frame(DATA, END_STREAM if end else 0, self.stream, payload)


class Http2Collector:
    """Reads requests, skipping their headers; `answer(call)` answers."""

    def __init__(self, answer, tls=None):
        self.answer, self.tls = answer, tls
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.connections, self.changed = 0, threading.Condition()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                c = self.tls.wrap_socket(c, server_side=True)
            with c, c.makefile('rb') as f:
                if f.read(24) != b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n':
                    return
                c.sendall(frame(SETTINGS, 0, 0, struct.pack('>HI', 4, 0x7fffffff)) +
                          frame(WINDOW_UPDATE, 0, 0, struct.pack('>I', 0x7fff0000)))
                self.read(c, f)
        except OSError:
            pass    # clients that close are part of the tests

    def read(self, c, f):
        bodies = {}
        while True:
            head = f.read(9)
            if len(head) < 9:
                return
            n, kind, flags, stream = int.from_bytes(head[:3], 'big'), head[3], head[4], int.from_bytes(head[5:], 'big')
            payload = f.read(n)
            if kind in (SETTINGS, PING) and not flags & ACK:
                c.sendall(frame(kind, ACK, 0, payload if kind == PING else b''))
            if kind == DATA:
                assert not flags & 8, 'no padding is expected'
                bodies[stream] = bodies.get(stream, b'') + payload
            if kind == DATA and flags & END_STREAM:
                self.answer(Call(c, stream, bodies.pop(stream)))
                with self.changed:
                    self.changed.notify_all()

    def wait(self, good, seconds=60):
        with self.changed:
            return self.changed.wait_for(good, seconds)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


# ---- outcome of scripted answers
# ------------------------------------------------------------------------

AGAIN, SENT, REFUSED = 'again', 'sent', 'refused'


def check_ends(tap, script, given, lines, err):
    """given: (step, request) in the order of the posts; a step is (what, answer, expected outcome
    of the batch, points refused)."""
    for (step, request), (_, following) in zip(given[:len(script)], given[1:]):
        tap.ok((following.wire == request.wire) == (step[2] == AGAIN),
               '%s: %s' % (step[0], 'sent again' if step[2] == AGAIN else 'not sent again'))

    def n_points(request):
        return sum(1 for _ in points(request.message(), ended=True))

    def times(*want):
        """The time of each batch with that outcome, in order of arrival."""
        return [next(points(r.message())).time for s, r in given if s[2] in want]

    tap.equal(len(set(times(SENT))), len(times(SENT)), 'no batch was taken twice')
    everything = {int(l['time_unix_ns']) for l in lines}
    tap.equal(sorted(everything - set(times(SENT, REFUSED))), [], 'every interval was taken or refused')
    sent = sum(n_points(r) - (s + (0,))[3] for s, r in given if s[2] == SENT)
    refused = sum(n_points(r) if s[2] == REFUSED else (s + (0,))[3] for s, r in given if s[2] != AGAIN)
    said = re.search(r'(\d+) data points sent, (\d+) refused, (\d+) dropped', err)
    tap.equal(said and tuple(map(int, said.groups())), (sent, refused, 0), 'the counters tell the truth', err)
