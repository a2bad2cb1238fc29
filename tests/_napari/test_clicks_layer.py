from __future__ import annotations

import numpy as np
import pytest
from napari.components import Dims
from napari.layers import Image

from napari_piclick._napari.clicks_layer import ClicksLayer


class Heard:
    """What a layer of clicks told."""

    def __init__(self, clicks: ClicksLayer) -> None:
        self.clicks: list[tuple[tuple[float, ...], bool]] = []
        self.edits = 0
        clicks.clicked.connect(self.on_clicked)
        clicks.edited.connect(self.on_edited)

    def on_clicked(self, position: np.ndarray, positive: bool) -> None:
        self.clicks.append((tuple(position), positive))

    def on_edited(self) -> None:
        self.edits += 1


@pytest.fixture
def clicks() -> ClicksLayer:
    clicks = ClicksLayer(Image(np.zeros((4, 20, 30)), scale=(5, 1, 1)), Dims(ndim=3))
    clicks.layer.mode = "add"
    return clicks


@pytest.fixture
def heard(clicks: ClicksLayer) -> Heard:
    return Heard(clicks)


def press(clicks: ClicksLayer, button: int, *modifiers: str) -> None:
    event = type("Press", (), {"button": button, "modifiers": modifiers})()
    clicks._on_mouse_pressed(clicks.layer, event)


@pytest.mark.parametrize(
    ("button", "modifiers", "positive"),
    [
        (1, (), True),
        (2, (), False),
        (1, ("Shift",), False),
        (1, ("Alt",), False),
        (2, ("Shift",), False),
    ],
)
def test_the_button_gives_the_sign_of_the_very_click(
    clicks: ClicksLayer, heard: Heard, button: int, modifiers: tuple[str, ...], positive: bool
) -> None:
    press(clicks, button, *modifiers)
    clicks.layer.add((2, 3, 4))
    assert heard.clicks == [((2, 3, 4), positive)]
    assert clicks.read()[1] == [positive]


def test_control_and_left_pick_and_add_nothing(clicks: ClicksLayer, heard: Heard) -> None:
    picked: list[tuple] = []
    clicks.picked.connect(lambda place: picked.append(tuple(place)))
    press(clicks, 1, "Control")
    clicks.layer.add((2, 3, 4))
    assert picked == [(2, 3, 4)]
    assert heard.clicks == []
    assert len(clicks.layer.data) == 0
    press(clicks, 1)
    clicks.layer.add((2, 3, 5))
    assert heard.clicks == [((2, 3, 5), True)]


def test_signs_differ_in_colour_and_in_shape(clicks: ClicksLayer) -> None:
    for button in (2, 1):  # the negative first: it must not take the first colour
        press(clicks, button)
        clicks.layer.add((0, 0, button))
    drawn = ClicksLayer(Image(np.zeros((4, 20, 30))), Dims(ndim=3))
    drawn.draw(np.array([[0, 0, 2.0], [0, 0, 1.0]]), [False, True])
    for layer in (clicks.layer, drawn.layer):
        red, green = layer.face_color
        assert red[0] > red[1]
        assert green[1] > green[0]
        assert str(layer.symbol[0]) != str(layer.symbol[1])
    np.testing.assert_array_equal(clicks.layer.face_color, drawn.layer.face_color)
    assert list(clicks.layer.symbol) == list(drawn.layer.symbol)


def test_earlier_clicks_keep_their_sign(clicks: ClicksLayer) -> None:
    press(clicks, 1)
    clicks.layer.add((0, 0, 0))
    clicks.layer.selected_data = {0}
    press(clicks, 2)
    clicks.layer.add((0, 1, 1))
    assert clicks.read()[1] == [True, False]
    assert str(clicks.layer.symbol[0]) == "disc"


def test_a_new_click_is_not_left_selected(clicks: ClicksLayer) -> None:
    press(clicks, 1)
    clicks.layer.add((0, 0, 0))
    assert len(clicks.layer.selected_data) == 0


def test_other_buttons_add_nothing(clicks: ClicksLayer, heard: Heard) -> None:
    press(clicks, 2)
    clicks.layer.add((0, 3, 3))
    press(clicks, 3)
    clicks.layer.add((0, 0, 0))
    assert clicks.read()[0].tolist() == [[0, 3, 3]]
    assert clicks.read()[1] == [False]
    assert (len(heard.clicks), heard.edits) == (1, 0)
    press(clicks, 1)
    clicks.layer.add((0, 4, 4))
    assert len(heard.clicks) == 2


def test_pasted_points_are_told(clicks: ClicksLayer, heard: Heard) -> None:
    clicks.layer.add([(0, 1, 1), (0, 2, 2)])
    assert (heard.clicks, heard.edits) == ([], 1)


def test_drawing_is_silent(clicks: ClicksLayer, heard: Heard) -> None:
    clicks.draw(np.array([[0, 1, 2.0], [0, 3, 4.0]]), [True, False])
    points, signs = clicks.read()
    assert (points.tolist(), signs) == ([[0, 1, 2], [0, 3, 4]], [True, False])
    clicks.draw(np.empty((0, 3)), [])
    assert len(clicks.layer.data) == 0
    assert (heard.clicks, heard.edits) == ([], 0)


def test_points_moved_or_deleted_by_hand_are_told(clicks: ClicksLayer, heard: Heard) -> None:
    clicks.draw(np.array([[0, 1, 2.0], [0, 3, 4.0]]), [True, False])
    clicks.layer.selected_data = {0}
    clicks.layer.remove_selected()
    assert heard.edits == 1
    assert clicks.read()[1] == [False]
    clicks.layer.data = np.array([[0, 9, 9.0]])
    assert heard.edits == 2


def test_it_lies_on_its_image(clicks: ClicksLayer) -> None:
    np.testing.assert_allclose(clicks.layer.data_to_world((1, 2, 3)), (5, 2, 3))


def test_after_close_it_is_a_plain_layer(clicks: ClicksLayer, heard: Heard) -> None:
    clicks.close()
    clicks.close()
    clicks.layer.add((0, 0, 0))
    assert (heard.clicks, heard.edits) == ([], 0)
