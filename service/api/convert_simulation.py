"""From a simulation of history to the contract's messages."""

from __future__ import annotations

from triptych.v1 import history_service_pb2 as pb

from service.application.simulation import Simulation
from service.application.simulation_totals import Compared, Totals


def simulation(found: Simulation, *, user_count: int) -> pb.Simulation:
    """What came of it, with up to ``user_count`` users."""
    comparison = found.comparison
    users = comparison.affected_users()
    return pb.Simulation(
        total=_difference(comparison.total()),
        types=[
            pb.SimulatedTypeDifference(type=name, difference=_difference(compared))
            for name, compared in sorted(comparison.by_type.items())
        ],
        users=[
            pb.SimulatedUserDifference(
                user_id=user_id,
                difference=_difference(compared),
                simulated_balance=found.balances.get(user_id, 0),
            )
            for user_id, compared in users[:user_count]
        ],
        affected_user_count=len(users),
        refusals=[
            pb.SimulatedRefusal(type=refusal.generation_type, reason=refusal.reason, field=refusal.field, count=count)
            for refusal, count in comparison.refusals.most_common()
        ],
        credits_granted=comparison.credits_granted,
    )


def _difference(compared: Compared) -> pb.SimulatedDifference:
    return pb.SimulatedDifference(
        actual=_totals(compared.actual),
        simulated=_totals(compared.simulated),
        refused_count=compared.refused,
    )


def _totals(totals: Totals) -> pb.SimulatedTotals:
    return pb.SimulatedTotals(
        accepted_count=totals.accepted,
        credits_taken=totals.credits_taken,
        credits_refunded=totals.credits_refunded,
    )
