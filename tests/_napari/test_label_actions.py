"""What is done to objects in the viewer's labels; what cannot be done is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels
    from tests._napari.conftest import PatientJobs

    from napari_piclick._napari.controller import Controller

Click = Callable[..., None]


@pytest.fixture
def cells(viewer: ViewerModel, blocks: np.ndarray) -> Labels:
    """Labels that came from elsewhere: two objects on slices 3 to 7."""
    viewer.add_image(blocks, name="blocks", scale=(2, 0.5, 0.5), units=("um", "um", "um"))
    data = np.zeros(blocks.shape, np.int32)
    data[3:8, 5:15, 6:22] = 3
    data[3:8, 25:30, 12:18] = 8
    layer = viewer.add_labels(data, name="cells", scale=(2, 0.5, 0.5), units=("um", "um", "um"))
    viewer.dims.set_current_step(0, 5)
    return layer


@pytest.fixture
def controller(cells: Labels, open_controller: Callable[[], Controller]) -> Controller:
    return open_controller()


def test_a_mask_from_elsewhere_is_picked_refined_and_kept_under_its_id(
    controller: Controller,
    cells: Labels,
    jobs: PatientJobs,
    click: Click,
    blocks: np.ndarray,
) -> None:
    before = cells.data.copy()
    click(5, 10, 10, modifiers=("Control",))
    assert controller.target == cells
    assert controller.session.draft.label == 3
    assert controller.session.clicks == ()
    click(5, 12, 12)
    np.testing.assert_array_equal(jobs.waiting[0].previous, before[5] == 3)
    jobs.work()
    controller.accept()
    expected = before.copy()
    expected[5][blocks[5] == 60] = 3
    np.testing.assert_array_equal(cells.data, expected)
    assert controller.written.label == 3
    for _ in range(3):
        controller.undo()
    np.testing.assert_array_equal(cells.data, before)
    cells.undo()


def test_where_nothing_is_nothing_is_picked(
    controller: Controller, click: Click, said: list[str]
) -> None:
    click(5, 38, 40, modifiers=("Control",))
    click(5, -9, 40, modifiers=("Control",))
    assert said == ["There is no object there: pick one that is labelled."] * 2
    assert controller.target is None


def test_the_object_under_the_mouse(
    controller: Controller, viewer: ViewerModel, cells: Labels
) -> None:
    viewer.cursor.position = tuple(cells.data_to_world((5, 27, 14)))
    assert controller.labels.reopen_under_cursor()
    assert controller.session.draft.label == 8
    cells.visible = False
    controller.labels.set_target(None)
    assert not controller.labels.reopen_under_cursor(), "what is hidden is not meant"


def test_a_brush_on_an_object_that_is_refined(
    controller: Controller, cells: Labels, jobs: PatientJobs, click: Click
) -> None:
    click(5, 10, 10, modifiers=("Control",))
    cells.brush_size = 1
    cells.paint((5, 35, 40), 3)
    click(5, 12, 12)
    assert jobs.waiting[0].previous[35, 40]
    jobs.work()
    cells.paint((5, 36, 41), 3)
    assert controller.session.mask()[36, 41]
    assert viewer_preview(controller).data[0, 36, 41]
    controller.accept()
    assert cells.data[5, 35, 40] == 0, "the model left it out"
    assert cells.data[5, 36, 41] == 3, "painted after the model spoke"


def viewer_preview(controller: Controller) -> Labels:
    return controller._viewer.layers["PiClick preview"]


def test_new_objects_have_the_next_free_id_for_the_brush_too(
    controller: Controller, cells: Labels, click: Click, jobs: PatientJobs
) -> None:
    click(5, 10, 10, modifiers=("Control",))
    controller.labels.start_new()
    assert controller.session.draft.blank
    assert cells.selected_label == 9
    click(5, 30, 12)
    jobs.work()
    controller.accept()
    assert controller.written.label == 9


def test_the_table_measures_and_jumps(
    controller: Controller, viewer: ViewerModel, cells: Labels
) -> None:
    controller.labels.set_target(cells)
    rows = controller.labels.table()
    assert [(row.label, row.voxels, row.size, row.slices) for row in rows] == [
        (3, 800, 400, 5),
        (8, 150, 75, 5),
    ]
    assert controller.labels.scale()[1] == "micrometer"
    viewer.dims.order = (2, 0, 1)
    controller.labels.jump(8)
    assert controller.plane.displayed == (0, 1)
    assert controller.plane.index == (14,)
    assert cells.selected_label == 8


def test_every_request_is_a_step_or_a_sentence(
    controller: Controller, cells: Labels, said: list[str]
) -> None:
    controller.labels.set_target(cells)
    before = cells.data.copy()
    actions = controller.labels
    requests = (
        lambda label: actions.delete(label),
        lambda label: actions.merge(label, 8),
        lambda label: actions.fill_holes(label),
        lambda label: actions.keep_largest(label, whole=False),
        lambda label: actions.smooth(label),
        lambda label: actions.classify(label, "cell"),
        lambda label: actions.reopen(label),
        lambda label: actions.jump(label),
    )
    for count, request in enumerate(requests, start=1):
        request(77)
        assert len(said) == count
        assert "There is no object 77" in said[-1]
    np.testing.assert_array_equal(cells.data, before)
    for request in requests:
        request(3)
        while controller.session.can_undo:
            controller.undo()
        np.testing.assert_array_equal(cells.data, before)
    assert len(said) == len(requests)


def test_our_own_preview_is_no_object(
    viewer: ViewerModel,
    blocks: np.ndarray,
    open_controller: Callable[[], Controller],
    jobs: PatientJobs,
    click: Click,
    said: list[str],
) -> None:
    viewer.add_image(blocks[5])
    controller = open_controller()
    click(10, 10)
    jobs.work()
    click(10, 10, modifiers=("Control",))
    assert "no object there" in said[0]
    assert controller.target is None
    assert len(controller.session.clicks) == 1
