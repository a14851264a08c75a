"""How events of older schema versions become today's.

An event type's first stored form is version 1. When its form changes in a way that a default cannot cover, an
upcaster is registered here under ``(type, from_version)``: a function from the stored document of that version
to the document of the next. The type's present version is thereby one more than its last upcaster's. A function
may change the ``type`` itself (a renamed event): the chain goes on under the new name, from ``from_version + 1``.

Rules: an upcaster is pure and total, never changed once released, and works on plain JSON values. Golden files
(tests/golden/events) of every version that was ever stored prove that the whole chain still reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Document = dict[str, Any]
Upcaster = Callable[[Document], Document]
Upcasters = Mapping[tuple[str, int], Upcaster]

UPCASTERS: Upcasters = {}
"""By (stored type, the version it turns into the next one)."""


def current_versions(upcasters: Upcasters) -> dict[str, int]:
    """The present schema version of each type that has had more than one."""
    versions: dict[str, int] = {}
    for name, from_version in upcasters:
        versions[name] = max(versions.get(name, 1), from_version + 1)
    return versions


def upcast(document: Document, version: int, upcasters: Upcasters) -> Document:
    """``document``, whose ``type`` names it, brought from ``version`` to the newest one that is known."""
    while (step := upcasters.get((document["type"], version))) is not None:
        document = step(document)
        version += 1
    return document
