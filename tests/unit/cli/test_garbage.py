from __future__ import annotations

import gc

from service.cli.garbage import THRESHOLDS, set_collector_for_serving


def test_what_is_loaded_is_left_alone_and_cycles_are_still_found() -> None:
    before = gc.get_threshold()
    try:
        set_collector_for_serving()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == THRESHOLDS
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
