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
    catching_up.CASE,
    seen.CASE,
    history.CASE,
    start.CASE,
    analysts.CASE,
    grpc_unary.CASE,
    grpc_streams.CASE,
    gallery_growth.CASE,
    watchers.CASE,
    account_growth.CASE,
    breakdown.CASE,
]
