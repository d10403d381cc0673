"""Two hundred damaged checkpoints: each is read or refused with a reason, and this process lives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fuzz import SECONDS, UNFORESEEN, End, fuzz
from reportgen.checkpoints.examine import examine
from reportgen.checkpoints.reading import read_whole
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.walk import walk
from reportgen.errors import harmless
from reportgen.isolation import Children
from valid_checkpoints import write_valid


def test_a_valid_checkpoint_of_each_format_is_read_by_the_child_under_its_limits(tmp_path: Path) -> None:
    with Children() as children:
        for kind, folder in write_valid(tmp_path).items():
            seen = {
                found: children.reader.call(examine, found, folder, size=found.size) for found in walk(folder, ["**"])
            }
            (found,) = [found for found, entry in seen.items() if entry.format and "_0000" not in found.file]
            about = seen[found]
            checkpoint = Checkpoint("m", found.file, found.path, about.format, None, about.size, about.sha256)
            reading = children.reader.call(read_whole, checkpoint, {}, size=about.size)
            assert reading.stored.layers, kind


@pytest.fixture(scope="module")
def ends() -> list[End]:
    return fuzz(200, seed=1)


@pytest.mark.slow
def test_every_mutant_is_read_or_refused_with_a_reason(ends: list[End]) -> None:
    assert len(ends) == 200
    for end in ends:
        assert end.said and UNFORESEEN not in end.said, end
        assert end.said == harmless(end.said) and "Traceback" not in end.said, end
        assert "nable to synchronously" not in end.said, end
        assert end.seconds < 2 * SECONDS, end


@pytest.mark.slow
def test_the_mutants_are_not_all_alike(ends: list[End]) -> None:
    """Damage that always stops at the first byte would show nothing of what lies behind."""
    said = Counter((end.kind, end.said == "read") for end in ends)
    assert said["keras", True] and said["keras", False] and said["hdf5", True] and said["hdf5", False]
    assert len({end.said.split("\n")[0].partition(":")[2] for end in ends}) > 20
