"""The sample data open as layers that know their voxels' size, place and origin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_piclick._napari import sample_data


@pytest.mark.parametrize(
    ("provide", "shape"),
    [
        (sample_data.neurons, (24, 250, 250)),
        (sample_data.nuclei, (520, 696)),
        (sample_data.brain, (79, 185, 149)),
    ],
)
def test_each_sample_becomes_an_image_layer(provide, shape):
    viewer = ViewerModel()
    (layer_data,) = provide()
    layer = viewer.add_layer(Layer.create(*layer_data))

    assert isinstance(layer, Image)
    assert layer.data.shape == shape
    assert layer.data.dtype == np.uint8
    assert layer.data.std() > 10, "a picture, not a constant"
    assert layer.axis_labels == ("z", "y", "x")[-layer.ndim :]
    assert layer.metadata["source"]
    assert layer.metadata["licence"]


def test_neurons_are_ten_nanometres_a_voxel():
    layer = Layer.create(*sample_data.neurons()[0])
    assert [f"{unit:~}" for unit in layer.units] == ["nm"] * 3
    np.testing.assert_array_equal(layer.data_to_world((1, 1, 1)), (10, 10, 10))


def test_brain_lies_where_its_nifti_affine_says():
    layer = Layer.create(*sample_data.brain()[0])
    assert [f"{unit:~}" for unit in layer.units] == ["mm"] * 3
    for z, y, x in [(0, 0, 0), (3, 100, 20), (78, 184, 148)]:
        right, anterior, superior, _ = layer.metadata["affine"] @ (x, y, z, 1)
        np.testing.assert_allclose(layer.data_to_world((z, y, x)), (-superior, -anterior, -right))


def test_brain_fills_the_place_the_atlas_gives_it():
    """The anterior commissure, the atlas's origin, lies between two alike halves."""
    layer = Layer.create(*sample_data.brain()[0])
    z, y, x = np.round(layer.world_to_data((0, 0, 0))).astype(int)
    assert layer.data[z, y, x] > 0
    np.testing.assert_array_equal(layer.data[:, :, x - 74 : x], layer.data[:, :, x + 74 : x : -1])


def test_what_ships_is_small_and_licensed():
    folder = Path(sample_data.__file__).parent
    data = [path for path in folder.iterdir() if path.name.endswith((".tif", ".nii.gz"))]
    assert sum(path.stat().st_size for path in data) < 3e6
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert len(data) == 3
    for path in data:
        assert f"## {path.name}" in told
