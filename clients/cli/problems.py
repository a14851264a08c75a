"""Failures as plain sentences on stderr, and as exit codes.

0 it was done; 1 it was refused or failed; 2 it was asked wrongly; 3 the service cannot be reached; 130 Ctrl-C.
With ``--json`` a failure is one JSON object on stderr, so that stdout carries results only.
"""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.text import Text

from clients.cli.output import clean
from clients.cli.words import Words
from clients.history.errors import HistoryError
from clients.sdk import (
    DeadlineExceeded,
    InsufficientCredits,
    InvalidArgument,
    InvalidOption,
    TriptychError,
    Unauthenticated,
    Unavailable,
    to_dict,
)

DONE = 0
FAILED = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130

# How the fields of requests are called on the command line.
_OPTIONS = {
    "user_id": "--user",
    "type": "--type",
    "prompt": "PROMPT",
    "output_count": "--count",
    "aspect_ratio": "--aspect-ratio",
    "seed": "--seed",
    "request_id": "--request-id",
    "reference_media_id": "--reference",
    "content": "--reference",
    "source": "--reference",
    "words": "--search",
    "page_size": "--page-size",
    "page_token": "--older or --newer",
    "after_position": "--after",
    "credits": "CREDITS",
    "grant_id": "--grant-id",
    "note": "--note",
    "reason": "--reason",
    "actor": "--actor",
    "item_id": "ITEM_ID",
    "generation_id": "GENERATION_ID",
    "as_of": "--as-of",
    "as_of_position": "--as-of",
    "as_of_time": "--as-of",
    "start_time": "--since",
    "until_position": "--until",
    "end_time": "--until",
    "types": "--event",
    "categories": "--category",
    "generation_type": "--type",
    "catalog_toml": "--catalog",
    "refund_rule": "--refund-rule",
    "user_count": "--users",
}


class Usage(Exception):
    """The command was asked wrongly; the message says how it would be right."""


Problem = TriptychError | Usage | InvalidOption | HistoryError | OSError


def exit_code(problem: Problem) -> int:
    if isinstance(problem, Usage | InvalidOption):
        return USAGE
    return UNREACHABLE if isinstance(problem, Unavailable | DeadlineExceeded) else FAILED


def tell(problem: Problem, words: Words, stderr: Console, *, as_json: bool) -> None:
    """Says what went wrong."""
    if as_json:
        sys.stderr.write(json.dumps({"error": _as_dict(problem)}, ensure_ascii=False) + "\n")
        return
    for sentence in sentences(problem, words):
        stderr.print(Text("triptych: ", style="bold red") + Text(clean(sentence)), soft_wrap=True)


def sentences(problem: Problem, words: Words) -> list[str]:
    """What went wrong, one sentence for each thing."""
    match problem:
        case InvalidArgument(violations=[_, *_]):
            return [f"{_OPTIONS.get(each.field, each.field)} {each.description}" for each in problem.violations]
        case InsufficientCredits():
            missing = problem.price - problem.balance
            return [
                words(
                    "insufficient",
                    price=words.credits(problem.price),
                    balance=words.credits(problem.balance),
                    missing=words.credits(missing),
                )
                + "."
            ]
        case Unauthenticated():
            return ["The service asks for a token that it knows: --token or TRIPTYCH_TOKEN."]
        case InvalidOption(option="address"):
            return [f"--server {problem.description}"]
        case InvalidOption():
            return [f"--{problem.option.replace('_', '-')} {problem.description}"]
        case OSError():
            return [f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem)]
    return [str(problem)]


def _as_dict(problem: Problem) -> dict[str, object]:
    told: dict[str, object] = {"kind": type(problem).__name__, "message": str(problem)}
    if isinstance(problem, TriptychError):
        told |= {"code": problem.code, "reason": problem.reason, "facts": to_dict(problem.facts)}
    if isinstance(problem, InvalidArgument):
        told["violations"] = [each._asdict() for each in problem.violations]
    return told
