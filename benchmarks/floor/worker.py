"""The floor's worker: reads an event, calls the handler, writes the result. `worker.py DESCRIPTOR`."""

import json
import os
import struct
import sys

LENGTH = struct.Struct(">I")


def handler(event, _context):
    return event


def serve(descriptor: int) -> None:
    buffer = b""
    while True:
        while len(buffer) < 4 or len(buffer) < 4 + LENGTH.unpack_from(buffer)[0]:
            data = os.read(descriptor, 262144)
            if not data:
                return
            buffer += data
        event = json.loads(buffer[4:])
        buffer = b""
        result = json.dumps(handler(event, None)).encode()
        view = memoryview(LENGTH.pack(len(result)) + result)
        while view:
            view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    serve(int(sys.argv[1]))
