"""Runs the sandbox: ``python -m sandbox --help``."""

from sandbox.cli import app

app(prog_name="python -m sandbox")
