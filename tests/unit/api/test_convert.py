"""Every word that the domain uses has a value in the contract, and the log and the read model tell the same."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from triptych.v1 import account_pb2, admin_service_pb2, generation_pb2

from service.api import convert
from service.api.failures import SENTENCES
from service.domain.account import RefundCause
from service.domain.generation import events as e
from service.domain.generation.state import Phase
from service.ports.projections import ProjectionStatus
from service.ports.read_models import GenerationStateName, LedgerRow
from tests.support import samples
from tests.support.given import given


def words_of(struct: type, field: str) -> tuple[str, ...]:
    return get_args(get_type_hints(struct)[field])


VOCABULARIES: list[tuple[Any, str, tuple[str, ...]]] = [
    (generation_pb2.Generation.State, "STATE", get_args(GenerationStateName)),
    (generation_pb2.FailureReason, "FAILURE_REASON", get_args(e.FailureReason)),
    (generation_pb2.PromptSource, "PROMPT_SOURCE", get_args(e.PromptSource)),
    (generation_pb2.OwnWordsReason, "OWN_WORDS_REASON", get_args(e.OwnWordsReason)),
    (account_pb2.RefundCause, "REFUND_CAUSE", get_args(RefundCause)),
    (account_pb2.LedgerEntryKind, "LEDGER_ENTRY_KIND", words_of(LedgerRow, "kind")),
    (admin_service_pb2.Projection.State, "STATE", words_of(ProjectionStatus, "state")),
]


@pytest.mark.parametrize(("enum", "prefix", "words"), VOCABULARIES, ids=lambda value: str(value)[:40])
def test_contract_has_the_domains_words_and_no_other(enum: Any, prefix: str, words: tuple[str, ...]) -> None:
    told = {convert.enum_value(enum, prefix, word) for word in words}
    assert told | {0} == set(enum.values())
    assert len(words) >= len(told) >= 2


def test_every_failure_has_its_sentence_in_both_languages() -> None:
    assert SENTENCES.keys() == set(get_args(e.FailureReason))
    for sentence in SENTENCES.values():
        assert sentence.ru.endswith(".")
        assert sentence.en.endswith(".")
        assert sentence.en.isascii()
        assert not sentence.ru.isascii()


@pytest.mark.parametrize(
    ("history", "name"),
    [
        ([], "queued"),
        ([samples.moderated()], "preparing"),
        ([samples.moderated(), samples.enhanced(), samples.submission_started()], "submitting"),
        (
            [
                samples.moderated(),
                samples.enhanced(),
                samples.submission_started(),
                samples.submission_deferred(),
            ],
            "preparing",
        ),
        ([samples.submission_started(), samples.submitted()], "submitted"),
        ([samples.submission_started(), samples.submitted(), samples.cancellation_requested()], "cancelling"),
        (
            [
                samples.submission_started(),
                samples.submitted(),
                samples.cancellation_requested(),
                samples.cancellation_refused(),
            ],
            "submitted",
        ),
        ([samples.cancelled()], "cancelled"),
        ([samples.failed()], "failed"),
        ([samples.cancellation_requested(), samples.image(0), samples.succeeded(1)], "succeeded"),
    ],
)
def test_states_of_the_log_have_the_read_models_names(history: list[Any], name: str) -> None:
    state = given(samples.granted(100), samples.debited(), samples.requested(), *history).generation
    assert convert.state_name(state) == name
    message = convert.generation_state(state, 7)
    assert generation_pb2.Generation.State.Name(message.state) == f"STATE_{name.upper()}"
    assert message.update_position == 7


def test_every_phase_is_a_state_of_the_contract() -> None:
    names = {phase.value for phase in Phase} - {"absent"}
    assert names <= set(get_args(GenerationStateName))
