"""An address cannot be guessed, and the one of a generation is of no use for another."""

from __future__ import annotations

import pytest

from service.api.webhook.address import code_for, is_code_of, webhook_url
from tests.support.samples import GENERATION_ID

SECRET = "a secret of sixteen"
OTHER_ID = "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b"


def test_the_address_names_the_generation_and_its_code() -> None:
    code = code_for(SECRET, GENERATION_ID)
    expected = f"https://hooks.example/webhooks/fal/{GENERATION_ID}/{code}"
    assert webhook_url("https://hooks.example", SECRET, GENERATION_ID) == expected
    assert len(code) == 32
    assert is_code_of(SECRET, GENERATION_ID, code)


def test_the_same_in_every_process() -> None:
    # Addresses outlive the release that gave them out.
    assert code_for("s3cret-of-sixteen", OTHER_ID) == "14d4ab9bc9ecce49a6d482dd0c864ab9"


@pytest.mark.parametrize("wrong", ["", "0" * 32, "é" * 32, "\ud800", code_for(SECRET, GENERATION_ID).upper()])
def test_another_code_is_refused(wrong: str) -> None:
    assert not is_code_of(SECRET, GENERATION_ID, wrong)


def test_a_part_of_the_code_is_refused() -> None:
    assert not is_code_of(SECRET, GENERATION_ID, code_for(SECRET, GENERATION_ID)[:-1])


def test_a_code_is_good_for_one_generation_and_one_secret() -> None:
    assert not is_code_of(SECRET, OTHER_ID, code_for(SECRET, GENERATION_ID))
    assert not is_code_of("another secret", GENERATION_ID, code_for(SECRET, GENERATION_ID))


def test_an_id_that_is_no_text_has_no_address() -> None:
    assert not is_code_of(SECRET, "\ud800", "0" * 32)
