from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_piclick.plane import Plane
from napari_piclick.session.channels import ColorVolume

SHAPE = (4, 6, 5)


@pytest.fixture
def modalities():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 1000 * (k + 1), SHAPE).astype(np.int16) for k in range(3)]


def expected(volume, window):
    low, high = window
    return np.clip((volume.astype(float) - low) * 255 / (high - low), 0, 255).round()


def test_three_modalities_are_red_green_and_blue(modalities):
    windows = [(0, 900), (100, 1500), (0, 3000)]
    color = ColorVolume(modalities, windows)
    assert color.shape == (*SHAPE, 3)
    whole = np.asarray(color)
    assert whole.dtype == np.uint8
    for k in range(3):
        np.testing.assert_allclose(whole[..., k], expected(modalities[k], windows[k]), atol=1)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_fill_up_with_the_last(modalities, count):
    color = np.asarray(ColorVolume(modalities[:count], [(0, 1000)] * count))
    np.testing.assert_array_equal(color[..., count], color[..., count - 1])
    np.testing.assert_array_equal(color[..., 2], color[..., count - 1])


@pytest.mark.parametrize("displayed", [(1, 2), (2, 0), (0, 1)])
def test_its_planes_are_those_of_an_rgb_volume(modalities, displayed):
    color = ColorVolume(modalities, [(0, 1000)] * 3)
    plane = Plane(SHAPE, displayed, (2,), rgb=True)
    np.testing.assert_array_equal(plane.cut(color)[1:3], plane.cut(np.asarray(color))[1:3])
    np.testing.assert_array_equal(np.asarray(plane.cut(color)), plane.cut(np.asarray(color))[:, :])


def test_only_the_plane_that_is_looked_at_is_read(modalities):
    read = []

    def load(block, block_info=None):
        read.append(block_info[0]["chunk-location"][0])
        return block

    lazy = [da.from_array(m, chunks=(1, 6, 5)).map_blocks(load, dtype=m.dtype) for m in modalities]
    color = ColorVolume(lazy, [(0, 1000)] * 3)
    read.clear()
    Plane(SHAPE, (1, 2), (3,), rgb=True).cut(color)[:, :]
    assert read == [3, 3, 3]


def test_what_cannot_be_combined(modalities):
    with pytest.raises(ValueError, match="One to three"):
        ColorVolume([], [])
    with pytest.raises(ValueError, match="One to three"):
        ColorVolume(modalities, [(0, 1)])
    with pytest.raises(ValueError, match="same shape"):
        ColorVolume([modalities[0], modalities[1][:2]], [(0, 1)] * 2)
