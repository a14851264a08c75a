"""Orders for faults, given over a control API and not yet used up. Each sandbox says which faults it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

MAX_COUNT: Final = 1_000_000
MAX_ORDERS: Final = 1_000

Fault = TypeVar("Fault")


class UnknownFault(ValueError):
    """An order for a fault that the sandbox does not have.

    Attributes:
        field: what was wrong: operation, method, kind, count, seconds or board.
        value: what was given.
        allowed: what would be right.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"The fault's {field} is {value!r}; it must be {allowed}.")
        self.field = field
        self.value = value
        self.allowed = allowed


def check_seconds(seconds: float, most: float) -> None:
    """Raises UnknownFault."""
    if not 0 <= seconds <= most:
        raise UnknownFault("seconds", seconds, f"from 0 to {most:.0f}")


@dataclass
class Order(Generic[Fault]):
    """What is left of an order: ``remaining`` more requests whose text contains ``match`` fail so."""

    fault: Fault
    remaining: int
    match: str = ""


class FaultOrders(Generic[Fault]):
    """Oldest first. Used from one event loop only."""

    def __init__(self) -> None:
        self._orders: list[Order[Fault]] = []

    def add(self, fault: Fault, *, count: int, match: str = "") -> None:
        """Lets the next ``count`` requests fail. Raises UnknownFault for numbers that are out of bounds."""
        if not 1 <= count <= MAX_COUNT:
            raise UnknownFault("count", count, f"from 1 to {MAX_COUNT}")
        if len(self._orders) >= MAX_ORDERS:
            raise UnknownFault("board", len(self._orders), f"cleared: it holds at most {MAX_ORDERS} orders")
        self._orders.append(Order(fault, count, match))

    def take(self, strikes: Callable[[Order[Fault]], bool]) -> Fault | None:
        """The fault of the oldest order that strikes, if any; one less of it is left."""
        for order in self._orders:
            if strikes(order):
                order.remaining -= 1
                if order.remaining == 0:
                    self._orders.remove(order)
                return order.fault
        return None

    def outstanding(self) -> list[Order[Fault]]:
        return list(self._orders)

    def clear(self) -> None:
        self._orders.clear()
