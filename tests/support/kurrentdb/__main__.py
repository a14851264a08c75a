"""The server as a process: ``python -m tests.support.kurrentdb --port 2113 --file log``. SIGTERM ends it."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.support.kurrentdb import Faults, KurrentDBServer


async def serve(port: int, path: Path | None, version: str, as_json: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with KurrentDBServer(port=port, path=path, faults=Faults(version=version)) as server:
        facts = {"address": server.address, "connection_string": server.connection_string}
        print(json.dumps(facts) if as_json else f"Listening: {server.connection_string}", flush=True)
        await stopping.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.kurrentdb", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--file", type=Path, help="where the log is kept; in memory if not given")
    parser.add_argument("--version", default=Faults().version, help="what it says it is")
    parser.add_argument("--json", action="store_true", help="print the address as JSON")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.file, arguments.version, arguments.json))


main()
