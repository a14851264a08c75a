"""Which request fails next.

A fault is ordered in one of two ways. Through the control API it goes onto the board: the next ``count`` requests
of that operation (whose text contains ``match``, if given) fail, then all is well again. By a word in the prompt,
``[sandbox:two-of-four]``, it strikes every request that belongs to that prompt: no control API is needed, so it
works through every layer, from a chat message to here.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Final

from sandbox.fault_kinds import KINDS, OPERATIONS, WORDS, Operation
from sandbox.fault_orders import FaultOrders, UnknownFault, check_seconds

_WORD: Final = re.compile(r"\[sandbox:([^\]\s]{1,80})\]", re.IGNORECASE)
DEFAULT_SECONDS: Final = 5.0
MAX_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Fault:
    """One fault that strikes one request. ``seconds`` is only used by the slow kinds."""

    operation: Operation
    kind: str
    seconds: float = DEFAULT_SECONDS


class FaultBoard:
    """Orders that were given and not yet used up, oldest first. Used from one event loop only."""

    def __init__(self) -> None:
        self._orders = FaultOrders[Fault]()

    def order(
        self, operation: str, kind: str, *, count: int = 1, seconds: float = DEFAULT_SECONDS, match: str = ""
    ) -> None:
        """Lets the next ``count`` requests fail.

        Raises:
            UnknownFault: there is no such operation or kind, or a number is out of bounds.
        """
        if operation not in OPERATIONS:
            raise UnknownFault("operation", operation, "one of " + ", ".join(OPERATIONS))
        if kind not in KINDS[operation]:
            raise UnknownFault("kind", kind, f"one of {', '.join(KINDS[operation])} for {operation}")
        check_seconds(seconds, MAX_SECONDS)
        self._orders.add(Fault(operation, kind, seconds), count=count, match=match)

    def take(self, operation: Operation, text: str) -> Fault | None:
        """The fault that strikes this request, if any; an order on the board goes before a word in ``text``."""
        if fault := self._orders.take(lambda order: order.fault.operation == operation and order.match in text):
            return fault
        for word in words_in(text):
            if word in WORDS and WORDS[word][0] == operation:
                return Fault(operation, WORDS[word][1])
        return None

    def outstanding(self) -> list[dict[str, object]]:
        return [
            asdict(order.fault) | {"remaining": order.remaining, "match": order.match}
            for order in self._orders.outstanding()
        ]

    def clear(self) -> None:
        self._orders.clear()


def words_in(text: str) -> list[str]:
    """The sandbox words in a text, in order, lower case, without the brackets."""
    return [word.lower() for word in _WORD.findall(text)]


def unknown_words(text: str) -> list[str]:
    """Words that look like orders and are none: a typing error must not pass as a success."""
    return [word for word in words_in(text) if word not in WORDS]


def without_words(text: str) -> str:
    """The text as a person meant it."""
    return " ".join(_WORD.sub(" ", text).split())
