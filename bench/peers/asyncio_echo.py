#!/usr/bin/env python3
"""asyncio_echo: an echo server on the streams of Python's asyncio: asyncio_echo PORT"""

import asyncio
import sys

PREFIX = b"GOT:"
ROOM = 1000


async def serve(reader, writer):
    try:
        while data := await reader.read(ROOM):
            writer.write(PREFIX + data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(port):
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) == 2 and sys.argv[1].isdecimal() else 0
    if not 1 <= number <= 65535:
        print("usage: asyncio_echo PORT (1 to 65535)", file=sys.stderr)
        sys.exit(2)
    try:
        asyncio.run(main(number))
    except OSError as error:
        sys.exit(f"asyncio_echo: {error}")
