"""What every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

TEAM_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def team_data() -> Path:
    """Folder of the student team's real checkpoints and images, and of real HST FITS files."""
    if not TEAM_DATA.is_dir():
        pytest.skip("team data not present at ../shared/data")
    return TEAM_DATA
