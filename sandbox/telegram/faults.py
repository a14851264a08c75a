"""Which call fails next: orders for the next calls of a method, given over the control API."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from sandbox.fault_orders import FaultOrders, UnknownFault, check_seconds

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
MAX_SECONDS: Final = 3_600.0


@dataclass(frozen=True)
class Fault:
    """How calls of ``method`` fail."""

    method: str
    kind: Kind
    seconds: float


class FaultBoard:
    """Orders that were given and not yet used up, oldest first."""

    def __init__(self, methods: frozenset[str]) -> None:
        self._methods = methods
        self._orders = FaultOrders[Fault]()

    def order(self, method: str, kind: Any, *, count: int = 1, seconds: float = 1.0) -> None:
        """Lets the next ``count`` calls of ``method`` ("*" for any) fail. Raises UnknownFault."""
        if method not in self._methods | {ANY_METHOD}:
            raise UnknownFault("method", method, f"{ANY_METHOD} or one of {', '.join(sorted(self._methods))}")
        if kind not in get_args(Kind):
            raise UnknownFault("kind", kind, f"one of {', '.join(KINDS)}")
        check_seconds(seconds, MAX_SECONDS)
        self._orders.add(Fault(method, kind, seconds), count=count)

    def take(self, method: str) -> Fault | None:
        """The fault that strikes this call, if any."""
        return self._orders.take(lambda order: order.fault.method in (method, ANY_METHOD))

    def outstanding(self) -> list[dict[str, Any]]:
        return [asdict(order.fault) | {"remaining": order.remaining} for order in self._orders.outstanding()]

    def clear(self) -> None:
        self._orders.clear()
