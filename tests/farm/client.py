"""A client of solver-service in Python, with pycapnp.

    client.py SCHEMA PROGRAM ...    starts a program with one end of a pair of sockets as its standard input

The request comes from standard input, the response goes to standard output, the log to standard error.

pycapnp asks for a bootstrap service without a name, so a relay between it and the service writes the name into that
first message; everything else passes as it is.
"""

import asyncio
import os
import socket
import struct
import subprocess
import sys

import capnp

RPC = next(
    path
    for path in (
        os.path.join(os.path.dirname(capnp.__file__), "rpc.capnp"),
        "/usr/include/capnp/rpc.capnp",
        os.path.join(os.path.dirname(capnp.__file__), "include/capnp/rpc.capnp"),
    )
    if os.path.exists(path)
)
schema = capnp.load(sys.argv[1])
rpc = capnp.load(RPC, imports=[os.path.dirname(os.path.dirname(RPC))])


async def read_message(reader):
    """One message in the stream framing, as bytes."""
    head = await reader.readexactly(4)
    segments = struct.unpack("<I", head)[0] + 1
    table = await reader.readexactly(4 * segments + (4 if segments % 2 == 0 else 0))
    words = sum(struct.unpack(f"<{segments}I", table[: 4 * segments]))
    return head + table + await reader.readexactly(8 * words)


async def relay(ours, service):
    reader, writer = await asyncio.open_connection(sock=ours)
    service_reader, service_writer = await asyncio.open_connection(sock=service)

    async def outwards():
        first = await read_message(reader)
        with rpc.Message.from_bytes(first) as message:
            builder = message.as_builder()
        assert builder.which() == "bootstrap", builder.which()
        builder.bootstrap.deprecatedObjectId.set_as_text("solver")
        service_writer.write(builder.to_bytes())
        while data := await reader.read(65536):
            service_writer.write(data)
            await service_writer.drain()
        service_writer.write_eof()

    async def inwards():
        while data := await service_reader.read(65536):
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.ensure_future(outwards()), asyncio.ensure_future(inwards())]
    try:
        await asyncio.gather(*tasks)
    except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
        pass


class Log(schema.Log.Server):
    async def write(self, msg, _context, **kwargs):
        sys.stderr.write(msg)


async def main():
    request = sys.stdin.read()
    service, child = socket.socketpair()
    program = subprocess.Popen(sys.argv[2:], stdin=child)
    child.close()
    ours, theirs = socket.socketpair()
    for end in (service, ours, theirs):
        end.setblocking(False)
    relaying = asyncio.ensure_future(relay(ours, service))
    stream = await capnp.AsyncIoStream.create_connection(sock=theirs)
    solver = capnp.TwoPartyClient(stream).bootstrap().cast_as(schema.Solver)
    answer = await solver.solve(request=request, log=Log())
    print(answer.response)
    relaying.cancel()
    service.close()
    program.wait(timeout=30)


asyncio.run(capnp.run(main()))
