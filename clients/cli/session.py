"""What every command has: the client, the user, the language, the consoles; and how it fails.

The common options (``--user``, ``--server``, ``--json`` ...) stand on every command and before it, so that both
``triptych gallery --json`` and ``triptych --json gallery`` do what one expects. What stands after the command wins.
``command`` adds them to a function and hands it a ``Session`` in their place.
"""

from __future__ import annotations

import inspect
import os
import typing
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from clients.cli import problems
from clients.cli.output import console, stop_writing
from clients.cli.words import Language, Words, locale_language
from clients.history.errors import HistoryError
from clients.sdk import InvalidOption, Triptych, TriptychError

PANEL = "Common options"

User = Annotated[
    str | None, typer.Option("--user", help="Whose gallery and credits. [env: TRIPTYCH_USER]", rich_help_panel=PANEL)
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        help="host:port, or https://host:port for TLS. [env: TRIPTYCH_SERVER, default: localhost:50051]",
        rich_help_panel=PANEL,
    ),
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="Token of the service. [env: TRIPTYCH_TOKEN]", rich_help_panel=PANEL),
]
CaFile = Annotated[
    Path | None,
    typer.Option("--ca-file", help="Certificates (PEM) to trust instead of the usual ones.", rich_help_panel=PANEL),
]
InLanguage = Annotated[
    Language | None,
    typer.Option("--language", help="Language of results. [default: that of LANG]", rich_help_panel=PANEL),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, for programs; failures too, on stderr.", rich_help_panel=PANEL)
]


@dataclass(frozen=True, kw_only=True)
class Common:
    """The common options as they were given."""

    user: User = None
    server: Server = None
    token: Token = None
    ca_file: CaFile = None
    language: InLanguage = None
    as_json: AsJson = False

    def over(self, below: Common) -> Common:
        """These options, and where one was not given, that of ``below``."""
        return Common(**{each.name: getattr(self, each.name) or getattr(below, each.name) for each in fields(self)})


@dataclass(kw_only=True)
class Session:
    """One run of one command."""

    common: Common
    words: Words
    out: Console = field(default_factory=console)
    err: Console = field(default_factory=lambda: console(stderr=True))
    _stack: ExitStack = field(default_factory=ExitStack)
    _client: Triptych | None = None

    @property
    def as_json(self) -> bool:
        return self.common.as_json

    @property
    def client(self) -> Triptych:
        """Made when it is first needed. Raises InvalidOption, TriptychError."""
        if self._client is None:
            client = Triptych(self.common.server, token=self.common.token, ca_file=self.common.ca_file)
            self._client = self._stack.enter_context(client)
            # The command before may have written something that the read models do not have yet: from here on,
            # this client's queries wait for all that is in the log now.
            self._client.get_head()
        return self._client

    @property
    def user(self) -> str:
        """Whose gallery and credits. Raises Usage."""
        user = self.user_or_none
        if user is None:
            raise problems.Usage("Say whose gallery and credits are meant: --user NAME, or TRIPTYCH_USER.")
        return user

    @property
    def user_or_none(self) -> str | None:
        """The same where it is not needed. (``common.user`` is the one that the command itself was given.)"""
        return self.common.user or os.environ.get("TRIPTYCH_USER") or None

    def tell(self, problem: problems.Problem) -> None:
        problems.tell(problem, self.words, self.err, as_json=self.as_json)

    def close(self) -> None:
        self._stack.close()


def command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers ``function(session, ...)`` as a command that also takes the common options."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        def run(ctx: typer.Context, **values: Any) -> None:
            given = Common(**{each.name: values.pop(each.name) for each in fields(Common)})
            common = given.over(ctx.find_object(Common) or Common())
            raise typer.Exit(_run(common, lambda session: function(session, **values)))

        run.__doc__ = inspect.getdoc(function)
        run.__name__ = function.__name__
        _take_signature(run, function)
        app.command(name)(run)
        return function

    return register


def _run(common: Common, body: Callable[[Session], None]) -> int:
    session = Session(common=common, words=Words(common.language or locale_language()))
    try:
        body(session)
    except typer.Exit as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        return problems.INTERRUPTED
    except BrokenPipeError:
        stop_writing()
        return problems.DONE
    except (TriptychError, problems.Usage, InvalidOption, HistoryError, OSError) as problem:
        session.tell(problem)
        return problems.exit_code(problem)
    finally:
        session.close()
    return problems.DONE


def _take_signature(run: Callable[..., None], function: Callable[..., None]) -> None:
    """Gives ``run`` the parameters of ``function``, with the common ones in place of the session."""
    own_hints = typing.get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    common_hints = typing.get_type_hints(Common, include_extras=True)
    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    parameters += [each.replace(annotation=own_hints[each.name]) for each in own]
    parameters += [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=common_hints[each.name],
        )
        for each in fields(Common)
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
