"""All cases, in the order of the result. A module that measures has one, named ``CASE``."""

from __future__ import annotations

from benchmarks import (
    account_growth,
    analysts,
    append,
    breakdown,
    catching_up,
    gallery_growth,
    grpc_streams,
    grpc_unary,
    history,
    seen,
    start,
    watchers,
)
from benchmarks.case import Case

CASES: list[Case] = [
    append.CASE,
    grpc_unary.CASE,
    grpc_streams.CASE,
    catching_up.CASE,
    seen.CASE,
    gallery_growth.CASE,
    watchers.CASE,
    account_growth.CASE,
    history.CASE,
    start.CASE,
    breakdown.CASE,
    analysts.CASE,
]
