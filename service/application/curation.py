"""Commands about the items of the gallery."""

from __future__ import annotations

from service.application.execute import Context, Executor, Outcome
from service.application.generations import generation_ref
from service.domain.generation.curation import ItemDecision
from service.domain.generation.state import Generation
from service.domain.ids import check_external_id, split_item_id


class Curation:
    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def apply(
        self, decision: ItemDecision, *, user_id: str, item_id: str, context: Context
    ) -> Outcome[Generation]:
        """Applies ``favorite``, ``unfavorite``, ``trash`` or ``restore`` (domain/generation/curation.py).

        Doing it again changes nothing. Raises NotFound, InvalidField.
        """
        check_external_id("user_id", user_id)
        generation_id, _ = split_item_id(item_id)
        return await self._executor.run(
            generation_ref(generation_id),
            lambda generation: decision(generation, user_id, item_id),
            Context(actor=context.actor, correlation_id=generation_id, traceparent=context.traceparent),
        )
