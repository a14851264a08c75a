"""Putting an order together in a chat, and sending it.

What is asked next follows from the draft. A draft's summary is one message; when it has to be shown lower down, the
buttons of the one before are taken away.
"""

from __future__ import annotations

from typing import Any

from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup

from clients import looks
from clients.sdk import AlreadyExists, Generation, GenerationType, InsufficientCredits, InvalidArgument, Requested
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import Person, Shared
from clients.telegram.draft import Draft, request_id, seed_of
from clients.telegram.following import Following
from clients.telegram.store.orders import Followed

SEARCHED_GENERATIONS = 50


class Ordering(StatesGroup):
    """What the next message of a dialogue is taken for."""

    photo = State()
    words = State()
    summary = State()


class Orderer:
    """Leads through an order. Each method may raise TriptychError and TelegramAPIError."""

    def __init__(self, shared: Shared, following: Following) -> None:
        self._shared = shared
        self._following = following

    async def draft(self, state: FSMContext) -> Draft | None:
        """The order that is being put together; None where there is none, or its type is no more."""
        draft = Draft.from_data(await state.get_data())
        return draft if draft and draft.type in await self._shared.types() else None

    async def kind(self, draft: Draft) -> GenerationType:
        return (await self._shared.types())[draft.type]

    async def ask_next(self, person: Person, state: FSMContext, draft: Draft, message_id: int = 0) -> None:
        """Asks for what is missing, in a message that is edited (``message_id``) or a new one; else the summary."""
        kind, words = await self.kind(draft), person.words
        if draft.lacks_photo(kind):
            await self._ask(person, state, draft, Ordering.photo, texts.ask_photo(kind, words), message_id)
        elif not draft.prompt:
            await self._ask(person, state, draft, Ordering.words, texts.ask_words(kind, words), message_id)
        else:
            await self.summarize(person, state, draft, message_id=message_id)

    async def ask_words(self, person: Person, state: FSMContext, draft: Draft, message_id: int = 0) -> None:
        """Asks for other words in place of those there are."""
        text = texts.ask_words(await self.kind(draft), person.words, draft.prompt)
        await self._ask(person, state, draft, Ordering.words, text, message_id)

    async def ask_photo(self, person: Person, state: FSMContext, draft: Draft, message_id: int) -> None:
        text = texts.ask_photo(await self.kind(draft), person.words)
        await self._ask(person, state, draft, Ordering.photo, text, message_id)

    async def _ask(
        self, person: Person, state: FSMContext, draft: Draft, asked: State, text: str, message_id: int
    ) -> None:
        keyboard = keyboards.asking(draft, person.words)
        shown_id = await telling.show(self._shared.bot, person.chat_id, message_id, text, keyboard)
        await self._keep(state, asked, draft.changed(message_id=shown_id))

    async def summarize(
        self, person: Person, state: FSMContext, draft: Draft, *, message_id: int = 0, problem: str = ""
    ) -> None:
        """Shows the order with its price, in the message ``message_id`` or in a new one."""
        kind, words, bot = await self.kind(draft), person.words, self._shared.bot
        credits = await self._shared.balance(person.user_id)
        text = texts.summary(draft, kind, credits, words, problem)
        keyboard = keyboards.summary(draft, kind, words)
        shown_id = await telling.show(bot, person.chat_id, message_id, text, keyboard)
        await self._keep(state, Ordering.summary, draft.changed(message_id=shown_id))
        if draft.message_id not in (0, shown_id):
            await telling.take_buttons(bot, person.chat_id, draft.message_id)

    async def _keep(self, state: FSMContext, asked: State, draft: Draft) -> None:
        await state.set_data(draft.to_data())
        await state.set_state(asked)

    async def drop(self, person: Person, state: FSMContext, message_id: int) -> None:
        await state.clear()
        text, keyboard = person.words("draft_dropped"), keyboards.only_back(person.words)
        await telling.show(self._shared.bot, person.chat_id, message_id, text, keyboard)

    async def send(self, person: Person, state: FSMContext, draft: Draft) -> str:
        """Sends the order, once for its message, and follows it. What to say to the tap, if it was not taken."""
        words = person.words
        try:
            requested = await self._request(person, draft)
        except InsufficientCredits as error:
            problem = looks.too_expensive(error, words)
            await self.summarize(person, state, draft, message_id=draft.message_id, problem=problem)
            return problem
        except InvalidArgument as error:
            limit = (await self._shared.catalog()).max_prompt_characters
            problem = " ".join(looks.objections(error, draft.prompt, limit, words).values())
            await self.summarize(person, state, draft, message_id=draft.message_id, problem=problem)
            return problem
        except AlreadyExists:
            return await self._sent_before(person, state, draft)
        await self._follow(person, requested.generation, draft.message_id)
        await state.clear()
        return ""

    async def _request(self, person: Person, draft: Draft) -> Requested:
        name = request_id(self._shared.bot.id, person.chat_id, draft.message_id)
        options: dict[str, Any] = {"seed": seed_of(name)} if draft.another else {}
        return await self._shared.client.request_generation(
            person.user_id,
            draft.type,
            draft.prompt,
            request_id=name,
            aspect_ratio=draft.aspect_ratio,
            output_count=draft.output_count,
            reference_media_id=draft.reference_media_id or None,
            enhance_prompt=not draft.own_words,
            **options,
        )

    async def sent(self, person: Person, message_id: int) -> Generation | None:
        """The order that was sent from a message, if it is among the latest."""
        name = request_id(self._shared.bot.id, person.chat_id, message_id)
        recent = await self._shared.client.list_generations(person.user_id, page_size=SEARCHED_GENERATIONS)
        return next((each for each in recent if each.request_id == name), None)

    async def _sent_before(self, person: Person, state: FSMContext, draft: Draft) -> str:
        """The answer to an earlier tap was lost, and the order changed since: what was sent is followed, too."""
        generation = await self.sent(person, draft.message_id)
        if generation is not None:
            await self._follow(person, generation, draft.message_id)
        await self.summarize(person, state, draft.changed(message_id=0))
        return person.words("sent_already")

    async def _follow(self, person: Person, generation: Generation, message_id: int) -> None:
        await self._following.follow(
            Followed(
                generation_id=generation.generation_id,
                chat_id=person.chat_id,
                user_id=person.user_id,
                language=person.language,
                message_id=message_id,
            )
        )
