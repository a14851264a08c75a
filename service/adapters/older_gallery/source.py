"""What an older gallery is to whoever reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from service.application.imports_rows import RawRow


class OlderGallery(NamedTuple):
    """``rows`` raises SourceBroken where it cannot be read on."""

    columns: Mapping[str, Sequence[str]]
    """From what a row tells to its columns."""
    total: int | None
    """Rows, about; None where that is not known."""
    rows: AsyncIterator[RawRow]
