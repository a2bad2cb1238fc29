"""A predictor whose answers are known, and the benchmark data where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

DATA = Path(os.environ.get("PICLICK_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="session")
def sstem_folder() -> Path:
    folder = DATA / "benchmark" / "sstem"
    if not folder.is_dir():
        pytest.skip(f"needs the ssTEM benchmark in {folder}")
    return folder


@pytest.fixture(scope="session")
def brats_folder() -> Path:
    folder = DATA / "benchmark" / "brats21"
    if not folder.is_dir():
        pytest.skip(f"needs the BraTS case in {folder}")
    return folder


class ScriptedPredictor:
    """Answers the k-th click on every object with the k-th proposals of its script.

    Parameters
    ----------
    script : for each click (Q, H, W) bool masks, best score first; the last one is repeated.
    """

    name = "scripted"

    def __init__(self, *script: np.ndarray) -> None:
        self.script = script
        self.keys = []
        self.images = []
        self.windows = []
        self.clicks = []
        self.previous = []

    def set_image(self, image, *, contrast_limits=None, rgb=None, key=None):
        assert rgb == (image.ndim == 3)
        self.keys.append(key)
        self.images.append(image)
        self.windows.append(contrast_limits)

    def predict(self, clicks, previous=None):
        self.clicks.append(clicks)
        self.previous.append(previous)
        masks = np.asarray(self.script[min(len(clicks), len(self.script)) - 1])
        # Only the part of the plane that has any mask, as a real predictor may do.
        region = Region.of_mask(masks.any(axis=0)) or Region(0, 1, 0, 1)
        count = len(masks)
        return Proposals(
            masks=masks[:, *region.slices].astype(np.float32),
            region=region,
            plane_shape=masks.shape[1:],
            iou=np.linspace(0.9, 0.3, count, dtype=np.float32),
            confidence=np.ones(count, np.float32),
        )


@pytest.fixture
def scripted_predictor() -> type[ScriptedPredictor]:
    return ScriptedPredictor
