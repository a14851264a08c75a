"""Libraries that only analysts need, imported when they are first used: the rest works without them."""

from __future__ import annotations

import importlib
from typing import Any

from clients.history.errors import LibraryMissing


def library(name: str) -> Any:
    """The module of that name, such as ``pyarrow.parquet``. Raises LibraryMissing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:
            raise
        raise LibraryMissing(package) from error
