from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_piclick._napari.view import NoPlaneError, level_zero, plane_in_view

VOLUME = np.arange(4 * 5 * 6, dtype=np.int32).reshape(4, 5, 6)


@st.composite
def transforms(draw: st.DrawFn) -> dict:
    signed = st.sampled_from([-3.0, -0.5, 0.25, 1.0, 40.0])
    affine = np.diag([draw(signed) for _ in range(3)] + [1.0])
    affine[:3, 3] = [draw(st.floats(-100, 100)) for _ in range(3)]
    return {
        "scale": [draw(st.sampled_from([0.3, 1.0, 7.0])) for _ in range(3)],
        "translate": [draw(st.floats(-50, 50)) for _ in range(3)],
        "affine": affine,
    }


@settings(max_examples=60, deadline=None)
@given(
    transforms(),
    st.permutations(range(3)),
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 5)),
)
def test_the_plane_is_the_one_that_napari_shows(
    transform: dict, order: list[int], voxel: tuple[int, int, int]
) -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME, **transform)
    viewer.dims.order = order
    point = layer.data_to_world(voxel)
    viewer.dims.set_point(range(3), point)
    plane = plane_in_view(layer, viewer.dims)
    assert plane.displayed == tuple(order[-2:])
    # napari's own answer to what lies under the mouse
    under_mouse = layer.get_value(point, world=True)
    row, col = plane.from_world(np.array(point))
    assert plane.cut(VOLUME)[round(row), round(col)] == under_mouse == VOLUME[voxel]
    np.testing.assert_allclose(plane.to_world((row, col)), point, atol=1e-6)


def test_sliders_between_slices_show_the_nearer_one() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME, scale=(2, 1, 1))
    viewer.add_points(np.zeros((1, 3)), scale=(0.5, 1, 1))
    viewer.dims.set_point(0, 3.5)
    assert plane_in_view(layer, viewer.dims).index == (2,)


def test_an_image_with_fewer_axes_than_the_viewer() -> None:
    viewer = ViewerModel()
    flat = viewer.add_image(VOLUME[0])
    viewer.add_image(np.zeros((2, 4, 5, 6)))
    viewer.dims.set_point((0, 1), (1, 3))
    plane = plane_in_view(flat, viewer.dims)
    assert (plane.volume_shape, plane.displayed, plane.index) == ((5, 6), (0, 1), ())
    viewer.dims.order = (2, 3, 0, 1)
    with pytest.raises(NoPlaneError, match="only 2 axes"):
        plane_in_view(flat, viewer.dims)


def test_colours_are_not_an_axis() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((3, 5, 6, 3), np.float32), rgb=True)
    viewer.dims.set_point(0, 2)
    plane = plane_in_view(layer, viewer.dims)
    assert (plane.volume_shape, plane.index, plane.rgb) == ((3, 5, 6), (2,), True)
    np.testing.assert_array_equal(plane.cut(layer.data).shape, (5, 6, 3))


def test_of_a_multiscale_image_the_finest_level_counts() -> None:
    viewer = ViewerModel()
    levels = [np.zeros((8, 32, 32)), np.zeros((8, 16, 16))]
    layer = viewer.add_image(levels, multiscale=True, scale=(1, 2, 2))
    viewer.dims.set_point(0, 5)
    plane = plane_in_view(layer, viewer.dims)
    assert (plane.volume_shape, plane.index) == ((8, 32, 32), (5,))
    assert level_zero(layer).shape == (8, 32, 32)


def test_units_of_another_layer_do_not_move_the_plane() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME, scale=(1000, 1000, 1000), units=("nm", "nm", "nm"))
    viewer.add_image(VOLUME, scale=(1, 1, 1), units=("um", "um", "um"))
    for index in range(4):
        viewer.dims.set_current_step(0, index)
        assert plane_in_view(layer, viewer.dims).index == (index,)


def test_volumes_are_refused() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME)
    viewer.dims.ndisplay = 3
    with pytest.raises(NoPlaneError, match="from 3D to 2D"):
        plane_in_view(layer, viewer.dims)


def test_a_slider_beyond_the_image_is_refused() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME)
    viewer.add_image(np.zeros((9, 5, 6)))
    viewer.dims.set_point(0, 8)
    with pytest.raises(NoPlaneError, match="beyond"):
        plane_in_view(layer, viewer.dims)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
def test_a_slanted_plane_is_refused_and_a_turned_one_is_not() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0.8, -0.6], [0.6, 0.8]]
    layer.affine = turn
    assert plane_in_view(layer, viewer.dims).displayed == (1, 2)
    viewer.dims.order = (2, 0, 1)
    with pytest.raises(NoPlaneError, match="turned or sheared"):
        plane_in_view(layer, viewer.dims)
