"""history simulate: what other prices or rules would have meant."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from clients.cli import problems
from clients.cli.history import progress
from clients.cli.moments import end_of
from clients.cli.output import clean, print_json
from clients.cli.session import Session, command
from clients.cli.tables import bare_table
from clients.history.source import REPLAY_TIMEOUT_SECONDS
from clients.sdk import SimulatedDifference, SimulatedRefusal, Simulation, WhatIf

app = typer.Typer()


@command(app)
def simulate(
    session: Session,
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", exists=True, dir_okay=False, help="A catalog with other types, prices or limits."),
    ] = None,
    refund_rule: Annotated[
        str | None,
        typer.Option(
            "--refund-rule",
            help="What comes back at the end: undelivered (as it is), failed, incomplete, or none.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="MOMENT", help="Before a time with its zone, or up to a position."),
    ] = None,
    users: Annotated[int | None, typer.Option("--users", help="How many users to tell of. [default: 10]")] = None,
) -> None:
    """Replay history with another catalog or refund rule, and show the difference. Nothing is changed.

    What users wanted and what the vendor delivered stays as it was; prices, limits, balances and refunds are decided
    anew. Requests that were refused in reality are not in the log, so none of those is accepted here.

    Examples:

      triptych history simulate --catalog dearer.toml

      triptych history simulate --refund-rule failed --until yesterday --json
    """
    if catalog is None and refund_rule is None:
        raise problems.Usage("Say what is to be other than it was: --catalog FILE, --refund-rule RULE, or both.")
    what_if: WhatIf = {
        "catalog_toml": _text(catalog) if catalog is not None else None,
        "refund_rule": refund_rule,
        "user_count": users,
    }
    if (end := end_of("--until", until)) is not None:
        what_if[end[0]] = end[1]
    simulation = _run(session, what_if)
    if session.as_json:
        print_json(simulation)
    else:
        _print(simulation, session)


def _text(catalog: Path) -> str:
    try:
        return catalog.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise problems.Usage(
            f"--catalog {catalog} is no text in UTF-8 ({error.reason} at byte {error.start})."
        ) from error


def _run(session: Session, what_if: WhatIf) -> Simulation:
    patient = session.client.with_options(transfer_timeout_seconds=REPLAY_TIMEOUT_SECONDS)
    with closing(patient.simulate_history(**what_if)) as steps, progress.steps(session, "Simulating") as show:
        for step in steps:
            show(step.position, step.end_position)
            if step.simulation is not None:
                return step.simulation
    raise problems.Usage("The service ended the simulation without a result; its version may be another one.")


def _print(simulation: Simulation, session: Session) -> None:
    out = session.out
    table = bare_table("", "Accepted", "Taken", "Given back", "Kept", "Difference")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, difference in [*simulation.types.items(), ("all", simulation.total)]:
        _add_rows(table, name, difference)
    out.print(table)
    out.print()
    out.print(_refusals(simulation.total.refused_count, simulation.refusals), soft_wrap=True)
    if simulation.users:
        out.print()
        _print_users(simulation, session)


def _add_rows(table: Table, name: str, difference: SimulatedDifference) -> None:
    for word, totals in ((f"{name}, as it was", difference.actual), (f"{name}, what if", difference.simulated)):
        kept = f"{difference.credits_kept:+,}" if totals is difference.simulated else ""
        table.add_row(
            clean(word),
            f"{totals.accepted_count:,}",
            f"{totals.credits_taken:,}",
            f"{totals.credits_refunded:,}",
            f"{totals.credits_kept:,}",
            Text(kept, style="bold"),
        )


def _refusals(count: int, refusals: tuple[SimulatedRefusal, ...]) -> str:
    if not count:
        return "No request would have been refused."
    reasons = ", ".join(f"{each.count:,} × {each.type} ({_reason(each)})" for each in refusals)
    return f"{count:,} requests that were accepted would have been refused: {reasons}."


def _reason(refusal: SimulatedRefusal) -> str:
    if refusal.field:
        return f"the catalog does not allow its {refusal.field}"
    return {"INSUFFICIENT_CREDITS": "not enough credits"}.get(refusal.reason, refusal.reason)


def _print_users(simulation: Simulation, session: Session) -> None:
    shown = len(simulation.users)
    of = f"{simulation.affected_user_count:,} users"
    session.out.print(f"Most different for {shown} of {of}" if shown < simulation.affected_user_count else of)
    table = bare_table("User", "Kept", "What if", "Difference", "Refused", "Balance then")
    for column in table.columns[1:]:
        column.justify = "right"
    for user in simulation.users:
        difference = user.difference
        table.add_row(
            clean(user.user_id),
            f"{difference.actual.credits_kept:,}",
            f"{difference.simulated.credits_kept:,}",
            Text(f"{difference.credits_kept:+,}", style="bold"),
            f"{difference.refused_count:,}",
            f"{user.simulated_balance:,}",
        )
    session.out.print(table)
