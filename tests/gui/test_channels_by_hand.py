"""Several channels, and time, chosen in the volume section: what the model sees of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_piclick._qt.volume_strings import AS_IT_IS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gui.conftest import Desk

MODALITIES = ("t1", "t1ce", "t2", "flair")
#: Each is as bright as its limits allow, times this.
SHARES = (0.25, 0.5, 0.75, 1.0)


def modalities(blocks: np.ndarray) -> list[np.ndarray]:
    return [(blocks * share).astype(np.uint8) for share in SHARES]


def choose(desk: Desk, number: int, name: str) -> None:
    """Choose a channel for red, green or blue, with the keyboard."""
    box = desk.panel.volume.channels.boxes[number]
    assert box.isVisible()
    box.setFocus()
    desk.qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(box.findText(name)):
        desk.qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == name


def keep_here(desk: Desk, *place: float) -> None:
    desk.click(*place)
    desk.answered()
    desk.press("Return")
    desk.until(lambda: desk.controller.target is not None and desk.controller.target.data.any())


def propagated(desk: Desk) -> None:
    desk.qtbot.mouseClick(desk.panel.volume.propagate, Qt.MouseButton.LeftButton)
    desk.until(lambda: not desk.controller.volume.running)


def test_four_modalities_as_layers_are_shown_as_three_colours(
    open_desk: Callable[..., Desk], blocks: np.ndarray
) -> None:
    desk = open_desk()
    for name, volume in zip(MODALITIES, modalities(blocks), strict=True):
        desk.viewer.add_image(volume, name=name, contrast_limits=(0, 255))
    desk.show_image("flair")
    desk.show(5, 0, 0)
    boxes = desk.panel.volume.channels.boxes
    names = [boxes[0].itemText(k) for k in range(boxes[0].count())]
    assert sorted(names[1:]) == sorted(MODALITIES)
    for number, name in enumerate(("flair", "t1ce", "t2")):
        choose(desk, number, name)
    keep_here(desk, 5, 12, 14)
    shown = desk.predictor.images[-1]
    assert shown.shape == (40, 50, 3)
    np.testing.assert_allclose(shown[12, 14], [60, 30, 45], atol=1)
    propagated(desk)
    assert {image.shape for image in desk.predictor.images[1:]} == {(40, 50, 3)}
    np.testing.assert_array_equal(desk.controller.target.data > 0, blocks == 60)

    # and back to the image as it is
    boxes[0].setCurrentIndex(0)
    boxes[1].setCurrentIndex(0)
    boxes[2].setCurrentIndex(0)
    desk.click(5, 28, 14)
    desk.answered()
    assert desk.predictor.images[-1].shape == (40, 50)


def test_one_or_two_channels_will_do(open_desk: Callable[..., Desk], blocks: np.ndarray) -> None:
    desk = open_desk()
    for name, volume in zip(MODALITIES, modalities(blocks), strict=True):
        desk.viewer.add_image(volume, name=name, contrast_limits=(0, 255))
    desk.show_image("flair")
    desk.show(5, 0, 0)
    choose(desk, 1, "t1ce")
    desk.click(5, 12, 14)
    desk.answered()
    np.testing.assert_allclose(desk.predictor.images[-1][12, 14], [30, 30, 30], atol=1)


@pytest.fixture
def brain(open_desk: Callable[..., Desk], blocks: np.ndarray) -> Desk:
    """Four modalities; the model is shown two of them, as red and green."""
    desk = open_desk()
    for name, volume in zip(MODALITIES, modalities(blocks), strict=True):
        desk.viewer.add_image(volume, name=name, contrast_limits=(0, 255))
    desk.show_image("t2")
    desk.show(5, 0, 0)
    choose(desk, 0, "flair")
    choose(desk, 1, "t1ce")
    assert desk.controller.view.channels is not None
    return desk


def texts(desk: Desk) -> list[str]:
    return [box.currentText() for box in desk.panel.volume.channels.boxes]


def test_the_choice_stays_while_no_plane_is_in_view(brain: Desk) -> None:
    channels = brain.controller.view.channels
    brain.viewer.dims.ndisplay = 3
    brain.qtbot.wait(20)
    assert not brain.panel.volume.channels.isVisible()
    brain.viewer.dims.ndisplay = 2
    brain.qtbot.wait(20)
    assert texts(brain) == ["flair", "t1ce", "none"]
    assert brain.controller.view.channels is channels
    for box in brain.panel.volume.channels.boxes:
        box.setCurrentIndex(0)
    assert brain.controller.view.channels is None


def test_the_choice_stays_when_layers_come_and_are_renamed(brain: Desk) -> None:
    channels = brain.controller.view.channels
    brain.viewer.layers["flair"].name = "FLAIR"
    brain.viewer.add_image(brain.controller.image.data, name="more")
    assert texts(brain) == ["FLAIR", "t1ce", "none"]
    assert brain.panel.volume.channels.boxes[0].findText("more") > 0
    assert brain.controller.view.channels is channels
    brain.show_image("FLAIR")
    assert brain.controller.view.channels is None
    assert texts(brain) == [AS_IT_IS, "none", "none"]


def test_a_channel_that_is_gone_is_not_shown_any_more(brain: Desk) -> None:
    brain.viewer.layers.remove("flair")
    assert texts(brain) == [AS_IT_IS, "t1ce", "none"]
    brain.click(5, 12, 14)
    brain.answered()
    np.testing.assert_allclose(brain.predictor.images[-1][12, 14], [30, 30, 30], atol=1)
    brain.viewer.layers.remove("t1ce")
    brain.viewer.layers.remove("t1")
    assert brain.controller.view.channels is None
    assert not brain.panel.volume.channels.isVisible()
    brain.click(5, 28, 14)
    brain.answered()
    assert brain.predictor.images[-1].shape == (40, 50)


def test_a_short_axis_of_one_array_holds_the_channels(
    open_desk: Callable[..., Desk], blocks: np.ndarray
) -> None:
    desk = open_desk(np.stack(modalities(blocks)), name="brats", contrast_limits=(0, 255))
    desk.show(3, 5, 0, 0)
    choose(desk, 0, "channel 3")
    choose(desk, 1, "channel 0")
    keep_here(desk, 3, 5, 28, 14)
    shown = desk.predictor.images[-1]
    assert shown.shape == (40, 50, 3)
    # each channel in a window of its own: from its darkest object to its brightest
    assert (shown[20, 38] == 255).all()
    assert (shown[28, 14] > 0).all()
    assert (shown[28, 14] < 255).all()
    propagated(desk)
    labels = desk.controller.target.data
    assert labels.shape == (4, *blocks.shape)
    np.testing.assert_array_equal(labels[3] > 0, blocks == 120)
    assert not labels[:3].any()


@pytest.mark.parametrize("along", [0, 1])
def test_a_time_series_is_followed_along_time_or_depth(
    open_desk: Callable[..., Desk], blocks: np.ndarray, along: int
) -> None:
    movie = np.stack([blocks] * 10)
    movie[7:, :, 5:20, 6:22] = 0  # the object is gone by then
    desk = open_desk(movie, name="movie", contrast_limits=(0, 255))
    panel = desk.panel.volume
    desk.show(2, 5, 0, 0)
    assert not panel.channels.isVisible()  # ten positions are time, not channels
    assert panel.along.isVisible()
    panel.along.setCurrentIndex(along)
    keep_here(desk, 2, 5, 12, 14)
    propagated(desk)
    labels = desk.controller.target.data
    expected = np.zeros(movie.shape, bool)
    if along == 0:
        expected[:7, 5] = movie[:7, 5] == 60
    else:
        expected[2] = movie[2] == 60
    np.testing.assert_array_equal(labels > 0, expected)
