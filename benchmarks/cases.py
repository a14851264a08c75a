"""All cases, in the order of the result."""

from __future__ import annotations

from benchmarks.case import Case

CASES: list[Case] = []
