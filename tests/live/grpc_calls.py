#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gRPC by grpcio: `serve` prints its port; `call PORT` opens one channel and does the calls on its
stdin, with a line of status codes each."""
import sys
from concurrent import futures

try:
    import grpc
except ImportError:
    sys.exit(3)

CODES = {b'missing': grpc.StatusCode.NOT_FOUND, b'full': grpc.StatusCode.RESOURCE_EXHAUSTED,
         b'down': grpc.StatusCode.UNAVAILABLE}


def unary(request, context):
    if request in CODES:
        context.abort(CODES[request], 'as asked')
    return request


def one_to_many(request, _):
    for _ in range(5):
        yield request * 1000


def many_to_one(requests, _):
    return b'%d' % sum(map(len, requests))


def many_to_many(requests, _):
    yield from requests


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return {'/test.Echo/Unary': grpc.unary_unary_rpc_method_handler(unary),
                '/test.Echo/OneToMany': grpc.unary_stream_rpc_method_handler(one_to_many),
                '/test.Echo/ManyToOne': grpc.stream_unary_rpc_method_handler(many_to_one),
                '/test.Echo/ManyToMany': grpc.stream_stream_rpc_method_handler(many_to_many)}.get(details.method)


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port('127.0.0.1:0')
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def code_of(call):
    try:
        answer = call()
        if not isinstance(answer, bytes):
            list(answer)
        return 'OK'
    except grpc.RpcError as e:
        return e.code().name


def call(port):
    channel = grpc.insecure_channel('127.0.0.1:' + port)
    for line in sys.stdin:
        method, n, what = line.split()
        what = what.encode()
        many = lambda: iter([what] * 30)
        path = '/test.Echo/' + method
        if method == 'OneToMany':
            ask = lambda: channel.unary_stream(path)(what)
        elif method == 'ManyToOne':
            ask = lambda: channel.stream_unary(path)(many())
        elif method == 'ManyToMany':
            ask = lambda: channel.stream_stream(path)(many())
        else:
            ask = lambda: channel.unary_unary(path)(what)
        print(*[code_of(ask) for _ in range(int(n))], flush=True)


if sys.argv[1] == 'serve':
    serve()
else:
    call(sys.argv[2])
