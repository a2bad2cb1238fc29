from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.plane import Plane
from napari_piclick.region import Region
from napari_piclick.session import ArrayLabels, LabelsError
from napari_piclick.session.write_object import write_object

SHAPE = (4, 20, 30)
PLANE = Plane(SHAPE, (1, 2), (2,))
REGION = Region(5, 10, 5, 12)
MASK = np.ones(REGION.shape, bool)


@pytest.fixture
def home() -> ArrayLabels:
    return ArrayLabels(np.zeros(SHAPE, np.uint8))


def test_objects_get_the_next_free_ids(home: ArrayLabels) -> None:
    home.data[0, 0, 0] = 41
    edit, written = write_object(home, PLANE, REGION, MASK)
    edit.apply(home)
    assert written.label == 42
    edit, other = write_object(home, PLANE, Region(12, 14, 3, 5), np.ones((2, 2), bool))
    edit.apply(home)
    assert (other.label, other.pixels, other.kept_back) == (43, 4, 0)
    assert (home.data[2][REGION.slices] == 42).all()
    assert (home.data == 42).sum() == MASK.sum()


def test_other_objects_keep_their_pixels(home: ArrayLabels) -> None:
    home.data[2, 5:7] = 3
    before = home.data.copy()
    edit, written = write_object(home, PLANE, REGION, MASK)
    edit.apply(home)
    assert (written.pixels, written.kept_back) == (21, 14)
    assert (home.data[before != 0] == 3).all()
    assert (home.data == written.label).sum() == 21


def test_other_objects_give_their_pixels_if_told(home: ArrayLabels) -> None:
    home.data[2, 5:7] = 3
    edit, written = write_object(home, PLANE, REGION, MASK, overwrite=True)
    edit.apply(home)
    assert (home.data[2][REGION.slices] == written.label).all()


def test_an_object_that_is_refined_is_replaced_on_its_plane_alone(home: ArrayLabels) -> None:
    home.data[1:3, 2:9, 2:9] = 7
    home.data[2, 9, 5:9] = 4
    edit, written = write_object(home, PLANE, REGION, MASK, label=7)
    edit.apply(home)
    assert (home.data[1] == 7).sum() == 49
    expected = REGION.paste(MASK, (20, 30)).astype(int) * 7
    expected[9, 5:9] = 4
    np.testing.assert_array_equal(home.data[2], expected)
    assert (written.label, written.pixels, written.kept_back) == (7, 31, 4)


def test_nothing_is_written_where_nothing_is_free(home: ArrayLabels) -> None:
    home.data[:] = 1
    with pytest.raises(LabelsError, match="Other objects have all"):
        write_object(home, PLANE, REGION, MASK)
    with pytest.raises(LabelsError, match="empty"):
        write_object(home, PLANE, REGION, ~MASK)
    with pytest.raises(LabelsError, match="4 × 20 × 30"):
        write_object(home, Plane((4, 21, 30), (1, 2), (2,)), REGION, MASK)


def test_planes_of_colour_images_fit_labels_too(home: ArrayLabels) -> None:
    home.data[2, 6, 6] = 5
    plane = Plane(SHAPE, (1, 2), (2,), rgb=True)
    edit, _ = write_object(home, plane, REGION, MASK, label=5)
    edit.apply(home)
    assert (home.data == 5).sum() == MASK.sum()


@pytest.mark.parametrize("displayed", [(1, 2), (2, 1), (0, 2), (2, 0), (0, 1), (1, 0)])
def test_an_object_lands_on_its_plane_in_any_direction(
    home: ArrayLabels, displayed: tuple[int, int]
) -> None:
    plane = Plane(SHAPE, displayed, (1,))
    region = Region(1, 3, 2, 4)
    edit, written = write_object(home, plane, region, np.array([[True, True], [True, False]]))
    edit.apply(home)
    seen = np.asarray(plane.cut(home.data))
    np.testing.assert_array_equal(seen[region.slices], written.label * np.array([[1, 1], [1, 0]]))
    assert (home.data != 0).sum() == 3
