"""The reference files, where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference files that lies beside the project where it is developed."""
    folder = Path(os.environ.get("PICLICK_SHARED", Path(__file__).parents[3] / "shared"))
    if not folder.is_dir():
        pytest.skip("the reference files are not here")
    return folder
