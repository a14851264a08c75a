"""What must always hold, whatever commands come in whatever order.

Credits are conserved, a balance is never negative, no refund exceeds its debit, a generation ends once, and a
command that is repeated changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.domain.account import ACCOUNT, Account, CreditsDebited, CreditsGranted, CreditsRefunded, grant
from service.domain.account import refund_by_hand as by_hand
from service.domain.decider import DomainEvent
from service.domain.errors import DomainError
from service.domain.generation import outcome, progress, request
from service.domain.generation.events import GenerationCancelled, GenerationFailed, GenerationSucceeded
from service.domain.generation.state import GENERATION, Generation
from service.domain.ids import generation_id_for
from tests.support.samples import CATALOG, NOW, USER, asked, delivered

REQUESTS = st.sampled_from(["r1", "r2", "r3"])
COUNTS = st.integers(min_value=0, max_value=5)
Both = Callable[[Account, Generation], Sequence[Sequence[DomainEvent]]]


class Commands(RuleBasedStateMachine):
    """One account and three generations. Every command is given twice: the second one must change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.account_log: list[DomainEvent] = []
        self.logs: dict[str, list[DomainEvent]] = {}

    def command(self, request_id: str, decide: Both) -> None:
        for turn in ("first", "repeated"):
            log = self.logs.setdefault(request_id, [])
            account = ACCOUNT.fold(ACCOUNT.initial, self.account_log)
            generation = GENERATION.fold(GENERATION.initial, log)
            try:
                for_account, for_generation = decide(account, generation)
            except DomainError:
                return
            assert turn == "first" or not (for_account or for_generation), "a repeat changed something"
            self.account_log += for_account
            log += for_generation

    @rule(grant_id=st.sampled_from(["g1", "g2", "g3", "g4"]), credits=st.integers(min_value=-1, max_value=30))
    def grant(self, grant_id: str, credits: int) -> None:
        self.command(
            "r1",
            lambda account, _: (
                grant(account, user_id=USER, grant_id=grant_id, credits=credits, note="", actor=""),
                [],
            ),
        )

    @rule(request_id=REQUESTS, output_count=COUNTS, prompt=st.sampled_from(["a fox", "a hare"]))
    def request(self, request_id: str, output_count: int, prompt: str) -> None:
        facts = request.RequestFacts(
            generation_id=generation_id_for(USER, request_id),
            user_id=USER,
            request_id=request_id,
            asked=asked(output_count=output_count, prompt=prompt),
            catalog=CATALOG,
            reference_found=False,
            now=NOW,
        )
        self.command(request_id, lambda account, generation: request.request(account, generation, facts))

    @rule(request_id=REQUESTS)
    def cancel(self, request_id: str) -> None:
        self.command(
            request_id,
            lambda account, generation: request.cancel(
                account, generation, user_id=USER, generation_id=generation_id_for(USER, request_id), actor=""
            ),
        )

    @rule(request_id=REQUESTS, step=st.sampled_from(["pass", "settle", "start", "submitted"]))
    def go_on(self, request_id: str, step: str) -> None:
        steps: dict[str, Callable[[Generation], Sequence[DomainEvent]]] = {
            "pass": lambda state: progress.pass_prompt(state, model="", skipped=False),
            "settle": lambda state: progress.settle_prompt(state, prompt="p", source="improved"),
            "start": lambda state: progress.start_submission(
                state, now=NOW, grace_until=NOW + timedelta(seconds=120)
            ),
            "submitted": lambda state: progress.record_submitted(
                state, provider_request_id="job", learned_from_webhook=True
            ),
        }
        self.command(request_id, lambda _, generation: ([], steps[step](generation)))

    @rule(request_id=REQUESTS, count=COUNTS)
    def deliver(self, request_id: str, count: int) -> None:
        outputs = [delivered(index) for index in range(count)]
        self.command(
            request_id, lambda account, generation: outcome.end_delivered(account, generation, delivered=outputs)
        )

    @rule(request_id=REQUESTS)
    def fail(self, request_id: str) -> None:
        self.command(
            request_id,
            lambda account, generation: outcome.end_failed(account, generation, reason="timed_out", detail=""),
        )

    @rule(request_id=REQUESTS)
    def refund_by_hand(self, request_id: str) -> None:
        generation_id = generation_id_for(USER, request_id)

        def decide(account: Account, generation: Generation) -> Sequence[Sequence[DomainEvent]]:
            if not generation.ended:
                return [], []
            refund = by_hand(account, user_id=USER, generation_id=generation_id, note="x", actor="ann", now=NOW)
            return refund, []

        self.command(request_id, decide)

    @invariant()
    def credits_are_conserved(self) -> None:
        moved = Counter[type[DomainEvent]]()
        for event in self.account_log:
            moved[type(event)] += getattr(event, "credits", 0)
        balance = ACCOUNT.fold(ACCOUNT.initial, self.account_log).balance
        assert balance == moved[CreditsGranted] - moved[CreditsDebited] + moved[CreditsRefunded]
        assert balance >= 0

    @invariant()
    def no_refund_exceeds_its_debit(self) -> None:
        for charge in ACCOUNT.fold(ACCOUNT.initial, self.account_log).charges.values():
            assert 0 <= charge.refunded <= charge.debited

    @invariant()
    def every_generation_ends_once_and_costs_what_it_delivered(self) -> None:
        charges = ACCOUNT.fold(ACCOUNT.initial, self.account_log).charges
        for log in self.logs.values():
            ends = [e for e in log if isinstance(e, GenerationSucceeded | GenerationFailed | GenerationCancelled)]
            assert len(ends) <= 1
            if not ends:
                continue
            generation = GENERATION.fold(GENERATION.initial, log)
            charge = charges[generation.generation_id]
            left = 0 if charge.manual_at else generation.credits_per_output * len(generation.items)
            assert charge.left == left


TestCommands = Commands.TestCase
TestCommands.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True)
