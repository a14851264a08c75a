"""The collector of reference cycles, set for a process that serves for long.

What is loaded at the start is a few hundred thousand objects that live as long as the process; a full collection over
them stops all calls for a tenth of a second. And batches of events are thousands of objects at a time that go again
soon and have no cycles: with Python's thresholds a third of the time that projections take is spent looking through
them. What the higher thresholds leave lying a little longer is a few megabytes.
"""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 20)
"""Python's own are 700, 10, 10."""


def set_collector_for_serving() -> None:
    """To be called once all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
