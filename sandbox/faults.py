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

_WORD: Final = re.compile(r"\[sandbox:([^\]\s]{1,80})\]", re.IGNORECASE)
DEFAULT_SECONDS: Final = 5.0
MAX_SECONDS: Final = 600.0
MAX_COUNT: Final = 1_000_000
MAX_ORDERS: Final = 1_000


class UnknownFault(ValueError):
    """An order for a fault that the sandbox does not have.

    Attributes:
        field: what was wrong: operation, kind, count, seconds or board.
        value: what was given.
        allowed: what would be right.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"The fault's {field} is {value!r}; it must be {allowed}.")
        self.field = field
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True)
class Fault:
    """One fault that strikes one request. ``seconds`` is only used by the slow kinds."""

    operation: Operation
    kind: str
    seconds: float = DEFAULT_SECONDS


@dataclass
class Order:
    """What is left of an order on the board."""

    fault: Fault
    remaining: int
    match: str = ""


class FaultBoard:
    """Orders that were given and not yet used up, oldest first. Used from one event loop only."""

    def __init__(self) -> None:
        self._orders: list[Order] = []

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
        if not 1 <= count <= MAX_COUNT:
            raise UnknownFault("count", count, f"from 1 to {MAX_COUNT}")
        if not 0 <= seconds <= MAX_SECONDS:
            raise UnknownFault("seconds", seconds, f"from 0 to {MAX_SECONDS:.0f}")
        if len(self._orders) >= MAX_ORDERS:
            raise UnknownFault("board", len(self._orders), f"cleared: it holds at most {MAX_ORDERS} orders")
        self._orders.append(Order(Fault(operation, kind, seconds), count, match))

    def take(self, operation: Operation, text: str) -> Fault | None:
        """The fault that strikes this request, if any; an order on the board goes before a word in ``text``."""
        for order in self._orders:
            if order.fault.operation == operation and order.match in text:
                order.remaining -= 1
                if order.remaining == 0:
                    self._orders.remove(order)
                return order.fault
        for word in words_in(text):
            if word in WORDS and WORDS[word][0] == operation:
                return Fault(operation, WORDS[word][1])
        return None

    def outstanding(self) -> list[dict[str, object]]:
        return [asdict(order.fault) | {"remaining": order.remaining, "match": order.match} for order in self._orders]

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
