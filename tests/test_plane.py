from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_piclick.plane import Plane
from napari_piclick.region import Region


@st.composite
def planes(draw: st.DrawFn, rgb: bool = False) -> Plane:
    """Any plane of a 2D to 5D volume, under an affine that keeps hidden axes to themselves."""
    shape = draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))
    order = draw(st.permutations(range(len(shape))))
    displayed = (order[-2], order[-1])
    hidden = sorted(order[:-2])
    index = tuple(draw(st.integers(0, shape[axis] - 1)) for axis in hidden)
    signed = st.floats(0.05, 20).flatmap(lambda x: st.sampled_from([x, -x]))
    matrix = np.eye(len(shape) + 1)
    for axis in range(len(shape)):
        matrix[axis, axis] = draw(signed)
        matrix[axis, -1] = draw(st.floats(-1e4, 1e4))
    angle = draw(st.floats(-np.pi, np.pi))
    turn = np.eye(len(shape) + 1)
    turn[np.ix_(displayed, displayed)] = [
        [np.cos(angle), -np.sin(angle)],
        [np.sin(angle), np.cos(angle)],
    ]
    affine = tuple(tuple(row) for row in (matrix @ turn).tolist())
    return Plane(tuple(shape), displayed, index, rgb, affine)


points = hnp.arrays(float, st.tuples(st.integers(0, 5), st.just(2)), elements=st.floats(-50, 50))


@given(planes(), points)
def test_a_point_comes_back_from_the_volume(plane: Plane, places: np.ndarray) -> None:
    volume = plane.to_volume(places)
    assert volume.shape == (len(places), plane.ndim)
    assert (volume[:, list(plane.hidden)] == plane.index).all()
    np.testing.assert_array_equal(plane.from_volume(volume), places)


@given(planes(), points)
def test_a_point_comes_back_from_the_world(plane: Plane, places: np.ndarray) -> None:
    np.testing.assert_allclose(plane.from_world(plane.to_world(places)), places, atol=1e-6)


@given(planes(), st.data())
def test_pixels_are_those_of_the_volume(plane: Plane, data: st.DataObject) -> None:
    volume = np.arange(np.prod(plane.volume_shape)).reshape(plane.volume_shape)
    lazy = da.from_array(volume, chunks=3)
    row = data.draw(st.integers(0, plane.shape[0] - 1))
    col = data.draw(st.integers(0, plane.shape[1] - 1))
    value = volume[tuple(plane.to_volume((row, col)).astype(int))]
    for source in (volume, lazy):
        pixels = plane.cut(source)
        assert pixels.shape == plane.shape
        assert np.asarray(pixels).shape == plane.shape
        assert np.asarray(pixels)[row, col] == value
        assert pixels[row : row + 1, col : col + 1] == value
        assert pixels[row, col] == value
        assert (pixels[row:] == np.asarray(pixels)[row:]).all()


@given(planes(), st.data())
def test_a_mask_is_written_where_it_was_seen(plane: Plane, data: st.DataObject) -> None:
    row0 = data.draw(st.integers(0, plane.shape[0] - 1))
    col0 = data.draw(st.integers(0, plane.shape[1] - 1))
    row1 = data.draw(st.integers(row0 + 1, plane.shape[0]))
    col1 = data.draw(st.integers(col0 + 1, plane.shape[1]))
    region = Region(row0, row1, col0, col1)
    mask = data.draw(hnp.arrays(bool, region.shape))
    written = np.zeros(plane.volume_shape, bool)
    written[plane.voxels(mask, region)] = True
    np.testing.assert_array_equal(plane.cut(written)[region.slices], mask)
    assert written.sum() == mask.sum()
    placed = np.zeros(plane.volume_shape, bool)
    placed[plane.window(region)] = plane.as_slab(mask)
    np.testing.assert_array_equal(placed, written)


@given(planes(rgb=True), st.sampled_from([3, 4]))
def test_colours_stay_last(plane: Plane, channels: int) -> None:
    volume = np.random.default_rng(0).integers(0, 255, (*plane.volume_shape, channels), np.uint8)
    pixels = plane.cut(volume)
    assert pixels.shape == (*plane.shape, channels)
    for channel in range(channels):
        grey = Plane(plane.volume_shape, plane.displayed, plane.index)
        np.testing.assert_array_equal(
            np.asarray(pixels)[..., channel], np.asarray(grey.cut(volume[..., channel]))
        )


class CountedArray:
    """An array that remembers how much of it was read."""

    def __init__(self, array: np.ndarray) -> None:
        self._array, self.shape, self.dtype = array, array.shape, array.dtype
        self.read = 0

    def __getitem__(self, key: object) -> np.ndarray:
        values = self._array[key]
        self.read += values.size
        return values


@pytest.mark.parametrize("displayed", [(1, 2), (2, 1), (0, 2), (1, 0)])
def test_only_the_region_asked_for_is_read(displayed: tuple[int, int]) -> None:
    volume = CountedArray(np.zeros((20, 30, 40), np.int16))
    pixels = Plane((20, 30, 40), displayed, (5,)).cut(volume)
    assert volume.read == 0
    assert pixels[2:5, 3:9].shape == (3, 6)
    assert volume.read == 18


def test_complex_pixels_come_as_their_magnitude() -> None:
    pixels = Plane((2, 2), (0, 1)).cut(np.full((2, 2), 3 + 4j, np.complex64))
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(pixels), 5)


def test_planes_that_hold_the_same_pixels_are_equal() -> None:
    here = Plane((3, 4, 5), (1, 2), (1,))
    moved = Plane((3, 4, 5), (1, 2), (1,), affine=tuple(map(tuple, (2 * np.eye(4)).tolist())))
    assert here == moved
    assert hash(here) == hash(moved)
    assert here != Plane((3, 4, 5), (2, 1), (1,))
    assert here != Plane((3, 4, 5), (1, 2), (2,))


def test_spacing_and_direction_come_from_the_world() -> None:
    affine = tuple(map(tuple, np.diag([-2.0, 0.5, 3.0, 1.0]).tolist()))
    plane = Plane((3, 4, 5), (0, 2), (1,), affine=affine)
    assert plane.spacing == (2.0, 3.0)
    assert plane.flipped == (True, False)


@pytest.mark.parametrize(
    ("displayed", "index"), [((1, 1), (0,)), ((0, 3), (0,)), ((1, 2), (3,)), ((1, 2), ())]
)
def test_a_plane_that_is_not_in_the_volume_is_refused(
    displayed: tuple[int, int], index: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="plane"):
        Plane((3, 4, 5), displayed, index)


def test_a_volume_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="was cut from"):
        Plane((3, 4, 5), (1, 2), (0,)).cut(np.zeros((3, 4, 6)))
