"""What the window does to a volume, in a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.session import LabelsError
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.saved_session import SavedSession
from napari_piclick.session.slice_mask import LabelledBy
from napari_piclick.session.stopping import Reason
from napari_piclick.session.volume_session import VolumeSession

if TYPE_CHECKING:
    from pathlib import Path

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


def test_slices_between_those_labelled_by_hand_are_interpolated_by_the_size_of_voxels(
    predictor: FloodPredictor,
) -> None:
    rows, cols = np.indices((60, 60))
    volume = np.zeros((9, 60, 60), np.uint8)
    labels = {}
    for spacing in ((1.0, 1.0, 1.0), (2.0, 4.0, 0.5)):
        data = np.zeros(volume.shape, np.uint16)
        data[1] = 3 * ((np.abs(rows - 30) < 6) & (np.abs(cols - 30) < 20))
        data[7] = 3 * ((np.abs(rows - 30) < 20) & (np.abs(cols - 30) < 6))
        data[4, 28:32, 28:32] = 5
        ends = data[[1, 7]].copy()
        session = VolumeSession(predictor, volume, data, spacing=spacing)
        assert session.interpolate(3) == [2, 3, 4, 5, 6]
        assert (data[4, 28:32, 28:32] == 5).all()
        np.testing.assert_array_equal(data[[1, 7]], ends)
        labels[spacing] = data.copy()
        by = {rating.index: rating.by for rating in session.quality(3)}
        assert by == {
            1: LabelledBy.HAND,
            **dict.fromkeys(range(2, 7), LabelledBy.INTERPOLATED),
            7: LabelledBy.HAND,
        }
        session.undo()
        assert np.flatnonzero((data == 3).any(axis=(1, 2))).tolist() == [1, 7]
    cubes, slabs = labels.values()
    assert (cubes != slabs).any()


def test_a_correction_is_followed_again_and_good_slices_stay(
    predictor: FloodPredictor, blocks: np.ndarray
) -> None:
    labels = np.zeros(blocks.shape, np.uint16)
    session = VolumeSession(predictor, blocks, labels)
    session.go_to(5)
    session.click(10, 10)
    session.accept()
    session.propagate(1)
    followed = labels.copy()
    session.go_to(7)
    session.objects.reopen(1)
    session.click(12, 12)
    session.accept()
    stops = session.propagate_again(1)
    assert {stop.reason for stop in stops} == {Reason.HAND, Reason.AREA}
    np.testing.assert_array_equal(labels, followed)
    assert {r.index for r in session.quality(1) if r.by is LabelledBy.HAND} == {5, 7}

    # where the object ends sooner, what lay beyond is lost, and one undo brings it back
    labels[8, 20:30, 5:45] = 1
    labels[7, 5:20, 6:22] = 0
    labels[7, 5:9, 6:10] = 1
    before = labels.copy()
    session.propagate_again(1)
    assert (labels != before).any()
    np.testing.assert_array_equal(labels[7], before[7])
    session.undo()
    np.testing.assert_array_equal(labels, before)


@pytest.fixture
def followed(predictor: FloodPredictor, blocks: np.ndarray) -> VolumeSession:
    """Object 1, clicked on on slice 5 and followed through slices 2 to 8; slice 8 is current."""
    session = VolumeSession(predictor, blocks)
    session.go_to(5)
    session.click(10, 10)
    session.accept()
    session.propagate(1)
    session.go_to(8)
    return session


def by_hand(session: VolumeSession) -> set[int]:
    return {rating.index for rating in session.quality(1) if rating.by is LabelledBy.HAND}


class TestWhatWasSaidOfASlice:
    """That the object is not there, or is right there, is undone with the rest."""

    def test_not_here_is_taken_back_and_said_again(
        self, followed: VolumeSession, blocks: np.ndarray
    ) -> None:
        data = followed.labels.data
        followed.clear_slice(1)
        assert by_hand(followed) == {5, 8}
        followed.undo()
        followed.redo()
        assert by_hand(followed) == {5, 8}
        followed.undo()
        followed.undo()
        assert by_hand(followed) == {5}
        followed.go_to(5)
        followed.propagate(1)
        np.testing.assert_array_equal(data == 1, blocks == 60)

    def test_where_nothing_was_it_counts_until_the_object_is_clicked_on_there(
        self, predictor: FloodPredictor, blocks: np.ndarray
    ) -> None:
        session = VolumeSession(predictor, blocks)
        session.go_to(5)
        session.click(10, 10)
        session.accept()
        session.go_to(7)
        assert session.clear_slice(1) is None
        assert by_hand(session) == {5, 7}
        session.objects.reopen(1)
        session.click(10, 10)
        session.accept()
        session.undo()
        assert by_hand(session) == {5}

    @pytest.mark.parametrize("how", ["delete", "merge", "clear"])
    def test_the_next_object_of_that_id_knows_nothing_of_it(
        self, followed: VolumeSession, blocks: np.ndarray, how: str
    ) -> None:
        data = followed.labels.data
        followed.clear_slice(1)
        if how == "clear":
            for index in range(2, 8):
                followed.go_to(index)
                followed.clear_slice(1)
        elif how == "delete":
            followed.objects.delete(1)
        else:
            data[0, 0, 0] = 2
            followed.objects.look_again()
            followed.objects.merge(1, 2)
            data[data == 2] = 0
        assert not data.any()
        followed.go_to(6)
        followed.click(10, 10)
        followed.accept()
        assert by_hand(followed) == {6}
        followed.propagate(1)
        np.testing.assert_array_equal(data == 1, blocks == 60)

    def test_what_was_deleted_comes_back_as_it_was(self, followed: VolumeSession) -> None:
        followed.clear_slice(1)
        before = followed.quality(1)
        followed.objects.delete(1)
        assert followed.quality(1) == []
        followed.go_to(6)
        followed.click(10, 10)
        followed.accept()
        assert [rating.index for rating in followed.quality(1)] == [6], "it is another object"
        followed.undo()
        followed.undo()
        assert followed.quality(1) == []
        for _ in range(2):
            followed.undo()
            assert followed.quality(1) == before
            followed.redo()
            assert followed.quality(1) == []

    def test_a_correction_that_is_undone_counts_no_more(self, followed: VolumeSession) -> None:
        followed.go_to(7)
        followed.objects.reopen(1)
        followed.click(12, 12)
        followed.choose(1)
        followed.accept()
        assert by_hand(followed) == {5, 7}
        corrected = followed.labels.data.copy()
        followed.propagate_again(1)
        assert by_hand(followed) == {5, 7}
        if (followed.labels.data != corrected).any():
            followed.undo()
        np.testing.assert_array_equal(followed.labels.data, corrected)
        followed.undo()
        assert by_hand(followed) == {5}
        followed.redo()
        assert by_hand(followed) == {5, 7}

    def test_following_on_from_a_slice_does_not_make_it_one_labelled_by_hand(
        self, followed: VolumeSession
    ) -> None:
        followed.go_to(7)
        followed.propagate_again(1)
        assert by_hand(followed) == {5}

    def test_a_slice_that_is_kept_as_it_is_counts_as_labelled_by_hand(
        self, followed: VolumeSession, blocks: np.ndarray
    ) -> None:
        followed.go_to(7)
        followed.objects.reopen(1)
        followed.click(12, 12)
        followed.accept()
        np.testing.assert_array_equal(followed.labels.data == 1, blocks == 60)
        assert by_hand(followed) == {5, 7}


class Remote:
    """A volume elsewhere, of which a slice cannot be read at first."""

    def __init__(self, data: np.ndarray, broken: int) -> None:
        self.shape, self.dtype, self.broken = data.shape, data.dtype, broken
        self._data = data

    def __getitem__(self, key: tuple) -> np.ndarray:
        if key[0] == self.broken:
            self.broken = -1
            raise OSError("The server does not answer.")
        return self._data[key]


def test_a_slice_that_cannot_be_read_is_not_gone_to(
    predictor: FloodPredictor, blocks: np.ndarray
) -> None:
    session = VolumeSession(predictor, Remote(blocks, 9), contrast_limits=(0, 255))
    session.go_to(5)
    with pytest.raises(OSError, match="server"):
        session.go_to(9)
    session.click(10, 10)
    session.accept()
    assert np.flatnonzero(session.labels.data.any(axis=(1, 2))).tolist() == [5]
    session.propagate(1)  # from the slice on which it is
    np.testing.assert_array_equal(session.labels.data == 1, blocks == 60)
    session.go_to(9)
    assert session.geometry.index == (9,)


def test_a_volume_in_colours_is_shown_in_colours(
    predictor: FloodPredictor, blocks: np.ndarray
) -> None:
    colours = np.stack([blocks, blocks // 2, 255 - blocks], axis=-1)
    labels = np.zeros(blocks.shape, np.uint16)
    session = VolumeSession(predictor, colours, labels, rgb=True)
    session.go_to(5)
    np.testing.assert_array_equal(predictor.images[-1], colours[5])
    session.click(10, 10)
    session.accept()
    session.propagate(1)
    np.testing.assert_array_equal(labels == 1, blocks == 60)


@pytest.mark.parametrize("along", [1, 0])
def test_in_time_an_object_is_followed_along_the_axis_that_is_asked_for(
    predictor: FloodPredictor, blocks: np.ndarray, along: int
) -> None:
    series = np.stack([np.roll(blocks, k, axis=2) for k in range(3)])
    labels = np.zeros(series.shape, np.uint16)
    session = VolumeSession(predictor, series, labels, axis=along)
    session.go_to(1, 5)
    session.click(10, 12)
    session.accept()
    session.propagate(1)
    expected = np.zeros(series.shape, bool)
    if along == 1:
        expected[1] = series[1] == 60
    else:
        expected[:, 5] = series[:, 5] == 60
    np.testing.assert_array_equal(labels == 1, expected)
    session.go_to(2)  # along that axis; on the other one it stays where it is
    assert session.geometry.index == ((1, 2) if along == 1 else (2, 5))
    assert len([r for r in session.quality(1) if r.by is not None]) == (7 if along == 1 else 3)
    session.go_to(0, 6)
    assert {r.by for r in session.quality(1)} <= {None}
    session.undo()
    assert (labels != 0).sum() == (blocks[5] == 60).sum()


def test_what_else_the_panel_does(predictor: FloodPredictor, blocks: np.ndarray) -> None:
    labels = np.zeros(blocks.shape, np.uint16)
    session = VolumeSession(predictor, blocks, labels, spacing=(2, 0.5, 0.5))
    session.go_to(5)
    session.click(10, 10)
    session.choose(session.proposals.beside(1))  # Tab
    assert session.proposals.chosen == session.proposals.distinct[1]
    session.choose(session.proposals.beside(-1))
    session.accept()
    session.propagate(1)
    (row,) = session.table()
    assert (row.label, row.slices, row.size) == (1, 7, (blocks == 60).sum() * 0.5)
    doubtful = session.doubtful(1)
    assert doubtful is not None
    assert doubtful.quality == min(rating.quality for rating in session.quality(1))
    assert doubtful.index in (1, 9)  # where it ended, the model was least sure
    session.go_to(8)
    assert session.clear_slice(1) is not None
    assert not labels[8].any()
    assert {r.index for r in session.quality(1) if r.by is LabelledBy.HAND} == {5, 8}
    session.undo()
    np.testing.assert_array_equal(labels == 1, blocks == 60)
    session.go_to(0)
    session.go_to_object(1)
    assert session.geometry.index[0] in range(2, 9)
    with pytest.raises(LabelsError, match="no object 7"):
        session.go_to_object(7)


def test_a_saved_session_is_gone_on_with(
    predictor: FloodPredictor, blocks: np.ndarray, tmp_path: Path
) -> None:
    session = VolumeSession(predictor, blocks)
    session.go_to(5)
    session.click(10, 10)
    session.accept()
    session.objects.classify(1, "box")
    identity = ImageIdentity.of("blocks", blocks)
    objects = session.objects
    path = tmp_path / "blocks.piclick"
    SavedSession(identity, objects.labels.data, objects.records, objects.classes.as_dict()).save(
        path
    )
    saved = SavedSession.open(path, "volume")
    again = VolumeSession(predictor, blocks, saved.labels)
    saved.resume(again)
    assert again.objects.records[1].kind == "box"
    assert again.objects.records[1].clicks == 1
    again.go_to(5)
    again.objects.reopen(1)
    again.click(28, 14)  # the object goes on from the mask that was saved
    np.testing.assert_array_equal(predictor.previous[-1], blocks[5] == 60)
    again.accept()
    np.testing.assert_array_equal(saved.labels[5] == 1, blocks[5] == 120)


def test_what_cannot_be_gets_a_sentence(predictor: FloodPredictor, blocks: np.ndarray) -> None:
    session = VolumeSession(predictor, blocks)
    with pytest.raises(LabelsError, match="Object 3 is not on slice 0: go to a slice"):
        session.propagate(3)
    with pytest.raises(LabelsError, match="Object 3 is not on slice 0: correct it"):
        session.propagate_again(3)
    with pytest.raises(LabelsError, match="by hand on two slices at least"):
        session.interpolate(3)
    with pytest.raises(IndexError, match="The slices are 0 to 11; 12 is not one"):
        session.go_to(12)
    with pytest.raises(IndexError, match="or 1, one for each of the axes"):
        session.go_to(1, 2)
    with pytest.raises(ValueError, match="three axes"):
        VolumeSession(predictor, blocks[0])
    with pytest.raises(ValueError, match="colours left out"):
        VolumeSession(predictor, blocks[..., :3], rgb=True)
    with pytest.raises(ValueError, match="needs 3 numbers"):
        VolumeSession(predictor, blocks, spacing=(1, 1))
