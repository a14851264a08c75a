"""The list of what a user had in an older gallery."""

from __future__ import annotations

from service.domain.imports import IMPORTS, Imports
from tests.support.samples import granted, imported, older_item


def test_what_is_listed_is_counted_and_nothing_else() -> None:
    first, _ = imported()
    second, item = imported(older_item(import_id="old-2"))
    assert IMPORTS.fold(IMPORTS.initial, [first, granted(5), item, second]) == Imports(2)
