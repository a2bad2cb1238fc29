"""The live preview: nothing of it is kept, and it never shows what no longer belongs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick._napari import live_preview
from napari_piclick.clicks import Click

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from tests._napari.conftest import PatientJobs
    from tests.conftest import FloodPredictor

    from napari_piclick._napari.controller import Controller

INSIDE, OTHER, OUTSIDE = (5, 10, 10), (5, 28, 14), (5, 10, 80)


@pytest.fixture
def controller(
    viewer: ViewerModel,
    blocks: np.ndarray,
    open_controller: Callable[[], Controller],
    monkeypatch: pytest.MonkeyPatch,
) -> Controller:
    monkeypatch.setattr(live_preview, "PAUSE", 0.0001)
    monkeypatch.setattr(live_preview, "REST", 0.0003)
    viewer.add_image(blocks, scale=(3, 1, 1))
    viewer.dims.set_current_step(0, 5)
    controller = open_controller()
    controller.answers.engine.load_ahead()
    controller.live.switch(True)
    return controller


@pytest.fixture
def move(viewer: ViewerModel, controller: Controller) -> Callable[..., None]:
    def move(place: tuple[int, ...], *held: str) -> None:
        position = np.array(controller.image.data_to_world(place))
        event = type("Move", (), {"position": position, "modifiers": held})()
        for callback in viewer.mouse_move_callbacks:
            callback(viewer, event)

    return move


@pytest.fixture
def ask(jobs: PatientJobs) -> Callable[[], None]:
    """Have the question that waits answered."""
    stream = jobs.streams[3]

    def ask() -> None:
        assert stream.waiting, "nothing was asked"
        stream.work(1)
        work = stream.waiting
        if work:
            stream.work(1)

    return ask


def foreseen(viewer: ViewerModel) -> np.ndarray:
    """(H, W) bool, if anything was drawn so far, of what shows as foreseen on the plane in view."""
    return viewer.layers["PiClick preview"].data[0] > 1


def test_it_shows_what_a_click_would_give(
    viewer: ViewerModel,
    controller: Controller,
    blocks: np.ndarray,
    move: Callable[..., None],
    ask: Callable[[], None],
) -> None:
    move(INSIDE)
    ask()
    np.testing.assert_array_equal(foreseen(viewer), blocks[5] == 60)
    move(OTHER)
    ask()
    np.testing.assert_array_equal(foreseen(viewer), blocks[5] == 120)
    session = controller.session
    assert session.clicks == ()
    assert not session.can_undo
    assert controller.target is None
    assert not controller.keeper._journals


def test_it_refines_the_mask_that_is_shown(
    viewer: ViewerModel,
    controller: Controller,
    jobs: PatientJobs,
    predictor: FloodPredictor,
    click: Callable[..., None],
    move: Callable[..., None],
    ask: Callable[[], None],
) -> None:
    click(*INSIDE)
    move(OTHER)
    assert not jobs.streams[3].waiting, "the click comes first"
    jobs.work()
    move((5, 12, 12), "Shift")
    ask()
    assert predictor.glances[-1] == (Click(10, 10), Click(12, 12, positive=False))
    assert not foreseen(viewer)[12, 12]
    assert len(controller.session.clicks) == 1
    assert controller.session.proposals.chosen_by == "trm"


def test_only_the_latest_place_is_asked_about(
    predictor: FloodPredictor, move: Callable[..., None], ask: Callable[[], None]
) -> None:
    for col in range(8, 20):
        move((5, 10, col))
    ask()
    assert predictor.glances == [(Click(10, 19),)]


def test_the_mouse_that_went_on_is_followed(
    viewer: ViewerModel, jobs: PatientJobs, blocks: np.ndarray, move: Callable[..., None]
) -> None:
    stream = jobs.streams[3]
    move(INSIDE)
    stream.work(1)
    move(OTHER)
    assert foreseen(viewer)[10, 10], "the last place shows until the next is known"
    stream.work(1)  # the first ends, and the next begins
    stream.work(1)
    np.testing.assert_array_equal(foreseen(viewer), blocks[5] == 120)


@pytest.mark.parametrize("meanwhile", ["leave", "click", "slide", "off", "undo", "out", "pick"])
def test_it_goes_away_and_what_comes_late_is_dropped(
    viewer: ViewerModel,
    controller: Controller,
    jobs: PatientJobs,
    click: Callable[..., None],
    move: Callable[..., None],
    ask: Callable[[], None],
    meanwhile: str,
) -> None:
    viewer.mouse_over_canvas = True
    click(5, 20, 40)
    jobs.work()
    move(INSIDE)
    ask()
    assert foreseen(viewer).any()
    move(OTHER)  # asked, and not answered yet
    if meanwhile == "leave":
        viewer.mouse_over_canvas = False
    elif meanwhile == "click":
        click(*INSIDE)
    elif meanwhile == "slide":
        viewer.dims.set_current_step(0, 6)
    elif meanwhile == "off":
        controller.live.switch()
    elif meanwhile == "undo":
        controller.undo()
    elif meanwhile == "out":
        move(OUTSIDE)
    else:
        move(OTHER, "Control")
    assert not foreseen(viewer).any()
    if jobs.streams[3].waiting:
        jobs.streams[3].work()
    assert not foreseen(viewer).any()


def test_an_answer_that_is_under_way_does_not_outlive_a_click(
    viewer: ViewerModel,
    jobs: PatientJobs,
    click: Callable[..., None],
    move: Callable[..., None],
) -> None:
    move(INSIDE)
    stream = jobs.streams[3]
    work, result, _ = stream._work
    late = next(iter(work()))
    click(*OTHER)
    jobs.work()
    result(late)
    assert not foreseen(viewer).any()


def test_what_is_not_encoded_is_once_the_mouse_rests(
    viewer: ViewerModel,
    predictor: FloodPredictor,
    jobs: PatientJobs,
    move: Callable[..., None],
    ask: Callable[[], None],
) -> None:
    predictor.encoded = False
    move(INSIDE)
    ask()
    assert foreseen(viewer)[10, 10]
    assert len(predictor.glances) == 1
    assert not jobs.streams[3].waiting


def test_it_is_silent_while_off_while_painting_and_in_3d(
    viewer: ViewerModel, controller: Controller, jobs: PatientJobs, move: Callable[..., None]
) -> None:
    controller.live.switch(False)
    move(INSIDE)
    assert not jobs.streams[3].waiting
    controller.live.switch(True)
    labels = viewer.add_labels(np.zeros((12, 40, 50), np.uint8))
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    move(INSIDE)
    labels.mode = "pan_zoom"
    viewer.dims.ndisplay = 3
    move(INSIDE)
    assert not jobs.streams[3].waiting


def test_it_tells_when_it_is_switched_and_lets_go(
    viewer: ViewerModel, controller: Controller
) -> None:
    heard: list[bool] = []
    controller.live.toggled.connect(heard.append)
    controller.live.switch()
    controller.live.switch(False)
    controller.live.switch()
    assert heard == [False, True]
    controller.close()
    assert controller.live._on_mouse_moved not in viewer.mouse_move_callbacks


def test_rolling_the_axes_takes_both_away_at_once(
    viewer: ViewerModel,
    controller: Controller,
    jobs: PatientJobs,
    click: Callable[..., None],
    move: Callable[..., None],
    ask: Callable[[], None],
) -> None:
    """The planes have other shapes then; what is chosen is not drawn on one it does not fit."""
    click(*INSIDE)
    jobs.work()
    move((5, 12, 12))
    ask()
    assert foreseen(viewer).any()
    drawn = controller.session.proposals
    for order in ((1, 0, 2), (2, 1, 0), (0, 2, 1)):
        viewer.dims.order = order
        assert not viewer.layers["PiClick preview"].data.any()
    viewer.dims.order = (0, 1, 2)
    assert controller.session.proposals is drawn
    np.testing.assert_array_equal(viewer.layers["PiClick preview"].data[0] == 1, drawn.plane_mask())
