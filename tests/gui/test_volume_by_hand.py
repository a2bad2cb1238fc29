"""The volume section by mouse and keys, on a file, in each of the three planes; then saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_piclick.io.napari_reader import read
from napari_piclick.io.napari_writer import write_volume
from napari_piclick.session.slice_mask import LabelledBy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qtpy.QtWidgets import QWidget
    from tests.gui.conftest import Desk

AFFINE = np.array([[-1.5, 0, 0, 30], [0, 0.75, 0, -20], [0, 0, 2.5, 11], [0, 0, 0, 1]])
PLACE = (5, 12, 14)


@pytest.fixture
def desk(open_desk: Callable[..., Desk], blocks: np.ndarray, tmp_path: Path) -> Desk:
    """A window on a NIfTI file with the blocks."""
    path = tmp_path / "mri.nii.gz"
    nib.save(nib.Nifti1Image(blocks.T.copy(), AFFINE), path)
    data, settings, _ = read(path)[0]
    settings.pop("rgb")
    return open_desk(data, rgb=False, **settings)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_click_becomes_a_file(
    desk: Desk, blocks: np.ndarray, tmp_path: Path, axis: int
) -> None:
    volume, panel = desk.controller.volume, desk.panel.volume
    desk.viewer.dims.order = (axis, *(k for k in range(3) if k != axis))
    desk.show(*PLACE)
    desk.viewer.reset_view()
    desk.click(*PLACE)
    desk.answered()

    # the key keeps to what is set in the panel, which counts as the slider does
    numbers = volume.selected.numbers
    assert desk.viewer.dims.current_step[axis] == numbers.shown(PLACE[axis])
    first, last = sorted(numbers.shown(PLACE[axis] + k) for k in (-1, 2))
    panel.first.setValue(first)
    panel.last.setValue(last)
    desk.press("K")
    desk.until(lambda: desk.controller.target is not None and not volume.running)
    labels = desk.controller.target
    others = tuple(k for k in range(3) if k != axis)
    on = np.flatnonzero(labels.data.any(axis=others))
    assert on.tolist() == list(range(PLACE[axis] - 1, PLACE[axis] + 3))

    panel.first.setValue(panel.first.minimum())
    panel.last.setValue(panel.last.maximum())
    desk.press("K")
    whole = np.count_nonzero(blocks == blocks[PLACE])
    desk.until(lambda: np.count_nonzero(labels.data) == whole and not volume.running)
    np.testing.assert_array_equal(labels.data > 0, blocks == blocks[PLACE])

    # the strip knows who made what, a click on it goes there, and W goes where a look is worth it
    ratings = {rating.index: rating.by for rating in volume.selected.followed.ratings}
    assert ratings[PLACE[axis]] is LabelledBy.HAND
    left, width = panel.strip._column(PLACE[axis] + 1)
    where = QPoint(int(left + width / 2), 15)
    desk.qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=where)
    desk.until(lambda: volume.selected.index == PLACE[axis] + 1)
    desk.press("W")
    desk.until(lambda: volume.selected.index == volume.selected.followed.doubtful.index)

    out = tmp_path / "labels.nii.gz"
    write_volume(str(out), *labels.as_layer_data_tuple()[:2])
    written = nib.load(out)
    assert written.affine.tobytes() == AFFINE.tobytes()
    np.testing.assert_array_equal(np.asarray(written.dataobj) > 0, (blocks == blocks[PLACE]).T)
    data, settings, kind = read(out)[0]
    assert kind == "labels"
    again = desk.viewer.add_labels(data, **settings)
    np.testing.assert_array_equal(again.data, labels.data)
    np.testing.assert_allclose(again.data_to_world((3, 4, 5)), labels.data_to_world((3, 4, 5)))


@pytest.mark.parametrize("along", [2.5, -2.5])
def test_the_panel_counts_slices_as_the_slider_does(
    open_desk: Callable[..., Desk], blocks: np.ndarray, along: float
) -> None:
    """The axis of a volume stored from above runs against the slider."""
    desk = open_desk(blocks, name="stored", affine=np.diag([along, 1, 1, 1]))
    volume, panel, dims = desk.controller.volume, desk.panel.volume, desk.viewer.dims
    count = len(blocks)
    slider = {index: index if along > 0 else count - 1 - index for index in range(count)}
    desk.show(5, 0, 0)
    assert dims.current_step[0] == slider[5]
    desk.click(5, 12, 14)
    desk.answered()

    # to the two slices above on the slider, and no others
    panel.way.setCurrentText("Up (higher slices)")
    panel.first.setValue(slider[5])
    panel.last.setValue(slider[5] + 2)
    desk.qtbot.mouseClick(panel.propagate, Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.controller.target is not None and not volume.running)
    labels = desk.controller.target
    on = sorted(slider[k] for k in np.flatnonzero(labels.data.any(axis=(1, 2))))
    assert on == [slider[5], slider[5] + 1, slider[5] + 2]
    assert f"is on 3 slices, {on[0]} to {on[-1]}." in panel.status.text()
    assert f"Up: stopped at slice {on[-1] + 1}, the end of the range." in panel.status.text()

    # the strip runs as the slider does: from its left end to the right
    column = panel.strip.width() / count
    for number in (0, on[-1], count - 1):
        where = QPoint(int((number + 0.5) * column), 15)
        desk.qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=where)
        desk.until(lambda number=number: dims.current_step[0] == number)
    desk.qtbot.keyClick(panel.strip, Qt.Key.Key_Left)
    desk.until(lambda: dims.current_step[0] == count - 2)

    # what another layer adds to the slider's count is counted too, and the range stays
    chosen = panel._range()
    affine = np.diag([along, 1, 1, 1])
    affine[0, 3] = -4 * 2.5
    desk.viewer.add_image(blocks, name="before", affine=affine)
    desk.show(5, 0, 0)
    desk.until(lambda: volume.selected.index == 5)
    assert dims.current_step[0] == slider[5] + 4
    assert panel._range() == chosen
    assert sorted((panel.first.value(), panel.last.value())) == [slider[5] + 4, slider[5] + 6]


def press(desk: Desk, button: QWidget) -> None:
    """Press a button of the volume section with the mouse."""
    assert button.isEnabled()
    desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def on_slices(desk: Desk) -> list[int]:
    return np.flatnonzero(desk.controller.target.data.any(axis=(1, 2))).tolist()


@pytest.fixture
def begun(open_desk: Callable[..., Desk], blocks: np.ndarray) -> Desk:
    """A window with an object kept on slice 5."""
    desk = open_desk(blocks, name="blocks")
    desk.show(5, 0, 0)
    desk.click(5, 12, 14)
    desk.answered()
    desk.press("Return")
    desk.until(lambda: desk.controller.target is not None and on_slices(desk) == [5])
    return desk


def test_stop_ends_a_propagation_at_once_and_one_undo_takes_all_of_it_back(
    begun: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, panel, volume = begun, begun.panel.volume, begun.controller.volume
    answer, asked = desk.predictor.predict, len(desk.predictor.questions)

    def held_back(*question: Any) -> Any:
        if len(desk.predictor.questions) == asked + 2:
            desk.predictor.gate.clear()
        return answer(*question)

    monkeypatch.setattr(desk.predictor, "predict", held_back)
    press(desk, panel.propagate)
    assert panel.propagate.text() == "Stop"
    assert not panel.interpolate.isEnabled()
    desk.until(lambda: on_slices(desk) == [5, 6, 7] and not desk.predictor.gate.is_set())
    press(desk, panel.propagate)
    assert not volume.running
    assert panel.propagate.text() == "Propagate"
    desk.predictor.gate.set()
    desk.qtbot.wait(200)  # what was on its way is dropped
    assert on_slices(desk) == [5, 6, 7]
    assert "is on 3 slices, 5 to 7." in panel.status.text()
    desk.press("Z", "Control")
    desk.until(lambda: on_slices(desk) == [5])


def test_interpolate_fills_the_slices_between_those_labelled_by_hand(
    begun: Desk, blocks: np.ndarray
) -> None:
    desk, panel, volume = begun, begun.panel.volume, begun.controller.volume
    press(desk, panel.interpolate)
    assert "by hand on two slices at least" in volume.problem
    desk.qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert not volume.again
    desk.show(8, 0, 0)
    press(desk, panel.correct)
    desk.click(8, 12, 14)
    desk.answered()
    desk.press("Return")
    desk.until(lambda: on_slices(desk) == [5, 8])
    asked = len(desk.predictor.questions)
    press(desk, panel.interpolate)
    desk.until(lambda: not volume.running and on_slices(desk) == [5, 6, 7, 8])
    np.testing.assert_array_equal(desk.controller.target.data[6] == 1, blocks[6] == 60)
    assert len(desk.predictor.questions) == asked  # from the outlines alone
    ratings = {rating.index: rating.by for rating in volume.selected.followed.ratings}
    assert ratings[6] is ratings[7] is LabelledBy.INTERPOLATED
    desk.press("Z", "Control")
    desk.until(lambda: on_slices(desk) == [5, 8])


def test_the_panel_shows_the_object_that_is_selected_in_the_labels(desk: Desk) -> None:
    desk.show(*PLACE)
    desk.viewer.reset_view()
    for place in (PLACE, (5, 28, 14)):
        desk.click(*place)
        desk.answered()
        desk.press("Return")
        desk.until(lambda: desk.controller.written is not None)
    panel = desk.panel.volume
    assert panel.object.value() == 2
    desk.controller.labels.jump(1)
    assert panel.object.value() == 1
    assert panel.status.text().startswith("Object 1 ")
    panel.object.setValue(2)
    assert desk.controller.target.selected_label == 2
