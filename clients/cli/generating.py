"""Commands that ask for pictures and video: generate, types."""

from __future__ import annotations

import uuid
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from clients.cli import problems, tables
from clients.cli.output import print_json
from clients.cli.progress import follow
from clients.cli.results import print_goes_on, print_outcome
from clients.cli.session import Session, command
from clients.sdk import (
    Conflict,
    DeadlineExceeded,
    Generation,
    GenerationState,
    InternalError,
    InvalidArgument,
    Requested,
    Unavailable,
    to_dict,
)

app = typer.Typer()


@command(app)
def generate(
    session: Session,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What is wanted, in your own words.")],
    type_name: Annotated[
        str, typer.Option("--type", "-t", help="What to make; `triptych types` lists what there is.")
    ] = "imagen4",
    count: Annotated[int | None, typer.Option("--count", "-n", help="How many. [default: 1]")] = None,
    aspect_ratio: Annotated[
        str | None, typer.Option("--aspect-ratio", "-a", help="Such as 16:9. [default: the type's first]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For a result that can be repeated.")] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", "-r", exists=True, dir_okay=False, help="A photo, for types that need one."),
    ] = None,
    own_words: Annotated[
        bool, typer.Option("--own-words", help="Use the prompt as it is; do not improve it.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Save what is made to this file or folder.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    request_id: Annotated[
        str | None,
        typer.Option("--request-id", help="Your name for this request; the same one again is never charged twice."),
    ] = None,
) -> None:
    """Ask for pictures or a video, and watch them being made.

    The credits are taken at once; what is not delivered is paid back. Exit code 1 if nothing came of it.

    Examples:

      triptych generate "a red fox in the snow" -o .

      triptych generate "me as an astronaut" --type avatar --reference me.jpg --count 2

      triptych generate "waves at night" --type video --aspect-ratio 16:9 --no-wait --json
    """
    user_id = session.user
    options: dict[str, Any] = {
        "request_id": request_id or str(uuid.uuid4()),
        "output_count": count,
        "aspect_ratio": aspect_ratio,
        "seed": seed,
        "enhance_prompt": False if own_words else None,
    }
    if reference is not None:
        options["reference_media_id"] = session.client.upload_reference(user_id, reference).media_id
    requested = _request(session, type_name, prompt, options)
    if not wait:
        _print_requested(requested, session)
        return
    generation = _follow_to_the_end(requested.generation, session)
    files = _save(generation, output, session) if output is not None else []
    if session.as_json:
        print_json(to_dict(generation) | {"created": requested.created, "files": [str(path) for path in files]})
    else:
        _print_end(generation, requested, files, session, hint=output is None)
    if generation.state is not GenerationState.SUCCEEDED:
        raise typer.Exit(problems.FAILED)


def _request(session: Session, type_name: str, prompt: str, options: dict[str, Any]) -> Requested:
    try:
        return session.client.request_generation(session.user, type_name, prompt, **options)
    except InvalidArgument as error:
        if "reference_media_id" not in options and any(
            each.field == "reference_media_id" for each in error.violations
        ):
            raise problems.Usage(f"--reference is missing: {type_name} is made from a photo.") from error
        raise
    except (Unavailable, DeadlineExceeded, InternalError, Conflict, KeyboardInterrupt):
        if not session.as_json:
            session.err.print(session.words("not_known", id=options["request_id"]), soft_wrap=True)
        raise


def _print_requested(requested: Requested, session: Session) -> None:
    generation = requested.generation
    if session.as_json:
        print_json(to_dict(generation) | {"created": requested.created, "files": []})
        return
    key = "requested" if requested.created else "requested_before"
    session.out.print(session.words(key, id=generation.generation_id), soft_wrap=True)
    print_goes_on(generation, session)


def _follow_to_the_end(generation: Generation, session: Session) -> Generation:
    """Watches it. After Ctrl-C it goes on being made, which is said."""
    try:
        with closing(session.client.watch_generation(generation.generation_id)) as states:
            return follow(states, session) or generation
    except KeyboardInterrupt:
        if not session.as_json:
            print_goes_on(generation, session)
        raise


def _save(generation: Generation, output: Path, session: Session) -> list[Path]:
    """Saves its items; several of them to one file name get a number before the extension."""
    saved = []
    for item in generation.items:
        target = output
        if not output.is_dir() and len(generation.items) > 1:
            target = output.with_name(f"{output.stem}-{item.index + 1}{output.suffix}")
        path = session.client.download(item.user_id, item.item_id, target).path
        if path is not None:
            saved.append(path)
    return saved


def _print_end(
    generation: Generation, requested: Requested, files: list[Path], session: Session, *, hint: bool
) -> None:
    words, out = session.words, session.out
    print_outcome(generation, session)
    balance = session.client.get_account(generation.user_id).balance
    out.print(f"  {words('balance', credits=words.credits(balance))}.", soft_wrap=True)
    if not requested.created:
        out.print(f"  {words('requested_before')}.", soft_wrap=True)
    for path in files:
        out.print(f"  {path}", soft_wrap=True)
    if hint and generation.items:
        shown = f"triptych download {generation.items[0].item_id}"
        out.print(f"  {words('fetch', command=shown)}", style="dim", soft_wrap=True)


@command(app)
def types(session: Session) -> None:
    """List what can be asked for, with prices and limits.

    Example: triptych types --language ru
    """
    catalog = session.client.list_types()
    if session.as_json:
        print_json(catalog)
    else:
        tables.print_types(catalog, session)
