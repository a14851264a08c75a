"""Runs the Bot API server: ``python -m sandbox.telegram --help``."""

from sandbox.telegram.cli import app

app(prog_name="python -m sandbox.telegram")
