"""Commands that move or show credits: credits grant, credits balance, credits statement, refund."""

from __future__ import annotations

from typing import Annotated

import typer

from clients.cli import tables
from clients.cli.moments import AsOf, moment_of
from clients.cli.output import print_json
from clients.cli.session import Session, command
from clients.sdk import Account

app = typer.Typer(no_args_is_help=True, help="Grant credits, and see balances and statements.")
refund_app = typer.Typer()


@command(app)
def grant(
    session: Session,
    credits: Annotated[int, typer.Argument(metavar="CREDITS", help="How many.")],
    grant_id: Annotated[
        str | None,
        typer.Option(
            "--grant-id", help="Your name for it, such as a payment's id; the same one again gives nothing."
        ),
    ] = None,
    note: Annotated[str | None, typer.Option(help="What for; shown in the statement.")] = None,
) -> None:
    """Give credits to a user.

    Example: triptych credits grant 100 --user anna --grant-id payment-4711 --note "welcome"
    """
    user_id = session.user
    granted = session.client.grant_credits(user_id, credits, grant_id=grant_id, note=note)
    if session.as_json:
        print_json(granted)
        return
    words = session.words
    sentence = words("granted", credits=words.credits(credits)) if granted.created else words("granted_before")
    session.out.print(f"{sentence}.", soft_wrap=True)
    _print_balance(granted.account, session)


@command(app)
def balance(session: Session, as_of: AsOf = None) -> None:
    """Show a user's balance, now or as it was.

    Examples:

      triptych credits balance --user anna

      triptych credits balance --user anna --as-of 2026-11-24T18:00+03:00
    """
    user_id = session.user
    account = session.client.get_account(user_id, as_of=moment_of("--as-of", as_of))
    if session.as_json:
        print_json(account)
    else:
        _print_balance(account, session)


@command(app)
def statement(
    session: Session,
    page_size: Annotated[int | None, typer.Option(help="How many, up to 200. [default: 24]")] = None,
    page: Annotated[str | None, typer.Option("--older", "--newer", help="A token that a page showed.")] = None,
    as_of: AsOf = None,
) -> None:
    """Show what moved a user's credits, newest first, with the balance after each entry.

    Examples:

      triptych credits statement --user anna

      triptych credits statement --user anna --as-of yesterday
    """
    user_id = session.user
    found = session.client.list_ledger_entries(
        user_id, page_size=page_size, page_token=page, as_of=moment_of("--as-of", as_of)
    )
    if session.as_json:
        print_json(found)
        return
    tables.print_entries(found, session)
    tables.print_tokens(found, session)


@command(refund_app)
def refund(
    session: Session,
    generation_id: Annotated[str, typer.Argument(metavar="GENERATION_ID", help="A generation that has ended.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; shown in the statement.")],
    actor: Annotated[str | None, typer.Option("--actor", help="Who decided it. [default: the token's name]")] = None,
) -> None:
    """Give back what is left of a generation's price, once.

    What was not delivered has come back by itself; this is for support, when a user is right to complain.

    Example: triptych refund 1b4e28ba-2fa1-51d2-883f-0016d3cca427 --reason "six fingers" --actor olga
    """
    refunded = session.client.refund_generation(generation_id, reason, actor=actor)
    if session.as_json:
        print_json(refunded)
        return
    words = session.words
    session.out.print(f"{words('refunded', credits=words.credits(refunded.credits_refunded))}.", soft_wrap=True)
    _print_balance(refunded.account, session)


def _print_balance(account: Account, session: Session) -> None:
    words = session.words
    totals = words(
        "totals",
        granted=account.credits_granted,
        debited=account.credits_debited,
        refunded=account.credits_refunded,
    )
    line = words("balance", credits=words.credits(account.balance))
    session.out.print(f"{line} ({totals}).", soft_wrap=True)
