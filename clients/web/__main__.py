"""``python -m clients.web``, or ``triptych-web``: serves the gallery until it is stopped.

With ``--json`` the first line on stdout is JSON with the address, for programs that start it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from typing import Annotated

import typer
import uvicorn

# The transport's own log lines are not for people. It reads this when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from clients.sdk import AsyncTriptych, InvalidOption
from clients.web.app import build_app
from clients.web.settings import WebSettings, WebSettingsError, load_web_settings, secret_of

STOP_SECONDS = 5


def serve(
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
    until_stdin_ends: Annotated[
        bool, typer.Option("--until-stdin-ends", hidden=True, help="Stop also when standard input, a pipe, ends.")
    ] = False,
) -> None:
    """Serves the web gallery. Settings: TRIPTYCH_WEB_..., TRIPTYCH_SERVER, TRIPTYCH_TOKEN (docs/web.md)."""
    try:
        settings = load_web_settings()
        secret = secret_of(settings)
        client = AsyncTriptych()
        listener = _listen(settings)
    except (WebSettingsError, InvalidOption, OSError) as error:
        sys.stderr.write(f"triptych-web: {error}\n")
        raise typer.Exit(2) from None
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    app = build_app(settings, secret, client)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    ready = json.dumps({"url": settings.url}) if as_json else f"The gallery is at {settings.url}. Ctrl-C stops it."
    sys.stdout.write(ready + "\n")
    sys.stdout.flush()
    server = uvicorn.Server(config)
    if until_stdin_ends:
        threading.Thread(target=_stop_with_stdin, args=(server,), daemon=True, name="stdin").start()
    server.run(sockets=[listener])


def _stop_with_stdin(server: uvicorn.Server) -> None:
    """For whoever starts this as a child: the pipe ends when the parent does, however it dies."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    server.should_exit = True


def _listen(settings: WebSettings) -> socket.socket:
    """Bound before it is announced: whoever reads the address may connect at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    listener.listen(128)
    return listener


def main() -> None:
    """The entry point."""
    typer.run(serve)


if __name__ == "__main__":
    main()
