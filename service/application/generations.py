"""Commands about generations, as callers of the API and the processes give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.application.execute import Context, Executor, Loaded, Outcome, Ref
from service.domain.account import ACCOUNT, Account, account_stream
from service.domain.catalog import Catalog
from service.domain.errors import NotFound
from service.domain.generation import request as requests
from service.domain.generation.decided import Decided
from service.domain.generation.events import AskedParameters, GenerationEvent
from service.domain.generation.state import GENERATION, Generation, Phase
from service.domain.ids import check_external_id, check_generation_id, generation_id_for, generation_stream
from service.ports.clock import Clock
from service.ports.media_store import MediaStore

EndDecision = Callable[[Account, Generation], Decided]
StepDecision = Callable[[Generation], Sequence[GenerationEvent]]


def account_ref(user_id: str) -> Ref[Account]:
    return Ref(account_stream(user_id), ACCOUNT)


def generation_ref(generation_id: str, *, expected_new: bool = False) -> Ref[Generation]:
    return Ref(generation_stream(generation_id), GENERATION, expected_new)


class Generations:
    def __init__(self, executor: Executor, catalog: Catalog, media: MediaStore, clock: Clock) -> None:
        self._executor = executor
        self._catalog = catalog
        self._media = media
        self._clock = clock

    async def request(
        self, *, user_id: str, request_id: str, asked: AskedParameters, context: Context
    ) -> Outcome[Generation]:
        """Takes the credits and queues the generation; the same request again answers with the first one.

        Raises InvalidField, InsufficientCredits, AlreadyExists (the id was used with other parameters).
        """
        check_external_id("user_id", user_id)
        check_external_id("request_id", request_id)
        generation_id = generation_id_for(user_id, request_id)
        facts = requests.RequestFacts(
            generation_id=generation_id,
            user_id=user_id,
            request_id=request_id,
            asked=asked,
            catalog=self._catalog,
            reference_found=await self._reference_found(user_id, asked.reference_media_id),
            now=self._clock.now(),
        )
        _, outcome = await self._executor.run_both(
            account_ref(user_id),
            generation_ref(generation_id, expected_new=True),
            lambda account, generation: requests.request(account, generation, facts),
            _about(generation_id, context),
        )
        return outcome

    async def _reference_found(self, user_id: str, media_id: str) -> bool:
        return bool(media_id) and await self._media.find_reference(user_id, media_id) is not None

    async def cancel(self, *, user_id: str, generation_id: str, context: Context) -> Outcome[Generation]:
        """Cancels at once, or records the wish (``state.cancelling``) that the vendor decides on.

        Raises NotFound, NotCancellable.
        """
        check_external_id("user_id", user_id)
        generation_id = check_generation_id(generation_id)
        return await self.end(
            user_id,
            generation_id,
            lambda account, generation: requests.cancel(
                account, generation, user_id=user_id, generation_id=generation_id, actor=context.actor
            ),
            context,
        )

    async def load(self, generation_id: str) -> Generation:
        """The generation as the log has it now. Raises NotFound."""
        return (await self.load_with_position(generation_id)).state

    async def load_with_position(self, generation_id: str) -> Loaded[Generation]:
        """The same, with the position of its last event."""
        loaded = await self._executor.load(generation_ref(check_generation_id(generation_id)))
        if loaded.state.phase is Phase.ABSENT:
            raise NotFound("generation", generation_id)
        return loaded

    async def step(self, generation_id: str, decide: StepDecision, context: Context) -> Outcome[Generation]:
        """Records a step that concerns no money."""
        return await self._executor.run(generation_ref(generation_id), decide, _about(generation_id, context))

    async def end(
        self, user_id: str, generation_id: str, decide: EndDecision, context: Context
    ) -> Outcome[Generation]:
        """Records a decision that may move credits: both streams, one append."""
        _, outcome = await self._executor.run_both(
            account_ref(user_id), generation_ref(generation_id), decide, _about(generation_id, context)
        )
        return outcome


def _about(generation_id: str, context: Context) -> Context:
    return Context(
        actor=context.actor,
        correlation_id=generation_id,
        causation_id=context.causation_id,
        traceparent=context.traceparent,
    )
