"""All cases, in the order of the result. A module that measures has one, named ``CASE``."""

from __future__ import annotations

from benchmarks import analysts, append, catching_up, history, seen, start
from benchmarks.case import Case

CASES: list[Case] = [append.CASE, catching_up.CASE, seen.CASE, history.CASE, start.CASE, analysts.CASE]
