"""Which events a reader of ``$all`` gets: everyone misses a few system streams, and a filter leaves out more.

A regular expression is looked for anywhere in the name (.NET's ``Match``), so ``^A|B$`` finds all that begins with A.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kurrentdbclient.protos.v1 import streams_pb2

from tests.support.kurrentdb.log import Record

Allows = Callable[[Record], bool]


class InvalidFilter(ValueError):
    """Names what is wrong with a filter, or that none was given."""


def visible_to_all(record: Record) -> bool:
    """What no reader of ``$all`` is kept from."""
    stream = record.stream
    if not stream.startswith("$"):
        return True
    if stream == "$epoch-information":
        return False
    return not (stream.startswith("$persistentsubscription-$all::") and stream.endswith(("-checkpoint", "-parked")))


def allows(options: streams_pb2.ReadReq.Options.FilterOptions) -> Allows:
    by_type = options.WhichOneof("filter") == "event_type"
    if not by_type and options.WhichOneof("filter") != "stream_identifier":
        raise InvalidFilter("a filter needs event_type or stream_identifier")
    expression = options.event_type if by_type else options.stream_identifier
    if expression.regex:
        found = re.compile(expression.regex).search
        matches: Callable[[str], bool] = lambda name: found(name) is not None  # noqa: E731
    else:
        prefixes = tuple(expression.prefix)
        matches = lambda name: name.startswith(prefixes)  # noqa: E731
    return lambda record: visible_to_all(record) and matches(record.type if by_type else record.stream)


def window(options: streams_pb2.ReadReq.Options.FilterOptions, page_size: int) -> int:
    """How many events a page looks at."""
    chosen = options.WhichOneof("window")
    if chosen == "max":
        return options.max
    if chosen == "count":
        return page_size
    raise InvalidFilter("a filter needs max or count")
