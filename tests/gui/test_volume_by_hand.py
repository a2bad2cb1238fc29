"""The volume section by mouse and keys, on a file, in each of the three planes; then saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    # the key keeps to what is set in the panel
    panel.first.setValue(PLACE[axis] - 1)
    panel.last.setValue(PLACE[axis] + 2)
    desk.press("K")
    desk.until(lambda: desk.controller.target is not None and not volume.running)
    labels = desk.controller.target
    others = tuple(k for k in range(3) if k != axis)
    on = np.flatnonzero(labels.data.any(axis=others))
    assert on.tolist() == list(range(PLACE[axis] - 1, PLACE[axis] + 3))

    panel.first.setValue(0)
    panel.last.setValue(blocks.shape[axis] - 1)
    desk.press("K")
    desk.until(lambda: volume.running)
    desk.until(lambda: not volume.running)
    np.testing.assert_array_equal(labels.data > 0, blocks == blocks[PLACE])

    # the strip knows who made what, a click on it goes there, and W goes where a look is worth it
    ratings = {rating.index: rating.by for rating in volume.followed.ratings}
    assert ratings[PLACE[axis]] is LabelledBy.HAND
    left, width = panel.strip._column(PLACE[axis] + 1)
    where = QPoint(int(left + width / 2), 15)
    desk.qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=where)
    desk.until(lambda: volume.index == PLACE[axis] + 1)
    desk.press("W")
    desk.until(lambda: volume.index == volume.followed.doubtful.index)

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
