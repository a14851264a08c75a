"""The count after the kills would notice: each thing that must not be, put into what is otherwise a clean run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from clients.sdk import Account
from tests.soak.evidence import Evidence, File, Produced, Story
from tests.soak.load import Ask, Notes
from tests.soak.verdict import judge

PICTURE = File("a/0.png", "0" * 64, 10)
THUMBNAIL = File("a/0.webp", "1" * 64, 5)
ASK = Ask("anna", "request-1", "imagen4", "a fox", 2, "")


def notes() -> Notes:
    """Anna was granted 100 credits and asked for two pictures."""
    return Notes(granted=Counter(anna=100), acknowledged={"a": ASK})


def evidence() -> Evidence:
    """One of the two came."""
    return Evidence(
        stories={
            "a": Story("anna", price=5, ends=["GenerationSucceeded"], attempts=1, debited=10, refunded=5, outputs=1)
        },
        granted=Counter(anna=100),
        balances={"anna": 95},
        produced={"a.0": Produced("a", PICTURE, THUMBNAIL)},
        shown={"a.0": PICTURE},
        accounts={
            "anna": Account(user_id="anna", balance=95, credits_granted=100, credits_debited=10, credits_refunded=5)
        },
        jobs=Counter(a=1),
        doctor={"findings": [], "differences": [], "healthy": True, "exit_code": 0},
    )


def test_a_clean_run_has_no_findings() -> None:
    assert judge(notes(), evidence()) == []


def story_is(**changes: object) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        for name, value in changes.items():
            setattr(evidence.stories["a"], name, value)

    return change


WRONG: dict[str, tuple[Callable[[Evidence], object], str]] = {
    "lost": (lambda e: e.stories.clear(), "the log does not have it"),
    "another's": (story_is(user_id="ivan"), "belongs to ivan"),
    "a lost grant": (lambda e: e.granted.update(anna=-40), "the log says 60"),
    "never ended": (story_is(ends=[]), "has these ends: none"),
    "ended twice": (story_is(ends=["GenerationSucceeded", "GenerationFailed"]), "has these ends"),
    "not paid back": (story_is(refunded=0), "kept 10 credits for 1 outputs"),
    "paid back too much": (story_is(refunded=10), "kept 0 credits for 1 outputs"),
    "refunded by hand in part": (story_is(refunded_by_hand=3), "gave back 3 of 5 credits by hand"),
    "failed with a picture": (story_is(ends=["GenerationFailed"]), "ended as GenerationFailed with 1 outputs"),
    "overdrawn": (lambda e: setattr(e, "lowest", -5), "down to -5"),
    "another balance": (lambda e: e.balances.update(anna=90), "anna has 95 credits, the log 90"),
    "missing in the gallery": (lambda e: e.shown.clear(), "no gallery shows it"),
    "in the gallery from nowhere": (lambda e: e.shown.update({"b.0": PICTURE}), "was never produced"),
    "another file": (lambda e: e.shown.update({"a.0": THUMBNAIL}), "is shown as"),
    "a damaged file": (lambda e: e.wrong_files.append("a/0.png has other bytes"), "has other bytes"),
    "submitted twice": (lambda e: e.jobs.update(a=1), "was submitted 2 times"),
    "made without being submitted": (lambda e: e.jobs.clear(), "the vendor never had it"),
    "a job of nobody's": (lambda e: e.jobs.update(b=1), "the log does not know it"),
    "a difference": (lambda e: e.doctor["differences"].append("the read model says 3"), "the read model says 3"),
    "an ill doctor": (lambda e: e.doctor.update(exit_code=1), "ended with 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_must_not_be_is_found(name: str) -> None:
    spoil, sentence = WRONG[name]
    spoiled = evidence()
    spoil(spoiled)
    assert any(sentence in finding for finding in judge(notes(), spoiled)), judge(notes(), spoiled)
