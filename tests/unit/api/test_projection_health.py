"""Health tells a projection that has stopped, or stands still, from one that is only slow."""

from __future__ import annotations

from service.api.projection_health import STANDSTILL_SECONDS, Watch
from service.ports.projections import ProjectionStatus


class Told:
    def __init__(self) -> None:
        self.now = 0.0
        self._watch = Watch(lambda: self.now)

    def serves(self, position: int, *, head: int, state: str = "live") -> bool:
        status = ProjectionStatus(
            name="work_list",
            version=1,
            position=position,
            lag=head - position,
            state=state,  # type: ignore[arg-type]
        )
        return self._watch.judge([status])["work_list"]


def test_one_that_keeps_up_serves_however_long_nothing_happens() -> None:
    told = Told()
    assert told.serves(5, head=5)
    told.now = 10 * STANDSTILL_SECONDS
    assert told.serves(5, head=5)
    assert told.serves(5, head=6)


def test_one_that_moves_serves_however_far_it_is_behind() -> None:
    told = Told()
    for step in range(10):
        told.now = step * STANDSTILL_SECONDS
        assert told.serves(step, head=1000)


def test_one_that_stands_still_behind_the_log_does_not_serve() -> None:
    told = Told()
    assert told.serves(5, head=6)
    told.now = STANDSTILL_SECONDS
    assert not told.serves(5, head=7)
    assert told.serves(7, head=7)


def test_one_that_has_stopped_does_not_serve() -> None:
    assert not Told().serves(5, head=5, state="stopped")


def test_a_build_that_nobody_reads_says_nothing() -> None:
    building = ProjectionStatus(name="gallery", version=2, position=1, lag=9, state="building", serving=False)
    assert Watch().judge([building]) == {}
