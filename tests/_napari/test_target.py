from __future__ import annotations

from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_piclick._napari import target as target_module
from napari_piclick._napari.target import Target, TargetError, check_target, new_target
from napari_piclick.plane import Plane
from napari_piclick.region import Region

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (4, 20, 30)
PLANE = Plane(SHAPE, (1, 2), (2,))
REGION = Region(5, 10, 5, 12)
MASK = np.ones(REGION.shape, bool)


@pytest.fixture
def labels() -> Labels:
    layer = Labels(np.zeros(SHAPE, np.uint8))
    ViewerModel().add_layer(layer)
    return layer


def test_a_new_target_lies_on_the_image_and_knows_what_it_knows() -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    image = Image(
        np.zeros(SHAPE),
        name="T1",
        scale=(3, 1, 2),
        translate=(4, 5, 6),
        rotate=30,
        shear=(0.1, 0, 0),
        affine=affine,
        units=("mm", "mm", "mm"),
        axis_labels=("z", "y", "x"),
        metadata={"affine": affine},
    )
    layer = new_target(image, SHAPE)
    assert layer.data.dtype == np.uint16
    assert layer.data.shape == SHAPE
    for voxel in ((0, 0, 0), (3, 19, 29), (1, 7, 2)):
        np.testing.assert_allclose(layer.data_to_world(voxel), image.data_to_world(voxel))
    for name in ("scale", "translate", "rotate", "shear"):
        np.testing.assert_allclose(getattr(layer, name), getattr(image, name))
    np.testing.assert_allclose(layer.affine.affine_matrix, image.affine.affine_matrix)
    assert (layer.units, layer.axis_labels) == (image.units, image.axis_labels)
    np.testing.assert_array_equal(layer.metadata["affine"], affine)
    layer.metadata["new"] = 1
    assert "new" not in image.metadata


def test_labels_larger_than_memory_are_kept_in_a_file_full_of_holes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr(target_module.np, "zeros", refuse)
    data = target_module._zeros((5, 6))
    monkeypatch.undo()
    assert isinstance(data, np.memmap)
    assert (data == 0).all()
    data[2, 3] = 7
    assert data.sum() == 7


def test_objects_get_the_next_free_ids(labels: Labels) -> None:
    labels.data[0, 0, 0] = 41
    target = Target(labels)
    assert target.write(PLANE, REGION, MASK).label == 42
    other = target.write(PLANE, Region(12, 14, 3, 5), np.ones((2, 2), bool))
    assert (other.label, other.pixels, other.kept_back) == (43, 4, 0)
    assert (labels.data[2][REGION.slices] == 42).all()
    assert (labels.data == 42).sum() == MASK.sum()


def test_ids_painted_by_hand_are_seen(labels: Labels) -> None:
    target = Target(labels)
    labels.data_setitem((np.array([1]), np.array([1]), np.array([1])), 9)
    assert target.next_label == 10


def test_ids_in_labels_too_large_to_search_are_followed(
    labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_module, "SEARCHED", 0)
    target = Target(labels, empty=True)
    assert target.next_label == 1
    with labels.block_history():
        labels.data_setitem((np.array([1]), np.array([1]), np.array([1])), 9)
    assert target.next_label == 10
    labels.data = np.full(SHAPE, 20, np.uint8)
    assert target.next_label == 21
    target.close()


def test_other_objects_keep_their_pixels(labels: Labels) -> None:
    labels.data[2, 5:7] = 3
    before = labels.data.copy()
    written = Target(labels).write(PLANE, REGION, MASK)
    assert (written.pixels, written.kept_back) == (21, 14)
    assert (labels.data[before != 0] == 3).all()
    assert (labels.data == written.label).sum() == 21


def test_other_objects_give_their_pixels_if_told(labels: Labels) -> None:
    labels.data[2, 5:7] = 3
    written = Target(labels).write(PLANE, REGION, MASK, overwrite=True)
    assert (labels.data[2][REGION.slices] == written.label).all()


def test_undo_of_the_layer_gives_the_labels_back_bit_for_bit(labels: Labels) -> None:
    labels.data[2, 5:7] = 3
    before = labels.data.copy()
    Target(labels).write(PLANE, REGION, MASK, overwrite=True)
    assert not np.array_equal(labels.data, before)
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)


def test_a_type_that_is_too_small_is_replaced(labels: Labels) -> None:
    labels.data[0, 0, 0] = 255
    written = Target(labels).write(PLANE, REGION, MASK)
    assert written.label == 256
    assert labels.data.dtype == np.uint16
    assert labels.data[0, 0, 0] == 255
    assert (labels.data == 256).sum() == MASK.sum()


def test_nothing_is_written_where_nothing_is_free(labels: Labels) -> None:
    labels.data[:] = 1
    with pytest.raises(TargetError, match="Other objects have all"):
        Target(labels).write(PLANE, REGION, MASK)
    with pytest.raises(TargetError, match="empty"):
        Target(labels).write(PLANE, REGION, ~MASK)
    assert (labels.data == 1).all()


@pytest.mark.parametrize("displayed", [(1, 2), (2, 1), (0, 2), (2, 0), (0, 1), (1, 0)])
def test_an_object_lands_on_its_plane_in_any_direction(
    labels: Labels, displayed: tuple[int, int]
) -> None:
    plane = Plane(SHAPE, displayed, (1,))
    region = Region(1, 3, 2, 4)
    written = Target(labels).write(plane, region, np.array([[True, True], [True, False]]))
    seen = np.asarray(plane.cut(labels.data))
    np.testing.assert_array_equal(seen[region.slices], written.label * np.array([[1, 1], [1, 0]]))
    assert (labels.data != 0).sum() == 3


def read_only() -> Labels:
    data = np.zeros(SHAPE, np.uint8)
    data.flags.writeable = False
    return Labels(data)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Labels(da.zeros(SHAPE, dtype=np.uint8)), "cannot be written"),
        (
            lambda: Labels([np.zeros(SHAPE, np.uint8), np.zeros((2, 10, 15), np.uint8)]),
            "cannot be written",
        ),
        (read_only, "cannot be written"),
        (lambda: Labels(np.zeros((4, 20, 31), np.uint8)), "4 × 20 × 31 pixels"),
    ],
    ids=["lazy", "multiscale", "read-only", "other size"],
)
def test_labels_that_cannot_take_objects_are_refused(make: object, sentence: str) -> None:
    with pytest.raises(TargetError, match=sentence):
        check_target(make(), SHAPE)


def test_labels_on_disk_can_be_written(tmp_path: Path) -> None:
    data = np.memmap(tmp_path / "labels.raw", np.uint16, "w+", shape=SHAPE)
    layer = Labels(data)
    ViewerModel().add_layer(layer)
    check_target(layer, SHAPE)
    Target(layer).write(PLANE, REGION, MASK)
    assert (data == 1).sum() == MASK.sum()
