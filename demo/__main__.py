"""``python -m demo``: sandbox, service and client on free loopback ports; ends with exit code 0 if all was true."""

from __future__ import annotations

import fcntl
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from platformdirs import user_cache_path
from rich.markup import escape

from clients.sdk import Triptych, TriptychError
from demo.processes import StartFailed, running
from demo.stage import NotTrue, Stage
from demo.story import tell


def main() -> int:
    stage = Stage()
    folder = user_cache_path("triptych") / "demo"
    started = time.monotonic()
    stage.console.print("[bold]Triptych[/bold]: one gallery for pictures and video that are made on request.")
    stage.console.print(
        "This demo runs the real service against a sandbox in place of the vendors: no keys, no cost."
    )
    try:
        _play(stage, folder)
    except KeyboardInterrupt:
        stage.console.print("\nStopped.")
        return 130
    except (NotTrue, TriptychError, StartFailed, OSError) as error:
        stage.console.print(f"\n[red]The demo failed:[/red] {escape(str(error))}", soft_wrap=True)
        stage.console.print(f"The logs are in {folder}.")
        return 1
    _farewell(stage, folder, time.monotonic() - started)
    return 0


def _play(stage: Stage, folder: Path) -> None:
    data_dir = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        _take(folder, stack)
        with stage.waiting("starting the sandbox"):
            sandbox = stack.enter_context(
                running("sandbox", ["--json", "--speed", "3"], environment={}, log_file=folder / "sandbox.log")
            )
        settings = {name: value for name, value in sandbox.ready.items() if name.startswith("TRIPTYCH_")}
        settings |= {
            "TRIPTYCH_DATA_DIR": str(data_dir),
            "TRIPTYCH_API_PORT": "0",
            "TRIPTYCH_FIRST_LOOK_SECONDS": "0.3",
        }
        with stage.waiting("starting the service with its PostgreSQL"):
            service = stack.enter_context(
                running("service", ["serve", "--json"], environment=settings, log_file=folder / "service.log")
            )
        stage.console.print(f"The service answers on {service.ready['api']}.")
        with Triptych(service.ready["api"]) as client:
            tell(stage, client, data_dir / "media")


def _take(folder: Path, stack: ExitStack) -> None:
    """Clears what an earlier demo left. Raises StartFailed while another one is using it."""
    lock = stack.enter_context((folder / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartFailed(f"another demo is running in {folder}; wait until it ends") from None
    shutil.rmtree(folder / "data", ignore_errors=True)
    for log in folder.glob("*.log"):
        log.unlink()


def _farewell(stage: Stage, folder: Path, seconds: float) -> None:
    console = stage.console
    console.print(f"\n[bold green]All {stage.claims} claims were true[/bold green] ({seconds:.0f} s).")
    console.print(f"The pictures are in {folder / 'data' / 'media'}, until the next demo.")
    console.print("\nTo start the service for good, with your own keys:")
    console.print("  export TRIPTYCH_FAL_KEY=... TRIPTYCH_OPENAI_API_KEY=...")
    console.print(f"  {Path(sys.executable).parent / 'triptychd'} serve")
    console.print("Without keys, against the sandbox (it prints the settings to copy):")
    console.print(f"  {sys.executable} -m sandbox")


if __name__ == "__main__":
    sys.exit(main())
