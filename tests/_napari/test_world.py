"""The mouse speaks in the viewer's units, the smallest of all layers', and not in the image's."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_piclick._napari import live_preview
from napari_piclick._napari.world import from_layer, to_layer

if TYPE_CHECKING:
    from tests._napari.conftest import PatientJobs
    from tests.conftest import FloodPredictor

    from napari_piclick._napari.controller import Controller

INSIDE = (5, 12, 14)
#: So many of the image's voxels lie between two of the viewer's units: the image is in mm.
NANOMETRES = 1e6


@pytest.fixture
def controller(
    viewer: ViewerModel, blocks: np.ndarray, open_controller: Callable[[], Controller]
) -> Controller:
    """A controller on blocks in millimetres, in a viewer that another image made one of nm."""
    viewer.add_image(np.zeros((4, 20, 20)), scale=(50, 4, 4), units=("nm",) * 3, name="neurons")
    image = viewer.add_image(
        blocks, scale=(2, 1, 1), translate=(1, 2, 3), units=("mm",) * 3, name="brain"
    )
    viewer.dims.set_point(0, (1 + 2 * INSIDE[0]) * NANOMETRES)
    controller = open_controller()
    controller.set_image(image)
    assert controller.plane.index == INSIDE[:1]
    return controller


def seen_at(voxel: tuple[int, ...]) -> np.ndarray:
    """Where the viewer shows a voxel of the blocks."""
    return (np.array(voxel) * (2, 1, 1) + (1, 2, 3)) * NANOMETRES


def press(viewer: ViewerModel, callbacks: list, button: int, *held: str) -> None:
    """Press and release the mouse on what is selected, for callbacks of the viewer."""
    about = {"pos": (3, 3), "position": tuple(seen_at(INSIDE)), "button": button}
    event = type("Press", (), {**about, "modifiers": held, "type": "mouse_press"})()
    for callback in callbacks:
        steps = callback(viewer, event)
        if isinstance(steps, Generator):
            for _ in steps:
                event.type = "mouse_release"


@pytest.mark.parametrize("button", [1, 2])
def test_a_click_counts_where_the_mouse_is(
    controller: Controller, click: Callable, button: int
) -> None:
    click(*INSIDE, layer=controller.image, button=button)
    (made,) = controller.session.clicks
    assert (made.row, made.col) == pytest.approx(INSIDE[1:])
    assert made.positive == (button == 1)
    np.testing.assert_allclose(controller.overlay.layers[-1].data, [INSIDE])


def test_so_does_one_while_the_image_is_selected(
    controller: Controller, viewer: ViewerModel
) -> None:
    viewer.layers.selection.active = controller.image
    press(viewer, viewer.mouse_drag_callbacks, 1)
    (made,) = controller.session.clicks
    assert (made.row, made.col) == pytest.approx(INSIDE[1:])


@pytest.mark.parametrize("how", ["clicks", "image", "cursor"])
def test_an_object_is_picked_under_the_mouse(
    controller: Controller, viewer: ViewerModel, click: Callable, jobs: PatientJobs, how: str
) -> None:
    click(*INSIDE, layer=controller.image)
    jobs.work()
    controller.accept()
    assert controller.session.draft.label is None
    if how == "clicks":
        controller.start()
        click(*INSIDE, layer=controller.image, modifiers=("Control",))
    elif how == "image":
        viewer.layers.selection.active = controller.image
        press(viewer, viewer.mouse_drag_callbacks, 1, "Control")
    else:
        viewer.cursor.position = tuple(seen_at(INSIDE))
        controller.labels.reopen_under_cursor()
    assert controller.session.draft.label == 1


def test_the_live_preview_looks_there_and_draws_thin_lines(
    controller: Controller,
    viewer: ViewerModel,
    jobs: PatientJobs,
    predictor: FloodPredictor,
    blocks: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_preview, "PAUSE", 0.0001)
    controller.answers.engine.load_ahead()
    controller.live.switch(True)
    viewer.scene.camera.zoom = 4 / NANOMETRES  # four pixels of the screen for one of the image
    press(viewer, viewer.mouse_move_callbacks, 1)
    jobs.streams[3].work(1)
    ((asked,),) = predictor.glances
    assert (asked.row, asked.col) == pytest.approx(INSIDE[1:])
    shown = viewer.layers["PiClick preview"].data[0]
    np.testing.assert_array_equal(shown > 0, blocks[5] == 60)
    assert (shown[7:18, 8:20] == 2).all(), "the outline is one pixel wide"


def test_units_may_come_and_go(
    controller: Controller, viewer: ViewerModel, click: Callable, jobs: PatientJobs
) -> None:
    click(*INSIDE, layer=controller.image)
    jobs.work()
    viewer.layers.remove("neurons")
    assert [str(unit) for unit in viewer.dims.units] == ["millimeter"] * 3, "ours do not count"
    np.testing.assert_allclose(viewer.dims.range[0], (1, 23, 2))
    viewer.dims.set_point(0, 11)  # napari keeps the number, not the place
    click(5, 15, 16, layer=controller.image)
    assert controller.session.clicks[1].pixel == (15, 16)
    viewer.add_image(np.zeros((4, 20, 20)), units=("um",) * 3)
    assert [str(unit) for unit in viewer.dims.units] == ["micrometer"] * 3
    viewer.dims.set_point(0, 11_000)
    controller.start()
    click(5, 17, 18, layer=controller.image)
    assert controller.session.clicks[2].pixel == (17, 18)
    np.testing.assert_allclose(controller.overlay.layers[-1].data[-1], (5, 17, 18))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["nm", "um", "mm"]), min_size=3, max_size=3),
    st.permutations(range(3)),
    st.lists(st.sampled_from([-2.0, 0.5, 40.0]), min_size=3, max_size=3),
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 5)),
)
def test_napari_shows_there_what_lies_there(
    units: list[str], order: list[int], diagonal: list[float], voxel: tuple[int, ...]
) -> None:
    viewer = ViewerModel()
    data = np.arange(4 * 5 * 6, dtype=np.int32).reshape(4, 5, 6)
    layer = viewer.add_image(data, affine=np.diag([*diagonal, 1]), units=units, translate=(1, 2, 3))
    viewer.add_image(np.zeros((2, 2, 2, 2)), units=("s", "um", "um", "um"))
    viewer.dims.order = (0, *(axis + 1 for axis in order))
    position = from_layer(layer, voxel, viewer.dims)
    viewer.dims.set_point(range(1, 4), position)
    hidden = order[0]
    np.testing.assert_array_equal(
        layer._slice.image.raw, np.moveaxis(data, order, range(3))[voxel[hidden]]
    )
    np.testing.assert_allclose(to_layer(layer, (7, *position), viewer.dims), voxel, atol=1e-6)
