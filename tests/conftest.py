"""Fixtures that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_piclick import Predictor, load_predictor


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference files that lies beside the project where it is developed."""
    folder = Path(os.environ.get("PICLICK_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("the reference files are not here")
    return folder


@pytest.fixture(scope="session")
def tiny() -> Predictor:
    """The predictor with the embedded weights, loaded once."""
    return load_predictor("piclick-tiny", device="cpu")
