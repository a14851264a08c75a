"""All cases, in the order of the result. A module that measures has one, named ``CASE``."""

from __future__ import annotations

from benchmarks import append, catching_up, seen
from benchmarks.case import Case

CASES: list[Case] = [append.CASE, catching_up.CASE, seen.CASE]
