"""Interpolation by signed distance, against shapes whose sections are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_piclick.session.interpolate import interpolate, interpolate_gaps, signed_distance
from napari_piclick.session.slice_mask import LabelledBy, ObjectSlices, SliceMask


def disk(radius, centre=(32, 32), shape=(64, 64), stretch=(1.0, 1.0)):
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    row, col = (rows - centre[0]) * stretch[0], (cols - centre[1]) * stretch[1]
    return row**2 + col**2 <= radius**2


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (3.0, 1.0), (1.0, 2.5)])
def test_a_cone_has_round_sections_whatever_the_pixels(stretch):
    """In the world a cone's sections are disks; in pixels that are not square, ellipses."""
    low, high = disk(24, stretch=stretch), disk(8, stretch=stretch)
    below, above = SliceMask.of(10, low), SliceMask.of(18, high)
    for index in range(11, 18):
        found = interpolate(below, above, index, stretch)
        radius = 24 - 2 * (index - 10)
        assert iou(found.plane_mask(), disk(radius, stretch=stretch)) > 0.85
        assert found.by is LabelledBy.INTERPOLATED
        assert found.index == index


def test_pixels_that_are_not_square_matter():
    """Taken for square, they give another shape."""
    tall, wide = np.zeros((2, 64, 64), bool)
    tall[8:56, 30:34] = True
    wide[30:34, 8:56] = True
    below, above = SliceMask.of(0, tall), SliceMask.of(2, wide)
    square = interpolate(below, above, 1).plane_mask()
    flat = interpolate(below, above, 1, (4.0, 1.0)).plane_mask()
    np.testing.assert_array_equal(square, square.T)
    assert not np.array_equal(flat, flat.T)


def test_a_slanting_vessel_does_not_vanish():
    low, high = disk(5, (12, 12)), disk(5, (50, 44))
    assert not (low & high).any()
    found = interpolate(SliceMask.of(0, low), SliceMask.of(4, high), 2)
    assert iou(found.plane_mask(), disk(5, (31, 28))) > 0.85


def test_equal_slices_stay_as_they_are():
    mask = disk(9, (20, 40)) | disk(6, (40, 20))
    found = interpolate(SliceMask.of(3, mask), SliceMask.of(9, mask), 5)
    np.testing.assert_array_equal(found.plane_mask(), mask)


def test_towards_an_empty_slice_an_object_shrinks_to_nothing():
    full, empty = SliceMask.of(0, disk(20)), SliceMask.of(8, np.zeros((64, 64), bool))
    areas = [interpolate(full, empty, k).area for k in range(1, 8)]
    assert areas == sorted(areas, reverse=True)
    assert 0 < areas[-1] < areas[0] < full.area
    mirrored = SliceMask.of(8, disk(20))
    nothing = SliceMask.of(0, np.zeros((64, 64), bool))
    assert [interpolate(nothing, mirrored, k).area for k in range(1, 8)] == areas[::-1]
    assert interpolate(nothing, empty, 4).area == 0


def test_gaps_between_slices_labelled_by_hand_are_filled():
    slices = ObjectSlices(20)
    slices.put(SliceMask.of(3, disk(10)))
    slices.put(SliceMask.of(5, disk(3), LabelledBy.PROPAGATED))
    slices.put(SliceMask.of(7, disk(12)))
    slices.put(SliceMask.of(9, disk(10)))
    filled = list(interpolate_gaps(slices))
    assert [labelled.index for labelled in filled] == [4, 5, 6, 8]
    assert [round(np.sqrt(labelled.area / np.pi), 1) for labelled in filled] == pytest.approx(
        [10.5, 11, 11.5, 11], abs=0.5
    )
    assert [labelled.index for labelled in slices] == [3, 5, 7, 9]


def test_signed_distance_is_symmetric_about_the_outline():
    mask = np.zeros((9, 12), bool)
    mask[:, 6:] = True
    distance = signed_distance(np.pad(mask, ((20, 20), (0, 20)), mode="edge"), (1.0, 0.5))
    np.testing.assert_allclose(distance[24, 3:9], [-1.25, -0.75, -0.25, 0.25, 0.75, 1.25])


def test_only_labelled_parts_are_held_in_memory():
    mask = np.zeros((2000, 2000), bool)
    mask[100:110, 200:220] = True
    labelled = SliceMask.of(0, mask)
    assert labelled.mask.shape == (10, 20)
    np.testing.assert_array_equal(labelled.plane_mask(), mask)
    grown = ndimage.binary_dilation(labelled.on(labelled.region), iterations=1)
    assert labelled.iou(SliceMask.of(1, mask)) == 1
    assert grown.all()
