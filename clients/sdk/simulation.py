"""What if: history as it was, beside what it would have been under other prices or rules. Frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.v1 import history_service_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTotals:
    """Requests that were accepted, and credits."""

    accepted_count: int
    credits_taken: int
    credits_refunded: int

    @property
    def credits_kept(self) -> int:
        """What was taken and did not come back."""
        return self.credits_taken - self.credits_refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDifference:
    """As the log has it, and under the other catalog and rule; and how many accepted requests would be refused."""

    actual: SimulatedTotals
    simulated: SimulatedTotals
    refused_count: int

    @property
    def credits_kept(self) -> int:
        """Credits that would have been kept beyond those that were; negative for fewer."""
        return self.simulated.credits_kept - self.actual.credits_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedUser:
    """The difference for a user, and the balance that the user would have in the end."""

    user_id: str
    difference: SimulatedDifference
    simulated_balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRefusal:
    """Why ``count`` requests would have been refused; ``field`` is empty where none of theirs would be wrong."""

    type: str
    reason: str
    field: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What came of it: all together, by type, for the users with most difference; and the refusals, most first."""

    total: SimulatedDifference
    types: dict[str, SimulatedDifference]
    users: tuple[SimulatedUser, ...]
    affected_user_count: int
    refusals: tuple[SimulatedRefusal, ...]
    credits_granted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationStep:
    """How far a simulation is, in positions of the log. ``simulation`` is in the last step only."""

    position: int
    end_position: int
    simulation: Simulation | None


def simulation_step(message: pb.SimulateHistoryResponse) -> SimulationStep:
    """One message of a simulation."""
    return SimulationStep(
        position=message.position,
        end_position=message.end_position,
        simulation=_simulation(message.simulation) if message.HasField("simulation") else None,
    )


def _simulation(message: pb.Simulation) -> Simulation:
    return Simulation(
        total=_difference(message.total),
        types={each.type: _difference(each.difference) for each in message.types},
        users=tuple(
            SimulatedUser(
                user_id=each.user_id,
                difference=_difference(each.difference),
                simulated_balance=each.simulated_balance,
            )
            for each in message.users
        ),
        affected_user_count=message.affected_user_count,
        refusals=tuple(
            SimulatedRefusal(type=each.type, reason=each.reason, field=each.field, count=each.count)
            for each in message.refusals
        ),
        credits_granted=message.credits_granted,
    )


def _difference(message: pb.SimulatedDifference) -> SimulatedDifference:
    return SimulatedDifference(
        actual=_totals(message.actual),
        simulated=_totals(message.simulated),
        refused_count=message.refused_count,
    )


def _totals(message: pb.SimulatedTotals) -> SimulatedTotals:
    return SimulatedTotals(
        accepted_count=message.accepted_count,
        credits_taken=message.credits_taken,
        credits_refunded=message.credits_refunded,
    )
