"""The embedded model, loaded once."""

from __future__ import annotations

import pytest

from napari_piclick import Predictor, load_predictor


@pytest.fixture(scope="session")
def tiny() -> Predictor:
    """The predictor with the embedded weights."""
    return load_predictor("piclick-tiny", device="cpu")
