"""Two hundred damaged checkpoints: each is read or refused with a reason, and this process lives."""

from __future__ import annotations

from collections import Counter

import pytest

from fuzz import SECONDS, End, fuzz
from reportgen.errors import harmless


@pytest.fixture(scope="module")
def ends() -> list[End]:
    return fuzz(200, seed=1)


@pytest.mark.slow
def test_every_mutant_is_read_or_refused_with_a_reason(ends: list[End]) -> None:
    assert len(ends) == 200
    for end in ends:
        assert end.said, end
        assert end.said == harmless(end.said) and "Traceback" not in end.said, end
        assert "nable to synchronously" not in end.said, end
        assert end.seconds < 2 * SECONDS, end


@pytest.mark.slow
def test_the_mutants_are_not_all_alike(ends: list[End]) -> None:
    """Damage that always stops at the first byte would show nothing of what lies behind."""
    said = Counter((end.kind, end.said == "read") for end in ends)
    assert said["keras", True] and said["keras", False] and said["hdf5", True] and said["hdf5", False]
    assert len({end.said.split("\n")[0].partition(":")[2] for end in ends}) > 20
