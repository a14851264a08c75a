"""triptychd: runs and looks after the service."""

from service.cli.main import main

__all__ = ["main"]
