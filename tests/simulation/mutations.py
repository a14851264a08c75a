"""The protections of the core, removed one by one: a simulation that does not notice is worth nothing.

Each mutation is a mistake that someone could make in good faith. ``seed`` is one that shows it; when a change of the
simulation moves the stories, ``python -m tests.simulation --mutations`` finds new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.simulation import mutants_money as money
from tests.simulation import mutants_process as process
from tests.simulation import mutants_store as store
from tests.simulation import mutants_views as views
from tests.simulation.world import Report, run_seed


@dataclass(frozen=True)
class Mutation:
    patches: Callable[[], Sequence[Any]]
    seed: int
    """Shows it."""

    @property
    def name(self) -> str:
        return self.patches.__name__

    @contextmanager
    def applied(self) -> Iterator[None]:
        with ExitStack() as stack:
            for each in self.patches():
                stack.enter_context(each)
            yield

    def run(self, seed: int, *, keep_story: bool = False) -> Report:
        """A run without this protection."""
        with self.applied():
            return run_seed(seed, keep_story=keep_story)

    def first_seed(self, *, below: int) -> int | None:
        """The first seed that shows it."""
        return next((seed for seed in range(below) if self.run(seed).problems), None)


MUTATIONS = (
    Mutation(money.balance_unchecked, 4),
    Mutation(money.grant_id_ignored, 0),
    Mutation(money.request_id_ignored, 1),
    Mutation(money.refund_by_hand_of_everything, 3),
    Mutation(money.partial_delivery_kept, 12),
    Mutation(money.end_not_final, 5),
    Mutation(money.end_not_final_and_refund_not_capped, 1),
    Mutation(money.refund_in_an_append_of_its_own, 0),
    Mutation(process.submission_announced_afterwards, 20),
    Mutation(process.lost_answer_taken_for_not_taken, 2),
    Mutation(process.lost_answer_sent_again_at_once, 2),
    Mutation(process.submitted_again_after_the_grace_time, 0),
    Mutation(process.deadline_ignored, 10),
    Mutation(process.lost_answer_waited_for_without_end, 0),
    Mutation(process.late_answer_recorded_after_the_end, 75),
    Mutation(process.success_written_before_the_file_is_kept, 0),
    Mutation(process.lease_without_end, 3),
    Mutation(store.version_unchecked, 0),
    Mutation(store.streams_appended_one_by_one, 2),
    Mutation(store.conflict_decided_on_the_same_state_again, 1),
    Mutation(store.refusal_on_a_stale_state_final, 1),
    Mutation(store.append_believed_before_it_is_answered, 0),
    Mutation(views.refunds_not_shown, 0),
    Mutation(views.each_batch_begun_from_nothing, 0),
    Mutation(views.items_kept_by_the_time_at_which_they_were_asked_for, 0),
)
