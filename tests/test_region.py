"""A region stays on its plane, and what is cut with it can be put back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_piclick import Region

SHAPE = (40, 60)


@st.composite
def regions(draw, shape=SHAPE):
    row0, col0 = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
    row1 = draw(st.integers(row0 + 1, shape[0]))
    col1 = draw(st.integers(col0 + 1, shape[1]))
    return Region(row0, row1, col0, col1)


pixels = st.tuples(st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1))


def covered(region: Region) -> np.ndarray:
    """The pixels of a region, the plain way."""
    rows, cols = np.indices(SHAPE)
    return (
        (region.row0 <= rows) & (rows < region.row1) & (region.col0 <= cols) & (cols < region.col1)
    )


@given(regions())
def test_slices_shape_and_center_agree(region):
    plane = np.zeros(SHAPE, bool)
    plane[region.slices] = True
    np.testing.assert_array_equal(plane, covered(region))
    assert plane[region.slices].shape == region.shape
    assert Region.around(region.center, region.shape, SHAPE) == region


@given(
    st.tuples(st.floats(-50, 100), st.floats(-50, 100)),
    st.tuples(st.integers(-2, 90), st.integers(-2, 90)),
)
def test_around_lies_on_the_plane_with_the_size_asked_for(center, size):
    region = Region.around(center, size, SHAPE)
    assert Region.whole(SHAPE).covers(region)
    assert region.shape == tuple(
        min(max(extent, 1), limit) for extent, limit in zip(size, SHAPE, strict=True)
    )


@given(
    st.tuples(st.floats(-0.49, SHAPE[0] - 0.51), st.floats(-0.49, SHAPE[1] - 0.51)),
    st.tuples(st.integers(3, 90), st.integers(3, 90)),
)
def test_around_a_point_of_the_plane_holds_that_point(center, size):
    region = Region.around(center, size, SHAPE)
    row, col = (round(value) for value in center)
    assert region.contains(row, col)


@given(hnp.arrays(bool, SHAPE, fill=st.just(False)))
def test_of_mask_is_the_smallest_region_with_the_whole_mask(mask):
    region = Region.of_mask(mask)
    if region is None:
        assert not mask.any()
        return
    assert mask[region.slices].sum() == mask.sum()
    inside = mask[region.slices]
    for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert edge.any()


@given(regions(), pixels, st.integers(0, 5))
def test_contains_keeps_the_margin(region, pixel, margin):
    row, col = pixel
    rows, cols = np.nonzero(covered(region))
    expected = (
        rows.min() + margin <= row <= rows.max() - margin
        and cols.min() + margin <= col <= cols.max() - margin
    )
    assert region.contains(row, col, margin) == expected


@given(regions(), regions())
def test_covers_and_union_are_those_of_the_pixels(one, other):
    assert one.covers(other) == bool((covered(one) >= covered(other)).all())
    union = one.union(other)
    assert union == other.union(one) == Region.of_mask(covered(one) | covered(other))
    assert union.covers(one)
    assert union.covers(other)


@given(regions(), st.lists(pixels, max_size=4))
def test_including_reaches_to_every_pixel_and_no_further(region, points):
    expected = covered(region)
    for row, col in points:
        expected[row, col] = True
    assert region.including(points) == Region.of_mask(expected)


@given(regions(), st.sampled_from([np.uint8, np.float32, bool]))
def test_what_is_cut_can_be_pasted_back(region, dtype):
    plane = np.random.default_rng(0).integers(1, 200, SHAPE).astype(dtype)
    pasted = region.paste(plane[region.slices], SHAPE)
    assert pasted.dtype == plane.dtype
    np.testing.assert_array_equal(pasted, np.where(covered(region), plane, 0))


@pytest.mark.parametrize("bounds", [(3, 3, 0, 5), (0, 5, 3, 3), (5, 3, 0, 5)])
def test_an_empty_rectangle_is_no_region(bounds):
    with pytest.raises(ValueError, match="at least one pixel"):
        Region(*bounds)


@given(regions(), st.integers(-20, 20), st.integers(-20, 20))
def test_a_region_that_is_moved_keeps_its_shape(region, rows, cols):
    moved = region.moved(rows, cols)
    assert moved.shape == region.shape
    assert moved.center == (region.center[0] + rows, region.center[1] + cols)
