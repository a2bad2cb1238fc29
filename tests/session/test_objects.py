from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.plane import Plane
from napari_piclick.session import (
    ArrayLabels,
    LabelEdit,
    LabelsError,
    Session,
    VolumeSession,
    object_index,
    whereabouts,
)
from napari_piclick.session.object_table import object_table
from napari_piclick.session.place import Place
from napari_piclick.session.slice_mask import SliceMask

if TYPE_CHECKING:
    from tests.conftest import FloodPredictor


@pytest.fixture(params=["searched every time", "followed"])
def session(
    request: pytest.FixtureRequest,
    predictor: FloodPredictor,
    blocks: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> Session:
    """Labels with an object 3 on slices 3 to 7, and 8 beside it; slice 5 is current."""
    if request.param == "followed":
        monkeypatch.setattr(whereabouts, "QUICK", 0)
    labels = np.zeros(blocks.shape, np.uint8)
    labels[3:8, 5:15, 6:22] = 3
    labels[4:6, 15:18, 6:22] = 8
    session = Session(predictor, labels=labels)
    go(session, blocks, 5)
    return session


def go(session: Session, blocks: np.ndarray, number: int) -> None:
    plane = Plane(blocks.shape, (1, 2), (number,))
    session.set_image(blocks[number], key=Place("blocks", plane))


def data(session: Session) -> np.ndarray:
    assert session.labels is not None
    return session.labels.data


class TestReopen:
    def test_the_mask_on_this_plane_is_refined_under_the_same_id(
        self, session: Session, predictor: FloodPredictor, blocks: np.ndarray
    ) -> None:
        before = data(session).copy()
        session.objects.reopen(3)
        assert session.question is None
        session.click(10, 10)
        np.testing.assert_array_equal(predictor.previous[-1], before[5] == 3)
        accepted = session.accept()
        assert accepted is not None
        assert accepted.written is not None
        assert (accepted.written.label, accepted.written.kept_back) == (3, 48)
        expected = before.copy()
        expected[5][(blocks[5] == 60) & (before[5] == 0)] = 3
        np.testing.assert_array_equal(data(session), expected)
        assert session.objects.records[3].clicks == 1
        for _ in range(3):
            session.undo()
        np.testing.assert_array_equal(data(session), before)
        assert session.draft.label is None

    def test_what_a_mask_has_too_much_can_be_taken_away(self, session: Session) -> None:
        session.objects.reopen(3)
        session.click(10, 10, positive=False)
        session.accept()
        assert data(session)[5, 10, 10] == 0
        assert data(session)[4, 10, 10] == 3

    def test_an_object_goes_on_on_a_slice_where_it_is_not_yet(
        self, session: Session, blocks: np.ndarray, predictor: FloodPredictor
    ) -> None:
        go(session, blocks, 8)
        session.objects.reopen(3)
        session.click(10, 10)
        assert predictor.previous[-1] is None
        accepted = session.accept()
        assert accepted is not None
        assert accepted.written is not None
        assert accepted.written.label == 3
        assert (data(session)[8] == 3).sum() == (blocks[8] == 60).sum()

    def test_the_next_object_is_new_again(self, session: Session, blocks: np.ndarray) -> None:
        session.objects.reopen(3)
        session.cancel()
        session.click(30, 12)
        accepted = session.accept()
        assert accepted is not None
        assert accepted.written is not None
        assert accepted.written.label == 9

    def test_a_new_object_takes_nothing_over_from_one_that_is_gone(self, session: Session) -> None:
        session.click(30, 12)
        session.accept()
        session.objects.classify(9, "nucleus")
        old = session.objects.records[9]
        voxels = np.nonzero(data(session) == 9)
        session.apply(LabelEdit.of(data(session), voxels, 0), "wiped with an eraser")
        session.click(31, 13)
        accepted = session.accept()
        assert accepted is not None
        assert accepted.written is not None
        assert accepted.written.label == 9
        new = session.objects.records[9]
        assert (new.kind, new.clicks) == ("", 1)
        session.undo()
        assert session.objects.records[9] is old
        session.redo()
        assert session.objects.records[9] is new

    def test_in_other_labels_it_is_a_new_object(self, session: Session) -> None:
        session.objects.reopen(3)
        session.click(10, 10)
        other = ArrayLabels(np.zeros(data(session).shape, np.uint8))
        session.set_labels(other)
        session.accept()
        assert set(np.unique(other.data)) == {0, 1}

    @pytest.mark.parametrize("label", [0, 77])
    def test_there_must_be_such_an_object(self, session: Session, label: int) -> None:
        for request in (
            session.objects.reopen,
            session.objects.delete,
            session.objects.fill_holes,
            lambda label: session.objects.merge(label, 3),
            lambda label: session.objects.merge(3, label),
            lambda label: session.objects.classify(label, "cell"),
        ):
            with pytest.raises(LabelsError, match=f"no object {label}"):
                request(label)
        assert not session.can_undo


class TestBrush:
    """What somebody paints on an object that is being refined is never lost."""

    def paint(self, session: Session, *voxel: int, label: int) -> None:
        voxels = tuple(np.array([i]) for i in voxel)
        edit = LabelEdit.of(data(session), voxels, label)
        data(session)[voxel] = label
        session.painted(edit, session.labels)

    def test_before_the_first_click(self, session: Session, predictor: FloodPredictor) -> None:
        session.objects.reopen(3)
        self.paint(session, 5, 35, 40, label=3)
        self.paint(session, 5, 6, 7, label=0)
        self.paint(session, 4, 6, 7, label=0)
        session.click(10, 10)
        previous = predictor.previous[-1]
        assert previous[35, 40]
        assert not previous[6, 7]
        assert previous.sum() == 160

    def test_after_a_click(self, session: Session, predictor: FloodPredictor) -> None:
        session.objects.reopen(3)
        session.click(10, 10)
        self.paint(session, 5, 35, 40, label=3)
        self.paint(session, 5, 6, 7, label=8)
        assert session.mask()[35, 40]
        assert not session.mask()[6, 7]
        for column in range(12, 17):
            session.click(12, column)
        for _ in range(5):
            session.undo()
        assert session.mask()[35, 40], "no model could give that again"
        session.accept()
        assert data(session)[5, 35, 40] == 3
        assert data(session)[5, 6, 7] == 8

    def test_the_next_click_refines_from_it(
        self, session: Session, predictor: FloodPredictor
    ) -> None:
        session.objects.reopen(3)
        session.click(10, 10)
        self.paint(session, 5, 35, 40, label=3)
        session.click(12, 12)
        assert predictor.previous[-1].plane_mask()[35, 40]

    def test_where_the_object_was_not_yet(
        self, session: Session, blocks: np.ndarray, predictor: FloodPredictor
    ) -> None:
        go(session, blocks, 8)
        session.objects.reopen(3)
        self.paint(session, 8, 6, 7, label=3)
        session.click(10, 10)
        assert predictor.previous[-1].sum() == 1

    def test_undo_takes_the_stroke_back_from_both(self, session: Session) -> None:
        before = data(session).copy()
        session.objects.reopen(3)
        session.click(10, 10)
        mask = session.mask()
        self.paint(session, 5, 35, 40, label=3)
        session.undo()
        np.testing.assert_array_equal(session.mask(), mask)
        np.testing.assert_array_equal(data(session), before)
        session.redo()
        assert session.mask()[35, 40]
        assert data(session)[5, 35, 40] == 3

    def test_other_planes_that_are_crossed_see_it(
        self, session: Session, blocks: np.ndarray
    ) -> None:
        session.objects.reopen(3)
        across = Place("blocks", Plane(blocks.shape, (0, 2), (10,)))
        session.set_image(blocks[:, 10], key=across)
        session.objects.reopen(3)
        session.click(5, 10, positive=False)
        session.accept()
        assert data(session)[5, 10, 10] == 0
        go(session, blocks, 5)
        start = session.draft.start
        assert start is not None
        assert not start[10, 10]
        assert start[10, 11]


class TestWholeObjects:
    def test_delete(self, session: Session) -> None:
        before = data(session).copy()
        session.objects.reopen(3)
        session.click(10, 10)
        session.objects.delete(3)
        np.testing.assert_array_equal(data(session), np.where(before == 3, 0, before))
        assert session.clicks == (), "there is nothing left to refine"
        session.undo()
        np.testing.assert_array_equal(data(session), before)
        assert session.draft.label == 3

    def test_merge(self, session: Session) -> None:
        before = data(session).copy()
        session.objects.reopen(8)
        session.click(10, 10)
        session.accept()
        session.objects.classify(8, "cell")
        session.objects.merge(8, 3)
        assert (data(session) == 3).sum() >= (before != 0).sum()
        assert not (data(session) == 8).any()
        record = session.objects.records[3]
        assert (record.kind, record.clicks) == ("cell", 1)
        assert 8 not in session.objects.records
        while session.undo():
            pass
        np.testing.assert_array_equal(data(session), before)
        assert session.objects.records == {}
        with pytest.raises(LabelsError, match="two different"):
            session.objects.merge(3, 3)

    @pytest.mark.parametrize("whole", [True, False])
    def test_keep_the_largest_part(self, session: Session, whole: bool) -> None:
        data(session)[3:6, 35:37, 40:42] = 3
        session.objects.look_again()
        before = data(session).copy()
        session.objects.keep_largest(3, whole=whole)
        assert not (data(session)[5, 35:37] == 3).any()
        assert (data(session)[4, 35:37] == 3).any() != whole
        session.undo()
        np.testing.assert_array_equal(data(session), before)

    @pytest.mark.parametrize("whole", [True, False])
    def test_fill_holes_but_not_other_objects(self, session: Session, whole: bool) -> None:
        data(session)[5, 8:10, 8:10] = 0
        data(session)[5, 8, 8] = 8
        session.objects.look_again()
        session.objects.fill_holes(3, whole=whole)
        assert data(session)[5, 8, 8] == 8
        assert (data(session)[5, 8:10, 8:10] == 3).sum() == 3
        assert session.objects.fill_holes(3, whole=whole) is None, "there are none any more"

    @pytest.mark.parametrize("whole", [True, False])
    def test_smooth(self, session: Session, whole: bool) -> None:
        data(session)[5, 4, 10] = 3
        session.objects.look_again()
        other = data(session) == 8
        session.objects.smooth(3, whole=whole, spacing=(5, 1, 1))
        assert data(session)[5, 4, 10] == 0
        assert (data(session)[5, 7:12, 9:18] == 3).all()
        np.testing.assert_array_equal(data(session) == 8, other)

    def test_what_is_too_small_is_not_lost(self, session: Session) -> None:
        data(session)[5, 35, 40] = 20
        session.objects.look_again()
        with pytest.raises(LabelsError, match="Nothing would be left"):
            session.objects.smooth(20)
        assert data(session)[5, 35, 40] == 20

    def test_it_must_be_on_the_plane(self, session: Session, blocks: np.ndarray) -> None:
        go(session, blocks, 10)
        with pytest.raises(LabelsError, match="not on this plane"):
            session.objects.smooth(3, whole=False)


class TestHugeLabels:
    """Labels that are too large to be searched unasked, with objects of another program."""

    @pytest.fixture
    def huge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(whereabouts, "QUICK", 0)
        for module in (whereabouts, object_index):
            monkeypatch.setattr(module, "SEARCHED", 0)

    @pytest.fixture
    def opened(
        self, huge: None, predictor: FloodPredictor, blocks: np.ndarray, session: Session
    ) -> Session:
        """The labels of the others, not looked through yet; object 3 was refined on slice 5."""
        opened = Session(predictor, labels=data(session).copy())
        go(opened, blocks, 5)
        opened.objects.reopen(3)
        opened.click(10, 10)
        opened.accept()
        return opened

    @pytest.mark.parametrize("what", ["delete", "merge"])
    def test_all_of_a_refined_object_is_changed_not_that_slice_alone(
        self, opened: Session, what: str
    ) -> None:
        before = data(opened).copy()
        if what == "delete":
            opened.objects.delete(3)
        else:
            opened.objects.merge(3, 8)
        assert not (data(opened) == 3).any()
        opened.undo()
        np.testing.assert_array_equal(data(opened), before)
        assert 3 in opened.objects.records

    def test_all_of_it_is_counted_once_they_may_be_searched(self, opened: Session) -> None:
        counts = {row.label: row.voxels for row in object_table(opened.objects, search=True)}
        assert counts == {3: (data(opened) == 3).sum(), 8: (data(opened) == 8).sum()}

    def test_where_it_is_is_not_known_before(self, opened: Session) -> None:
        index = opened.objects.index
        assert index is not None
        assert not index.complete
        assert index.box(3) is None

    def test_labels_that_were_empty_at_first_are_never_searched(
        self,
        huge: None,
        predictor: FloodPredictor,
        blocks: np.ndarray,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(object_index.ObjectIndex, "scan", lambda _: pytest.fail("a search"))
        session = VolumeSession(predictor, blocks)
        session.go_to(5)
        session.click(10, 10)
        session.accept()
        session.propagate(1)
        assert [row.voxels for row in session.table()] == [(blocks == 60).sum()]
        session.go_to_object(1)
        session.objects.delete(1)
        assert not data(session).any()


class TestTable:
    def test_rows(self, session: Session) -> None:
        session.click(30, 12)
        accepted = session.accept()
        assert accepted is not None
        session.objects.classify(9, "nucleus")
        rows = object_table(session.objects, (2.0, 0.5, 0.5))
        assert [(row.label, row.voxels, row.slices) for row in rows] == [
            (3, 800, 5),
            (8, 96, 2),
            (9, 120, 1),
        ]
        assert [row.size for row in rows] == [400, 48, 60]
        assert [row.clicks for row in rows] == [0, 0, 1]
        assert rows[0].iou is None
        assert rows[2].iou == pytest.approx(0.9)
        assert (rows[2].kind, rows[2].color) == ("nucleus", "#e69f00")
        session.undo()
        assert object_table(session.objects)[2].kind == ""
        session.undo()
        assert [row.label for row in object_table(session.objects)] == [3, 8]

    def test_where_an_object_is(self, session: Session) -> None:
        index = session.objects.index
        assert index is not None
        assert index.voxel(8) == (4, 16, 13)
        assert index.box(3) == (slice(3, 8), slice(5, 15), slice(6, 22))
        assert index.voxel(77) is None

    def test_two_dimensions_and_odd_ids(self, predictor: FloodPredictor) -> None:
        labels = np.zeros((20, 30), np.int64)
        labels[2:4, 3:6] = 10**9
        labels[9, 9] = -4
        session = Session(predictor, labels=labels)
        assert [(row.label, row.voxels) for row in object_table(session.objects)] == [
            (-4, 1),
            (10**9, 6),
        ]
        assert session.objects.index.voxel(10**9) == (2, 4)

    def test_without_labels(self) -> None:
        assert object_table(Session().objects) == []


def test_a_record_keeps_no_mask_of_a_whole_plane(predictor: FloodPredictor) -> None:
    image = np.zeros((2000, 2000), np.uint8)
    image[100:110, 200:210] = 50
    labels = (image // 50).astype(np.uint16)
    before = labels == 1
    session = Session(predictor, labels=labels)
    session.set_image(image, key=Place("image", Plane(image.shape, (0, 1))))
    session.objects.reopen(1)
    session.click(105, 205)
    session.accept()
    (making,) = session.objects.records[1].makings.values()
    held = [part for part in vars(making).values() if part is not None]
    arrays = [part for part in held if isinstance(part, np.ndarray)]
    arrays += [part.mask for part in held if isinstance(part, SliceMask)]
    assert arrays
    assert sum((array if array.base is None else array.base).nbytes for array in arrays) < 10_000
    np.testing.assert_array_equal(making.start, before)
