"""Small pictures that the tests of training draw from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_piclick.train.data.labels import LabelKind, add_labels
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.cells import SyntheticCells
from napari_piclick.train.synthesis.lesions import BrainTemplate, SyntheticLesions
from napari_piclick.train.synthesis.membranes import SyntheticMembranes
from napari_piclick.train.synthesis.objects import SyntheticObjects


def disc(shape: tuple[int, int], center: tuple[float, float], radius: float) -> np.ndarray:
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    return (rows - center[0]) ** 2 + (cols - center[1]) ** 2 <= radius**2


def nested_scene(shape: tuple[int, int] = (90, 120), colour: bool = False) -> Scene:
    """Two touching cells, one with a nucleus; brightness 60 + 40 * label value."""
    labels = np.zeros(shape, np.uint8)
    labels[disc(shape, (45, 40), 24)] = 1
    labels[disc(shape, (45, 85), 20)] = 3
    labels[disc(shape, (45, 40), 10)] = 2
    image = (60 + 40 * labels).astype(np.uint8)
    if colour:
        image = np.stack([image, 255 - image, image // 2], axis=2)
    kind = LabelKind(unions=((2,), (1, 2), (3,)))
    return add_labels(Scene(image, "cells"), labels, kind)


def small_template() -> BrainTemplate:
    """A ball of grey matter around white matter around fluid, 64 voxels wide."""
    rows = np.indices((64, 64, 64), np.float32) - 31.5
    radius = np.sqrt((rows**2).sum(axis=0))
    radius += 2 * ndimage.gaussian_filter(
        np.random.default_rng(0).normal(0, 8, radius.shape).astype(np.float32), 3
    )
    t1 = np.select([radius < 6, radius < 20, radius < 28], [70, 230, 178], 0).astype(np.uint8)
    labels = np.select([radius < 6, radius < 20, radius < 28], [3, 2, 1], 0).astype(np.uint8)
    return BrainTemplate(t1, labels)


@pytest.fixture(name="disc")
def _disc():
    """Draws a disc: shape, center, radius -> bool mask."""
    return disc


@pytest.fixture(name="nested_scene")
def _nested_scene():
    """Makes a scene of two touching cells, one with a nucleus."""
    return nested_scene


@pytest.fixture(scope="session")
def synthetic_sources():
    """The synthetic sources at a small size."""
    return {
        "lesions": SyntheticLesions(small_template),
        "synthetic": SyntheticObjects(160),
        "synthetic_em": SyntheticMembranes(200),
        "synthetic_cells": SyntheticCells(160),
    }
