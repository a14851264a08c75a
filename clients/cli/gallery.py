"""Commands of the gallery: gallery, show, download, favorite, unfavorite, trash, restore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from clients.cli import problems, tables
from clients.cli.moments import AsOf, moment_of
from clients.cli.output import file_size, print_json
from clients.cli.results import print_item, print_outcome
from clients.cli.session import Session, command
from clients.sdk import InvalidArgument, Item, ItemFilter, NotFound, Triptych, to_dict

app = typer.Typer()

ItemIds = Annotated[list[str], typer.Argument(metavar="ITEM_ID...", help="Ids, as `triptych gallery` shows them.")]


@command(app)
def gallery(
    session: Session,
    type_name: Annotated[str | None, typer.Option("--type", "-t", help="Only this type.")] = None,
    favorites: Annotated[bool, typer.Option("--favorites", help="Only favourites.")] = False,
    trash: Annotated[bool, typer.Option("--trash", help="What is in the trash.")] = False,
    search: Annotated[
        str | None, typer.Option("--search", "-s", help="Only items whose prompts have all these words.")
    ] = None,
    page_size: Annotated[int | None, typer.Option(help="How many, up to 200. [default: 24]")] = None,
    page: Annotated[str | None, typer.Option("--older", "--newer", help="A token that a page showed.")] = None,
    as_of: AsOf = None,
) -> None:
    """Show the gallery, newest first, all types together or one of them.

    Examples:

      triptych gallery --user anna

      triptych gallery --type video --favorites

      triptych gallery --search "fox snow" --json

      triptych gallery --as-of yesterday
    """
    where: ItemFilter = {"type": type_name, "favorite_only": favorites, "trashed": trash, "words": search}
    user_id = session.user
    then = moment_of("--as-of", as_of)
    found = session.client.list_items(user_id, page_size=page_size, page_token=page, as_of=then, **where)
    if session.as_json:
        print_json(found)
        return
    types = {each.type: each for each in session.client.list_types().types}
    tables.print_counts(session.client.count_items(user_id, as_of=then), types, session)
    tables.print_items(found, types, session)
    tables.print_tokens(found, session)


@command(app)
def show(
    session: Session,
    identity: Annotated[str, typer.Argument(metavar="ID", help="The id of an item, or of a generation.")],
) -> None:
    """Show all about an item of the gallery, or about a generation.

    Examples:

      triptych show 1b4e28ba-2fa1-51d2-883f-0016d3cca427.0

      triptych show 1b4e28ba-2fa1-51d2-883f-0016d3cca427
    """
    if "." in identity:  # Only an item's id has a point, before the output's number.
        user_id = session.user
        item = session.client.get_item(user_id, identity)
        if session.as_json:
            print_json(item)
        else:
            print_item(item, session)
        return
    generation = session.client.get_generation(identity, user_id=session.user_or_none)
    if session.as_json:
        print_json(generation)
    else:
        print_outcome(generation, session)


@command(app)
def download(
    session: Session,
    item_ids: ItemIds,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder, or for one item a file.", show_default="this folder")
    ] = Path(),
    thumbnail: Annotated[bool, typer.Option("--thumbnail", help="The small picture instead.")] = False,
) -> None:
    """Save items to files. A file appears whole and verified, or not at all.

    Examples:

      triptych download 1b4e28ba-2fa1-51d2-883f-0016d3cca427.0 -o fox.png

      triptych download ID1 ID2 ID3 -o pictures/
    """
    if len(item_ids) > 1 and not output.is_dir():
        raise problems.Usage(f"--output must be a folder that exists to save several items, and {output} is not.")

    user_id = session.user

    def save(item_id: str) -> None:
        saved = session.client.download(user_id, item_id, output, thumbnail=thumbnail)
        if session.as_json:
            print_json({"item_id": item_id, "path": str(saved.path)} | to_dict(saved.info))
        else:
            session.out.print(f"{saved.path}  {file_size(saved.info.size_bytes)}", soft_wrap=True)

    _each(session, item_ids, save)


@command(app)
def favorite(session: Session, item_ids: ItemIds) -> None:
    """Mark items as favourites.

    Example: triptych favorite 1b4e28ba-2fa1-51d2-883f-0016d3cca427.0
    """
    _curate(session, item_ids, Triptych.favorite_item, "marked")


@command(app)
def unfavorite(session: Session, item_ids: ItemIds) -> None:
    """Take the favourites' mark off.

    Example: triptych unfavorite 1b4e28ba-2fa1-51d2-883f-0016d3cca427.0
    """
    _curate(session, item_ids, Triptych.unfavorite_item, "unmarked")


@command(app)
def trash(session: Session, item_ids: ItemIds) -> None:
    """Move items to the trash. They can be restored.

    Example: triptych trash 1b4e28ba-2fa1-51d2-883f-0016d3cca427.0
    """
    _curate(session, item_ids, Triptych.trash_item, "trashed")


@command(app)
def restore(session: Session, item_ids: ItemIds) -> None:
    """Bring items back from the trash.

    Example: triptych restore 1b4e28ba-2fa1-51d2-883f-0016d3cca427.0
    """
    _curate(session, item_ids, Triptych.restore_item, "restored")


def _curate(session: Session, item_ids: list[str], change: Callable[[Triptych, str, str], Item], key: str) -> None:
    user_id = session.user

    def apply(item_id: str) -> None:
        item = change(session.client, user_id, item_id)
        if session.as_json:
            print_json(item)
        else:
            session.out.print(f"{item.item_id}  {session.words(key)}", soft_wrap=True)

    _each(session, item_ids, apply)


def _each(session: Session, item_ids: list[str], do: Callable[[str], None]) -> None:
    """Does it to each item; one that is not there does not keep the others from it. Exit code 1 if any was not."""
    failed = False
    for item_id in item_ids:
        try:
            do(item_id)
        except (NotFound, InvalidArgument) as problem:
            session.tell(problem)
            failed = True
    if failed:
        raise typer.Exit(problems.FAILED)
