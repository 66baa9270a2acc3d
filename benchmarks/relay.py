"""`python -m benchmarks.relay ADDRESS HOST:PORT...`: each PORT of ADDRESS leads to HOST:PORT, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def leading_to(host: str, port: int) -> Connected:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        await asyncio.gather(_pour(reader, back), _pour(there, writer), return_exceptions=True)

    return connected


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def relay(address: str, ends: list[str]) -> None:
    for end in ends:
        host, _, port = end.rpartition(":")
        await asyncio.start_server(leading_to(host, int(port)), address, int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], sys.argv[2:]))
