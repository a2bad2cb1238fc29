"""What the window does to a volume, in a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.session import LabelsError
from napari_piclick.session.slice_mask import LabelledBy
from napari_piclick.session.volume_session import VolumeSession

if TYPE_CHECKING:
    from tests.conftest import FloodPredictor


@pytest.mark.parametrize(("axis", "slice_", "click"), [(0, 5, (10, 10)), (1, 10, (5, 10))])
def test_one_click_is_followed_undone_and_done_again(
    predictor: FloodPredictor, blocks: np.ndarray, axis: int, slice_: int, click: tuple[int, int]
) -> None:
    labels = np.zeros(blocks.shape, np.uint16)
    session = VolumeSession(predictor, blocks, labels, axis=axis)
    session.go_to(slice_)
    session.click(*click)
    accepted = session.accept()
    assert accepted is not None
    one = labels.copy()
    assert one.any()
    stops = session.propagate(1)
    assert sorted(stop.step for stop in stops) == [-1, 1]
    np.testing.assert_array_equal(labels == 1, blocks == 60)
    by = {rating.index: rating.by for rating in session.quality(1) if rating.by is not None}
    assert by[slice_] is LabelledBy.HAND
    assert set(by.values()) == {LabelledBy.HAND, LabelledBy.PROPAGATED}
    session.undo()
    np.testing.assert_array_equal(labels, one)
    session.redo()
    np.testing.assert_array_equal(labels == 1, blocks == 60)
    session.undo()
    session.undo()
    assert not labels.any()
    assert len(session.clicks) == 1
    assert session.proposals is not None


def test_other_objects_stay_and_the_slice_in_view_is_clicked_on_afterwards(
    predictor: FloodPredictor, blocks: np.ndarray
) -> None:
    labels = np.zeros(blocks.shape, np.uint16)
    labels[6, 8:12, 8:12] = 7
    session = VolumeSession(predictor, blocks, labels)
    session.go_to(5)
    session.click(10, 10)
    session.accept()
    session.propagate(8)
    assert (labels[6, 8:12, 8:12] == 7).all()
    session.click(28, 14)
    np.testing.assert_array_equal(session.mask(), blocks[5] == 120)


def test_what_cannot_be_gets_a_sentence(predictor: FloodPredictor, blocks: np.ndarray) -> None:
    session = VolumeSession(predictor, blocks)
    with pytest.raises(LabelsError, match="Object 3 is not on slice 0: go to a slice"):
        session.propagate(3)
    with pytest.raises(IndexError, match="The slices are 0 to 11; 12 is not one"):
        session.go_to(12)
    with pytest.raises(ValueError, match="three axes"):
        VolumeSession(predictor, blocks[0])
