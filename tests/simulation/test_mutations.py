"""The simulation bites: with any one protection of the core removed, a seed fails."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation

SEARCHED = 300


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_removed_protection_shows(mutation: Mutation) -> None:
    """The recorded seed shows it; should the stories have moved since, one of the first seeds does."""
    if not mutation.run(mutation.seed).problems:
        assert mutation.first_seed(below=SEARCHED) is not None, f"{mutation.name} goes unnoticed"
