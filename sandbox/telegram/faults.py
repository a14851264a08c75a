"""Which call fails next: orders for the next calls of a method, given over the control API."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

Kind = Literal["http_429", "http_500", "http_502", "drop", "drop_after", "slow"]
KINDS: Final[dict[Kind, str]] = {
    "http_429": "429 with `seconds` as retry_after; nothing was done",
    "http_500": "500 Internal Server Error; nothing was done",
    "http_502": "502 with a page of HTML, as a proxy answers; nothing was done",
    "drop": "the connection is closed without an answer, and nothing was done",
    "drop_after": "the call takes effect, then the connection is closed without an answer",
    "slow": "nothing happens for `seconds`, then it goes on as usual",
}
ANY_METHOD: Final = "*"
MAX_COUNT: Final = 1_000_000
MAX_SECONDS: Final = 3_600.0
MAX_ORDERS: Final = 1_000


class UnknownFault(ValueError):
    """An order that cannot be carried out. ``field`` is what was wrong, ``allowed`` what would be right."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"The fault's {field} is {value!r}; it must be {allowed}.")
        self.field = field
        self.value = value
        self.allowed = allowed


@dataclass
class Fault:
    """What is left of an order: ``remaining`` more calls of ``method`` fail so."""

    method: str
    kind: Kind
    seconds: float
    remaining: int


class FaultBoard:
    """Orders that were given and not yet used up, oldest first."""

    def __init__(self, methods: frozenset[str]) -> None:
        self._methods = methods
        self._orders: list[Fault] = []

    def order(self, method: str, kind: Any, *, count: int = 1, seconds: float = 1.0) -> None:
        """Lets the next ``count`` calls of ``method`` ("*" for any) fail. Raises UnknownFault."""
        if method not in self._methods | {ANY_METHOD}:
            raise UnknownFault("method", method, f"{ANY_METHOD} or one of {', '.join(sorted(self._methods))}")
        if kind not in get_args(Kind):
            raise UnknownFault("kind", kind, f"one of {', '.join(KINDS)}")
        if not 1 <= count <= MAX_COUNT:
            raise UnknownFault("count", count, f"from 1 to {MAX_COUNT}")
        if not 0 <= seconds <= MAX_SECONDS:
            raise UnknownFault("seconds", seconds, f"from 0 to {MAX_SECONDS:.0f}")
        if len(self._orders) >= MAX_ORDERS:
            raise UnknownFault("board", len(self._orders), f"cleared: it holds at most {MAX_ORDERS} orders")
        self._orders.append(Fault(method, kind, seconds, count))

    def take(self, method: str) -> Fault | None:
        """The fault that strikes this call, if any."""
        for order in self._orders:
            if order.method in (method, ANY_METHOD):
                order.remaining -= 1
                if order.remaining == 0:
                    self._orders.remove(order)
                return order
        return None

    def outstanding(self) -> list[dict[str, Any]]:
        return [asdict(order) for order in self._orders]

    def clear(self) -> None:
        self._orders.clear()
