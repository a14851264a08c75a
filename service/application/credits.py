"""Commands about credits."""

from __future__ import annotations

from service.application.execute import Context, Executor, Outcome
from service.application.generations import account_ref, generation_ref
from service.domain import account as accounts
from service.domain.account import Account
from service.domain.errors import NotEnded, NotFound, NothingToRefund
from service.domain.generation.state import Phase
from service.domain.ids import check_external_id, check_generation_id
from service.ports.clock import Clock


class Credits:
    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock

    async def grant(
        self, *, user_id: str, grant_id: str, credits: int, note: str, context: Context
    ) -> Outcome[Account]:
        """Gives credits once per ``grant_id``. Raises InvalidField, AlreadyExists (other amount before)."""
        check_external_id("user_id", user_id)
        check_external_id("grant_id", grant_id)
        return await self._executor.run(
            account_ref(user_id),
            lambda account: accounts.grant(
                account, user_id=user_id, grant_id=grant_id, credits=credits, note=note, actor=context.actor
            ),
            context,
        )

    async def refund_generation(
        self, *, generation_id: str, reason: str, actor: str, context: Context
    ) -> Outcome[Account]:
        """Support gives back what is left of a generation's price, once.

        Raises NotFound, NotEnded, AlreadyRefunded (who, when, why), NothingToRefund, InvalidField.
        """
        generation_id = check_generation_id(generation_id)
        loaded = await self._executor.load(generation_ref(generation_id))
        generation = loaded.state
        if generation.phase is Phase.ABSENT:
            raise NotFound("generation", generation_id)
        if not generation.ended:
            raise NotEnded(generation_id, generation.phase.value)
        if generation.import_id:
            raise NothingToRefund(generation_id, debited=0, refunded=0)
        now = self._clock.now()
        return await self._executor.run(
            account_ref(generation.user_id),
            lambda account: accounts.refund_by_hand(
                account,
                user_id=generation.user_id,
                generation_id=generation_id,
                note=reason,
                actor=actor,
                now=now,
            ),
            Context(actor=context.actor, correlation_id=generation_id, traceparent=context.traceparent),
        )
