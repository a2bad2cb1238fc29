from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_piclick._qt import strings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gui.conftest import Desk


class TestMouseAndKeys:
    def test_click_look_keep(self, desk: Desk, blocks: np.ndarray) -> None:
        desk.click(5, 10, 10)
        desk.answered()
        assert len(desk.panel._strip.tiles) == 7
        preview = desk.viewer.layers["PiClick preview"]
        assert preview.data.sum() == (blocks[5] == 60).sum()
        desk.press("Return")
        desk.until(lambda: desk.controller.target is not None)
        expected = np.zeros(blocks.shape, bool)
        expected[5] = blocks[5] == 60
        np.testing.assert_array_equal(desk.controller.target.data != 0, expected)
        assert desk.panel._strip.tiles == []
        assert "Kept object 1" in desk.panel._status.text()

    def test_the_buttons_mean_what_they_should(self, desk: Desk) -> None:
        desk.click(5, 12, 12)
        desk.click(5, 7, 8, button="Right")
        desk.click(5, 16, 18, shift=True)
        desk.click(5, 14, 14, button="Middle")
        clicks = desk.controller.session.clicks
        assert [click.positive for click in clicks] == [True, False, False]
        np.testing.assert_allclose(
            [(click.row, click.col) for click in clicks], [(12, 12), (7, 8), (16, 18)], atol=0.2
        )
        layer = desk.viewer.layers["PiClick clicks"]
        assert len(layer.data) == 3
        assert [str(symbol) for symbol in layer.symbol] == ["disc", "x", "x"]
        desk.answered()

    def test_keys_choose_undo_redo_and_cancel(self, desk: Desk) -> None:
        session = desk.controller.session
        desk.click(5, 10, 10)
        desk.answered()
        for key in "2716543":
            desk.press(key)
            assert session.proposals.chosen == int(key) - 1
        desk.press("Z", "Control")
        assert session.proposals.chosen == 3
        desk.press("Z", "Control Shift")
        assert session.proposals.chosen == 2
        desk.press("Escape")
        assert session.clicks == ()
        desk.press("Z", "Control")
        assert session.proposals.chosen == 2
        assert desk.viewer.layers["PiClick clicks"].mode == "add"
        assert len(desk.viewer.layers["PiClick clicks"].data) == 1

    def test_a_picture_is_a_button(self, desk: Desk) -> None:
        desk.click(5, 10, 10)
        desk.answered()
        tile = desk.panel._strip.tiles[4]
        desk.qtbot.mouseClick(tile, Qt.MouseButton.LeftButton)
        assert desk.controller.session.proposals.chosen == 4
        assert [tile.isChecked() for tile in desk.panel._strip.tiles].index(True) == 4
        assert "chosen by you" in desk.panel._heading.text()

    def test_the_keys_work_in_the_panel_too(self, desk: Desk) -> None:
        desk.click(5, 10, 10)
        desk.answered()
        desk.panel.activateWindow()
        tile = desk.panel._strip.tiles[0]
        tile.setFocus()
        desk.until(tile.hasFocus)
        desk.qtbot.keyClick(tile, Qt.Key.Key_3)
        assert desk.controller.session.proposals.chosen == 2
        desk.qtbot.keyClick(tile, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert desk.controller.session.proposals.chosen == 0

    def test_a_drag_moves_the_image_and_is_no_click(self, desk: Desk) -> None:
        canvas = desk.first_light.find_canvas()
        center = np.array(desk.viewer.scene.camera.center)
        start, end = QPointF(200, 200), QPointF(260, 230)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        move = QEvent.Type.MouseMove

        def send(
            kind: QEvent.Type, place: QPointF, button: Qt.MouseButton, held: Qt.MouseButton
        ) -> None:
            everywhere = QPointF(canvas.mapToGlobal(place.toPoint()))
            event = QMouseEvent(
                kind, place, everywhere, button, held, Qt.KeyboardModifier.NoModifier
            )
            QApplication.sendEvent(canvas, event)
            QApplication.processEvents()

        send(move, start, none, none)
        send(QEvent.Type.MouseButtonPress, start, left, left)
        way = end - start
        expected = center - np.array([0, way.y(), way.x()]) / desk.viewer.scene.camera.zoom
        for share in np.linspace(0, 1, 11):
            send(move, start + way * share, none, left)

        def followed() -> bool:
            # moves in quick succession are merged into one: the hand holds still until it is heard
            send(move, end, none, left)
            return np.allclose(desk.viewer.scene.camera.center, expected, atol=0.05)

        desk.qtbot.waitUntil(followed, timeout=20_000)
        send(QEvent.Type.MouseButtonRelease, end, left, none)
        assert np.allclose(desk.viewer.scene.camera.center, expected, atol=0.05)
        assert desk.controller.session.clicks == ()

    def test_two_quick_clicks_are_two_clicks_and_no_zoom(self, desk: Desk) -> None:
        zoom = desk.viewer.scene.camera.zoom
        desk.click(5, 10, 10)
        desk.click(5, 11, 11)
        assert desk.viewer.scene.camera.zoom == zoom
        assert len(desk.controller.session.clicks) == 2
        desk.answered()

    def test_a_click_outside_is_answered(self, desk: Desk) -> None:
        desk.click(5, 10, -3)
        assert desk.controller.session.clicks == ()
        assert len(desk.viewer.layers["PiClick clicks"].data) == 0

    def test_clicks_go_on_after_another_layer_was_used(self, desk: Desk) -> None:
        desk.viewer.layers.selection.active = desk.viewer.add_points(np.zeros((1, 3)))
        assert strings.START in desk.panel._status.text()
        start = desk.panel._start
        assert start.isVisible()
        desk.qtbot.mouseClick(start, Qt.MouseButton.LeftButton)
        assert not start.isVisible()
        desk.click(5, 10, 10)
        desk.answered()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_session_in_every_plane(
    open_desk: Callable[..., Desk], blocks: np.ndarray, order: tuple[int, ...]
) -> None:
    desk = open_desk(blocks, name="blocks", scale=(3, 1, 1), affine=np.diag([-1.0, 1.0, 1.0, 1.0]))
    desk.viewer.dims.order = order
    desk.show(5, 15, 35)
    desk.viewer.reset_view()
    desk.click(5, 15, 35)
    desk.answered()
    desk.press("Return")
    desk.until(lambda: desk.controller.target is not None)
    hidden, place = order[0], (5, 15, 35)
    expected = blocks == 200
    elsewhere = np.arange(blocks.shape[hidden]) != place[hidden]
    expected.swapaxes(0, hidden)[elsewhere] = False
    np.testing.assert_array_equal(desk.controller.target.data != 0, expected)


class TestWhileThePredictorThinks:
    def test_the_window_lives_and_no_click_is_lost(self, desk: Desk) -> None:
        desk.predictor.gate.clear()
        ticks: list[int] = []
        timer = QTimer()
        timer.timeout.connect(lambda: ticks.append(1))
        timer.start(5)
        desk.click(5, 10, 10)
        desk.until(lambda: desk.predictor.threads)
        desk.click(5, 12, 12)
        desk.click(5, 7, 8, button="Right")
        ticks.clear()
        desk.until(lambda: len(ticks) > 10)
        assert desk.controller.session.proposals is None
        assert strings.status(desk.controller).startswith("Predicting")
        desk.predictor.gate.set()
        desk.answered()
        assert len(desk.predictor.questions[-1]) == 3
        assert threading.main_thread().ident not in desk.predictor.threads

    def test_an_answer_for_a_slice_that_was_left_lands_nowhere(self, desk: Desk) -> None:
        desk.predictor.gate.clear()
        desk.click(5, 10, 10)
        desk.until(lambda: desk.predictor.threads)
        desk.viewer.dims.set_current_step(0, 6)
        desk.predictor.gate.set()
        desk.until(lambda: desk.controller.answers.stage is None)
        assert desk.controller.session.proposals is None
        assert "waits on" in desk.panel._status.text()
        desk.press("Return")
        assert desk.controller.target is None
        desk.viewer.dims.set_current_step(0, 5)
        desk.answered()
        assert desk.controller.session.mask()[10, 10]

    def test_an_answer_for_an_image_that_is_gone_lands_nowhere(self, desk: Desk) -> None:
        desk.predictor.gate.clear()
        desk.click(5, 10, 10)
        desk.until(lambda: desk.predictor.threads)
        desk.viewer.layers.clear()
        desk.predictor.gate.set()
        desk.until(lambda: desk.controller.answers.stage is None)
        assert len(desk.viewer.layers) == 0
        assert "no image" in desk.panel._status.text()

    def test_keep_is_remembered(self, desk: Desk) -> None:
        desk.predictor.gate.clear()
        desk.click(5, 10, 10)
        desk.press("Return")
        assert desk.controller.accept_waits
        desk.predictor.gate.set()
        desk.until(lambda: desk.controller.written is not None)
        assert (desk.controller.target.data == 1).any()

    def test_an_error_becomes_a_sentence_and_the_next_click_works(self, desk: Desk) -> None:
        desk.predictor.error = ValueError("That cannot be: do this.")
        desk.click(5, 10, 10)
        desk.until(lambda: desk.predictor.threads)
        desk.until(lambda: desk.controller.answers.stage is None)
        desk.predictor.error = None
        desk.click(5, 12, 12)
        desk.answered()

    def test_the_plane_is_encoded_before_the_first_click(self, desk: Desk) -> None:
        desk.until(lambda: desk.predictor.keys)
        desk.until(lambda: desk.controller.answers.stage is None)
        assert desk.predictor.questions == []
        desk.viewer.dims.set_current_step(0, 6)
        desk.until(lambda: len(desk.predictor.keys) > 1)
        assert desk.predictor.keys[-1][1][1] == (6,)


class TestThePanel:
    def test_it_opens_from_the_manifest(
        self, make_napari_viewer_proxy: Callable, blocks: np.ndarray
    ) -> None:
        viewer = make_napari_viewer_proxy()
        viewer.add_image(blocks)
        _, panel = viewer.window.add_plugin_dock_widget("napari-piclick", "PiClick")
        assert panel.controller.listening
        panel.controller.close()  # before it loads the model

    def test_it_offers_what_there_is(self, desk: Desk, blocks: np.ndarray) -> None:
        form = desk.panel._form
        other = desk.viewer.add_image(blocks[0], name="flat")
        mine = desk.viewer.add_labels(np.zeros(blocks.shape, np.uint8), name="mine")
        names = lambda box: [box.native.itemText(k) for k in range(box.native.count())]  # noqa: E731
        assert names(form.image) == ["blocks", "flat"]
        assert names(form.target) == [strings.NEW_LABELS, "mine"]
        form.target.value = mine.unique_id
        assert desk.controller.target == mine
        other.name = "other"
        assert names(form.image) == ["blocks", "other"]
        form.image.value = other.unique_id
        assert desk.controller.image == other
        assert desk.controller.target is None
        assert names(form.target) == [strings.NEW_LABELS]
        form.overwrite.value = True
        assert desk.controller.labels.overwrite

    def test_without_an_image_it_says_so(self, open_desk: Callable[..., Desk]) -> None:
        desk = open_desk()
        assert "no image" in desk.panel._status.text()
        assert desk.panel._form.image.native.currentText() == strings.NO_IMAGE
        desk.viewer.add_image(np.zeros((20, 20)))
        assert desk.controller.listening
        assert "Ready" in desk.panel._status.text()

    def test_in_three_dimensions_it_says_so(self, desk: Desk) -> None:
        desk.viewer.dims.ndisplay = 3
        assert "2D" in desk.panel._status.text()
        desk.viewer.dims.ndisplay = 2
        assert "Ready" in desk.panel._status.text()

    def test_closing_it_leaves_only_the_users_layers(self, desk: Desk) -> None:
        desk.click(5, 10, 10)
        desk.answered()
        desk.press("Return")
        desk.viewer.window.remove_dock_widget(desk.panel)
        assert [layer.name for layer in desk.viewer.layers] == ["blocks", "blocks objects"]
        desk.viewer.dims.set_current_step(0, 6)

    def test_the_window_closes_in_the_middle_of_a_prediction(self, desk: Desk) -> None:
        desk.predictor.gate.clear()
        desk.click(5, 10, 10)
        desk.until(lambda: desk.predictor.threads)
        desk.viewer.close()
        desk.predictor.gate.set()
        desk.qtbot.wait(100)
