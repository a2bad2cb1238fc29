"""The reference files, where they are present."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from napari_piclick.models.authors_checkpoint import build, read_authors_checkpoint

if TYPE_CHECKING:
    from napari_piclick.models.piclick import PiClick


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference files that lies beside the project where it is developed."""
    folder = Path(os.environ.get("PICLICK_SHARED", Path(__file__).parents[3] / "shared"))
    if not folder.is_dir():
        pytest.skip("the reference files are not here")
    return folder


@pytest.fixture(scope="session")
def published() -> Path:
    """Reference numbers of the authors' program, small enough to come with the tests."""
    return Path(__file__).parents[1] / "data" / "published"


@pytest.fixture(scope="session")
def micro(published: Path) -> PiClick:
    """The smallest of the authors' networks, with random weights."""
    return build(*read_authors_checkpoint(published / "piclick_micro_random.pth"))
