#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""OTLP's three services on grpcio: prints its port, then a line of JSON for each request. Answers
OK, except to calls whose number is given: `grpc_collector.py 2=UNAVAILABLE ...`."""
import json
import sys
import threading
from concurrent import futures

try:
    import grpc
except ImportError:
    sys.exit(3)

SCRIPT = dict(a.split('=') for a in sys.argv[1:])
lock, calls = threading.Lock(), [0]


def export(path):
    def handler(request, context):
        with lock:
            calls[0] += 1
            code = SCRIPT.get(str(calls[0]), 'OK')
            print(json.dumps({'path': path, 'code': code, 'data': request.hex(),
                              'metadata': [[k, str(v)] for k, v in context.invocation_metadata()],
                              'left_s': context.time_remaining()}), flush=True)
        if code != 'OK':
            context.abort(grpc.StatusCode[code], 'as asked: 5 % of it')
        return b''
    return handler


class Services(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method.startswith('/opentelemetry.proto.collector.'):
            return grpc.unary_unary_rpc_method_handler(export(details.method))
        return None


server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Services(),))
port = server.add_insecure_port('127.0.0.1:0')
server.start()
print(port, flush=True)
server.wait_for_termination()
