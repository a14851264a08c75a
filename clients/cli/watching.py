"""Commands that follow what was asked for: watch, cancel, generations."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from clients.cli import problems, tables
from clients.cli.output import print_json
from clients.cli.progress import describe_state, follow
from clients.cli.results import item_line, print_goes_on, print_outcome
from clients.cli.session import Session, command
from clients.sdk import GenerationState

app = typer.Typer()

GenerationId = Annotated[str, typer.Argument(metavar="GENERATION_ID", help="Its id, as `generate` prints it.")]


@command(app)
def watch(
    session: Session,
    generation_id: Annotated[
        str | None, typer.Argument(metavar="[GENERATION_ID]", help="A generation; without it, the whole gallery.")
    ] = None,
    type_name: Annotated[str | None, typer.Option("--type", "-t", help="Of the gallery, only this type.")] = None,
    after: Annotated[int, typer.Option("--after", help="Of the gallery, only what is new after this position.")] = 0,
) -> None:
    """Watch a generation to its end, or the gallery as it changes until Ctrl-C.

    With --json, a line for each state or change; resume a gallery with --after and the last line's position.

    Examples:

      triptych watch 1b4e28ba-2fa1-51d2-883f-0016d3cca427

      triptych watch --user anna --json
    """
    if generation_id is None:
        _watch_gallery(session, type_name, after)
        return
    with closing(session.client.watch_generation(generation_id, user_id=session.user_or_none)) as states:
        generation = follow(states, session, every_state_as_json=session.as_json)
    if generation is None:
        return
    if not session.as_json:
        print_outcome(generation, session)
    if generation.state is not GenerationState.SUCCEEDED:
        raise typer.Exit(problems.FAILED)


def _watch_gallery(session: Session, type_name: str | None, after: int) -> None:
    user_id, caught_up = session.user, False
    with closing(session.client.watch_items(user_id, type=type_name, after_position=after)) as changes:
        for change in changes:
            if session.as_json:
                print_json(change)
                continue
            for item in change.items:
                session.out.print(item_line(item), soft_wrap=True)
            for item_id in change.removed_item_ids:
                session.out.print(f"{item_id}  {session.words('removed')}", soft_wrap=True)
            if change.caught_up and not caught_up:
                caught_up = True
                session.err.print(f"{session.words('watching')}.", style="dim")


@command(app)
def cancel(session: Session, generation_id: GenerationId) -> None:
    """Cancel a generation while that is possible; its credits come back.

    Exit code 1 if it is too late, with the reason.

    Example: triptych cancel 1b4e28ba-2fa1-51d2-883f-0016d3cca427
    """
    generation = session.client.cancel_generation(generation_id, user_id=session.user_or_none)
    if session.as_json:
        print_json(generation)
    elif generation.ended:
        print_outcome(generation, session)
    else:
        session.out.print(f"{session.words('cancel_open')}.", soft_wrap=True)
        print_goes_on(generation, session)


@command(app)
def generations(
    session: Session,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only those that are being made now.")] = False,
    page_size: Annotated[int | None, typer.Option(help="How many, up to 200. [default: 24]")] = None,
    page: Annotated[str | None, typer.Option("--older", "--newer", help="A token that a page showed.")] = None,
) -> None:
    """List what was asked for, newest first, also what failed and what is being made.

    Example: triptych generations --user anna --unfinished
    """
    user_id = session.user
    found = session.client.list_generations(user_id, unfinished_only=unfinished, page_size=page_size, page_token=page)
    if session.as_json:
        print_json(found)
        return
    rows = [(generation, describe_state(generation, session.words)) for generation in found]
    tables.print_generations(rows, session)
    tables.print_tokens(found, session)
