"""The slices of an image on which objects are labelled."""

from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.plane import Plane
from napari_piclick.session.labelled_planes import LabelledPlanes

SHAPE = (9, 20, 30)


def labels(*shown: int) -> np.ndarray:
    found = np.zeros(SHAPE, np.uint8)
    for index in shown:
        found[index, 4:8, 5:9] = index + 1
    return found


def test_slices_with_an_object_are_read_in_order() -> None:
    volume = np.random.default_rng(0).integers(0, 999, SHAPE)
    planes = LabelledPlanes("a", volume, labels(2, 3, 7), Plane(SHAPE, (1, 2), (0,)), (0, 999))
    found = planes.read()
    assert len(found) == 3
    for (picture, mask), index in zip(found, (2, 3, 7), strict=True):
        assert np.array_equal(picture, volume[index])
        assert set(np.unique(mask)) == {0, index + 1}
    # They are copies: drawing goes on while they are learned from.
    found[0][1][:] = 0
    assert planes.labels[2].any()


def test_the_planes_are_those_in_view() -> None:
    plane = Plane(SHAPE, (0, 2), (5,))
    found = LabelledPlanes("a", np.zeros(SHAPE), labels(2), plane).read()
    assert [picture.shape for picture, _ in found] == [(9, 30)] * 4


def test_of_many_slices_some_are_taken_evenly() -> None:
    plane = Plane(SHAPE, (1, 2), (0,))
    volume = np.arange(9)[:, None, None] * np.ones(SHAPE)
    found = LabelledPlanes("a", volume, labels(*range(9)), plane).read(most=3)
    assert [int(picture[0, 0]) for picture, _ in found] == [0, 4, 8]


def test_colours_and_single_pictures() -> None:
    plane = Plane((20, 30), (0, 1), rgb=True)
    mask = np.zeros((20, 30), np.int32)
    mask[3:6, 3:6] = 1
    ((picture, found),) = LabelledPlanes("a", np.zeros((20, 30, 3), np.uint8), mask, plane).read()
    assert picture.shape == (20, 30, 3)
    assert np.array_equal(found, mask)


def test_labels_of_another_size_are_refused() -> None:
    plane = Plane(SHAPE, (1, 2), (0,))
    with pytest.raises(ValueError, match="choose labels of the same size"):
        LabelledPlanes("a", np.zeros(SHAPE), np.zeros((3, 20, 30), np.uint8), plane).read()
